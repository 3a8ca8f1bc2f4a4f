import { describe, expect, it } from 'vitest';
import type { GateConfig } from '../../src/config/config.ts';
import type { Measurements, PairedCounts } from '../../src/evaluate/measurements.ts';
import { decide } from '../../src/gate/decide.ts';
import type { Check } from '../../src/gate/verdict.ts';

/** 900 samples: float right on 810, the artifact on 801. */
const COUNTS: PairedCounts = { both: 795, onlyFloat: 15, onlyArtifact: 6, neither: 84 };

function classMeasurements(counts: PairedCounts = COUNTS, nonFiniteCount = 0): Measurements {
  const sampleCount = counts.both + counts.onlyFloat + counts.onlyArtifact + counts.neither;
  return {
    metric: 'top1',
    sampleCount,
    outputNames: ['y'],
    float: (counts.both + counts.onlyFloat) / sampleCount,
    quantized: (counts.both + counts.onlyArtifact) / sampleCount,
    drop: (counts.onlyFloat - counts.onlyArtifact) / sampleCount,
    nonFiniteCount,
    klToFloat: 0.01,
    divergences: new Float64Array(sampleCount).fill(0.01),
    agreement: 0.97,
    pairedCounts: counts,
  };
}

function klMeasurements(divergences: readonly number[]): Measurements {
  const mean = divergences.reduce((sum, value) => sum + value, 0) / divergences.length;
  return {
    metric: 'kl',
    sampleCount: divergences.length,
    outputNames: ['y'],
    float: 0,
    quantized: mean,
    drop: mean,
    nonFiniteCount: divergences.filter(Number.isNaN).length,
    klToFloat: mean,
    divergences: Float64Array.from(divergences),
    agreement: 1,
  };
}

function judge(gate: Partial<GateConfig>, measurements = classMeasurements(), artifactSizeBytes = 100) {
  const { metric } = measurements;
  return decide(measurements, {
    gate: { metric, inconclusive: 'fail', warn: {}, locations: {}, ...gate },
    budget: { kind: 'file-bytes', limit: 125 },
    artifactSizeBytes,
    seed: 0,
  });
}

/** `name bound limit: outcome` of every check. */
function outline(checks: readonly Check[]): readonly string[] {
  return checks.map(({ name, bound, limit, outcome }) => `${name} ${bound} ${limit}: ${outcome}`);
}

describe('decide, measured values', () => {
  it('decide: size and finite outputs are checked also where the config sets no limit', () => {
    const { verdict, passed, checks, intervals } = judge({});
    expect({ verdict, passed, intervals }).toEqual({ verdict: 'pass', passed: true, intervals: undefined });
    expect(checks).toEqual([
      {
        name: 'artifact size',
        measured: 100,
        limit: 125,
        unit: 'bytes',
        bound: 'at-most',
        limitName: 'size',
        outcome: 'pass',
        passed: true,
      },
      {
        name: 'non-finite outputs',
        measured: 0,
        limit: 0,
        unit: 'samples',
        bound: 'at-most',
        outcome: 'pass',
        passed: true,
      },
    ]);
  });

  it.each([
    [2.9, 'pass'],
    [20 / 7, 'pass'],
    [3, 'fail'],
  ])('decide: a budget in bits is held against the mean width, %d is %s', (effectiveBits, outcome) => {
    const { checks } = decide(classMeasurements(), {
      gate: { metric: 'top1', inconclusive: 'fail', warn: {}, locations: {} },
      budget: {
        kind: 'weight-bits',
        limit: Math.ceil(effectiveBits * 7) - (outcome === 'fail' ? 1 : 0),
        effectiveBits,
        weightCount: 7,
      },
      artifactSizeBytes: 1e9,
      seed: 0,
    });
    expect(checks[0]).toMatchObject({ name: 'mean width', unit: 'bits per weight', limitName: 'size', outcome });
    expect(checks[0]!.measured).toBe(effectiveBits);
  });

  it('decide: every check is made, also behind one that failed', () => {
    const gate = { min: 0.95, maxDrop: 0.005, maxSizeBytes: 90, warn: { min: 0.96, maxDrop: 0.001, maxSizeBytes: 80 } };
    const { verdict, passed, checks } = judge(gate, classMeasurements(), 126);
    expect({ verdict, passed }).toEqual({ verdict: 'fail', passed: false });
    expect(outline(checks)).toEqual([
      'artifact size at-most 125: fail',
      'artifact size at-most 90: fail',
      'top1 at-least 0.95: fail',
      'top1 drop at-most 0.005: fail',
      'non-finite outputs at-most 0: pass',
      'artifact size at-most 80: warn',
      'top1 at-least 0.96: warn',
      'top1 drop at-most 0.001: warn',
    ]);
    expect(checks.map(({ limitName }) => limitName)).toEqual([
      'size',
      'max-size',
      'min',
      'max-drop',
      undefined,
      'warn.max-size',
      'warn.min',
      'warn.max-drop',
    ]);
    expect(checks.every(({ passed, outcome }) => passed === (outcome === 'pass'))).toBe(true);
  });

  it('decide: a value on its limit keeps it', () => {
    const { verdict, checks } = judge({ min: 801 / 900, maxDrop: 9 / 900 }, classMeasurements(), 125);
    expect(verdict).toBe('pass');
    expect(checks.filter(({ passed }) => passed)).toHaveLength(4);
  });

  it.each([
    [{ min: 0.891 }, 100],
    [{ maxDrop: 0.0099 }, 100],
    [{}, 126],
    [{ maxSizeBytes: 99 }, 100],
  ])('decide: one limit that is not kept fails, %j', (gate, sizeBytes) => {
    const { verdict, checks } = judge(gate, classMeasurements(), sizeBytes);
    expect(verdict).toBe('fail');
    expect(checks.filter(({ passed }) => !passed)).toHaveLength(1);
  });

  it('decide: a warning limit alone warns, and the build goes on', () => {
    expect(judge({ min: 0.8, warn: { min: 0.9 } })).toMatchObject({ verdict: 'warn', passed: true });
    expect(judge({ warn: { maxSizeBytes: 99 } })).toMatchObject({ verdict: 'warn', passed: true });
    expect(judge({ min: 0.8, warn: { min: 0.85 } })).toMatchObject({ verdict: 'pass', passed: true });
  });

  it('decide: kl is held against max and max-drop', () => {
    const measurements = klMeasurements([0.01, 0.03]);
    expect(outline(judge({ max: 0.02, maxDrop: 0.01, warn: { max: 0.015 } }, measurements).checks).slice(1)).toEqual([
      'kl at-most 0.02: pass',
      'kl drop at-most 0.01: fail',
      'non-finite outputs at-most 0: pass',
      'kl at-most 0.015: warn',
    ]);
  });
});

describe('decide, NaN', () => {
  it.each([undefined, 0.95])('decide: a divergence that is no number keeps no limit, confidence %s', (confidence) => {
    const measurements = klMeasurements([...Array(20).fill(0.01), Number.NaN]);
    const gate = { max: 5, maxDrop: 5, warn: { max: 1 }, ...(confidence === undefined ? {} : { confidence }) };
    expect(outline(judge(gate, measurements).checks).slice(1)).toEqual([
      'kl at-most 5: fail',
      'kl drop at-most 5: fail',
      'non-finite outputs at-most 0: fail',
      'kl at-most 1: fail',
    ]);
    expect(judge({ ...gate, inconclusive: 'warn' }, measurements)).toMatchObject({ verdict: 'fail', passed: false });
  });

  it('decide: an artifact with one answer that is no number fails where no limit on its accuracy is set', () => {
    expect(judge({}, classMeasurements(COUNTS, 1))).toMatchObject({ verdict: 'fail', passed: false });
  });

  it('decide: measurements without a sample keep no limit', () => {
    const none = { both: 0, onlyFloat: 0, onlyArtifact: 0, neither: 0 };
    for (const gate of [
      { min: 0, maxDrop: 1 },
      { min: 0, maxDrop: 1, confidence: 0.95 },
    ]) {
      expect(outline(judge(gate, classMeasurements(none)).checks)).toContain('top1 at-least 0: fail');
    }
  });

  it('decide: a size that is no number fails', () => {
    expect(judge({}, classMeasurements(), Number.NaN)).toMatchObject({ verdict: 'fail' });
  });
});

describe('decide, with confidence', () => {
  // Wilson for 801 of 900: 0.8678 to 0.9088; Tango for 15 and 6: 0.0001 to 0.0214.
  const outcomeOf = (gate: Partial<GateConfig>) => judge({ confidence: 0.95, ...gate }).checks[1]!.outcome;

  it.each([
    [{ min: 0.867 }, 'pass'],
    [{ min: 0.869 }, 'inconclusive'],
    [{ min: 0.891 }, 'inconclusive'],
    [{ min: 0.908 }, 'inconclusive'],
    [{ min: 0.91 }, 'fail'],
    [{ maxDrop: 0.022 }, 'pass'],
    [{ maxDrop: 0.02 }, 'inconclusive'],
    [{ maxDrop: 0.001 }, 'inconclusive'],
    [{ maxDrop: 0 }, 'fail'],
  ])('decide: %j is %s', (gate, outcome) => {
    expect(outcomeOf(gate)).toBe(outcome);
  });

  it('decide: a narrower confidence decides what a wider one leaves open', () => {
    expect(outcomeOf({ maxDrop: 0.02, confidence: 0.8 })).toBe('pass');
    expect(outcomeOf({ min: 0.867, confidence: 0.999 })).toBe('inconclusive');
  });

  it('decide: inconclusive fails the build unless the config lets it warn', () => {
    expect(judge({ confidence: 0.95, min: 0.89 })).toMatchObject({ verdict: 'inconclusive', passed: false });
    expect(judge({ confidence: 0.95, min: 0.89, inconclusive: 'warn' })).toMatchObject({
      verdict: 'inconclusive',
      passed: true,
    });
  });

  it('decide: fail is worse than inconclusive, and inconclusive worse than warn', () => {
    const open = { confidence: 0.95, min: 0.89, inconclusive: 'warn' } as const;
    expect(judge({ ...open, maxDrop: 0 })).toMatchObject({ verdict: 'fail', passed: false });
    expect(judge({ ...open, warn: { min: 0.9 } })).toMatchObject({ verdict: 'inconclusive', passed: true });
  });

  it('decide: warning limits and sizes are decided by the measured value, with the interval beside it', () => {
    const { checks } = judge({ confidence: 0.95, warn: { min: 0.889, maxDrop: 0.0099 } });
    expect(outline(checks).slice(2)).toEqual(['top1 at-least 0.889: pass', 'top1 drop at-most 0.0099: warn']);
    expect(checks[0]!.interval).toBeUndefined();
    expect(checks[2]!.interval?.method).toBe('wilson');
    expect(checks[3]!.interval?.method).toBe('tango');
  });

  it('decide: the verdict carries both intervals, whether or not a limit needs them', () => {
    const { intervals } = judge({ confidence: 0.9 });
    expect(intervals?.quantized).toMatchObject({ method: 'wilson', confidence: 0.9 });
    expect(intervals?.drop).toMatchObject({ method: 'tango', confidence: 0.9 });
    expect(judge({ confidence: 0.9 }, klMeasurements(Array(20).fill(0.1))).intervals?.drop.method).toBe('bootstrap');
  });

  it('decide: a skewed divergence near its limit is inconclusive, far from it decided', () => {
    const measurements = klMeasurements(Array.from({ length: 60 }, (_, index) => 0.02 * (index % 4 === 0 ? 4 : 1)));
    const outcome = (max: number) => judge({ confidence: 0.95, max }, measurements).checks[1]!.outcome;
    expect([0.02, 0.034, 0.036, 0.06].map(outcome)).toEqual(['fail', 'inconclusive', 'inconclusive', 'pass']);
  });
});

describe('decide, samples to settle', () => {
  const scale = (counts: PairedCounts, factor: number): PairedCounts => ({
    both: counts.both * factor,
    onlyFloat: counts.onlyFloat * factor,
    onlyArtifact: counts.onlyArtifact * factor,
    neither: counts.neither * factor,
  });

  it.each([{ min: 0.88 }, { min: 0.9 }, { maxDrop: 0.015 }, { maxDrop: 0.005 }])(
    'decide: that many samples with the same shares settle %j, a tenth less do not',
    (limit) => {
      const gate = { confidence: 0.95, ...limit };
      const { samplesToSettle } = judge(gate).checks[1]!;
      const settled = (sampleCount: number) =>
        judge(gate, classMeasurements(scale(COUNTS, sampleCount / 900))).checks[1]!.outcome !== 'inconclusive';
      expect(samplesToSettle).toBeGreaterThan(900);
      expect(settled(samplesToSettle! + 1)).toBe(true);
      expect(settled(samplesToSettle! * 0.9)).toBe(false);
    },
  );

  it('decide: a value on its limit is settled by no number of samples', () => {
    const check = judge({ confidence: 0.95, min: 801 / 900 }).checks[1]!;
    expect(check.outcome).toBe('inconclusive');
    expect(check.samplesToSettle).toBeUndefined();
  });

  it('decide: models that never differ are inconclusive against no drop at all, for ever', () => {
    const same = { both: 800, onlyFloat: 0, onlyArtifact: 0, neither: 100 };
    const check = judge({ confidence: 0.95, maxDrop: 0 }, classMeasurements(same)).checks[1]!;
    expect(check).toMatchObject({ outcome: 'inconclusive', measured: 0 });
    expect(check.samplesToSettle).toBeUndefined();
  });

  it('decide: a decided check asks for no more samples', () => {
    expect(judge({ confidence: 0.95, min: 0.5 }).checks[1]!.samplesToSettle).toBeUndefined();
  });
});
