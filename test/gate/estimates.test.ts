import { describe, expect, it } from 'vitest';
import type { PairedCounts } from '../../src/evaluate/measurements.ts';
import { bootstrapEstimate } from '../../src/gate/bootstrap-estimate.ts';
import { criticalValue, normalCdf, normalQuantile } from '../../src/gate/normal.ts';
import { tangoEstimate } from '../../src/gate/tango-estimate.ts';
import { wilsonEstimate } from '../../src/gate/wilson-estimate.ts';
import { seededRandom } from '../../src/random.ts';

describe('normal distribution', () => {
  it.each([
    [-6, 9.86587645e-10],
    [-3, 1.34989803e-3],
    [-1, 0.158655254],
    [0, 0.5],
    [0.5, 0.691462461],
    [2, 0.977249868],
    [40, 1],
    [-40, 0],
  ])('normalCdf: the tabulated value at %d', (z, probability) => {
    expect(normalCdf(z)).toBeCloseTo(probability, 9);
  });

  it.each([
    [0.5, 0],
    [0.75, 0.67448975],
    [0.9, 1.28155157],
    [0.975, 1.95996398],
    [0.025, -1.95996398],
    [0.99995, 3.89059189],
  ])('normalQuantile: the tabulated value at %d', (probability, z) => {
    expect(normalQuantile(probability)).toBeCloseTo(z, 7);
  });

  it('normalQuantile: the inverse of normalCdf, and an end for the impossible and the certain', () => {
    for (let z = -5; z <= 5; z += 0.37) expect(normalQuantile(normalCdf(z))).toBeCloseTo(z, 8);
    expect(normalQuantile(0)).toBeLessThanOrEqual(-7.9);
    expect(normalQuantile(1)).toBeGreaterThanOrEqual(7.9);
  });

  it('criticalValue: 95 % lie within 1.96 standard errors', () => {
    expect(criticalValue(0.95)).toBeCloseTo(1.959964, 6);
  });
});

/** Probability of `k` hits in `n`, from logarithms of factorials. */
function binomial(k: number, n: number, p: number): number {
  const logFactorial = (m: number) => Array.from({ length: m }, (_, i) => Math.log(i + 1)).reduce((a, b) => a + b, 0);
  const logChoose = logFactorial(n) - logFactorial(k) - logFactorial(n - k);
  return Math.exp(logChoose + k * Math.log(p) + (n - k) * Math.log(1 - p));
}

describe('wilsonEstimate', () => {
  // Newcombe, Statistics in Medicine 17:857 (1998), table I, method 3.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('wilsonEstimate: the published interval of %d in %d', (hits, samples, lower, upper) => {
    const { interval } = wilsonEstimate(hits, samples, 0.95);
    expect(interval).toMatchObject({ confidence: 0.95, method: 'wilson' });
    expect(interval.lower).toBeCloseTo(lower, 4);
    expect(interval.upper).toBeCloseTo(upper, 4);
  });

  it('wilsonEstimate: its ends are where the score is the critical value', () => {
    const { interval, scoreAt } = wilsonEstimate(776, 846, 0.9);
    expect(scoreAt(interval.lower)).toBeCloseTo(criticalValue(0.9), 9);
    expect(scoreAt(interval.upper)).toBeCloseTo(-criticalValue(0.9), 9);
  });

  it('wilsonEstimate: no hits and only hits end at nothing and at all, exactly', () => {
    expect(wilsonEstimate(0, 7, 0.95).interval.lower).toBe(0);
    expect(wilsonEstimate(7, 7, 0.95).interval.upper).toBe(1);
  });

  it('wilsonEstimate: over all possible outcomes the truth is inside about as often as promised', () => {
    const covered = [0.5, 0.8, 0.9].map((p) =>
      Array.from({ length: 101 }, (_, hits) => hits).reduce((sum, hits) => {
        const { lower, upper } = wilsonEstimate(hits, 100, 0.95).interval;
        return sum + (lower <= p && p <= upper ? binomial(hits, 100, p) : 0);
      }, 0),
    );
    for (const share of covered) {
      expect(share).toBeGreaterThan(0.93);
      expect(share).toBeLessThan(0.97);
    }
  });
});

function counts(onlyFloat: number, onlyArtifact: number, sampleCount: number): PairedCounts {
  return { both: sampleCount - onlyFloat - onlyArtifact, onlyFloat, onlyArtifact, neither: 0 };
}

describe('tangoEstimate', () => {
  // The first two: Fagerland, Lydersen and Laake, Statistics in Medicine 33:2850 (2014), tables of the worked examples;
  // the third: the R package PropCIs, scoreci.mp(25, 28, 618), which has the difference the other way round.
  it.each([
    [1, 7, 21, -0.517, -0.026, 3],
    [6, 16, 161, -0.124, -0.0054, 4],
    [28, 25, 618, -0.0188, 0.0287, 4],
  ])(
    'tangoEstimate: the published interval of %d and %d in %d',
    (onlyFloat, onlyArtifact, samples, lower, upper, digits) => {
      const { interval } = tangoEstimate(counts(onlyFloat, onlyArtifact, samples), 0.95);
      expect(interval).toMatchObject({ confidence: 0.95, method: 'tango' });
      expect(interval.lower).toBeCloseTo(lower, digits);
      expect(interval.upper).toBeCloseTo(upper, digits);
    },
  );

  it.each([
    [13, 3, 400],
    [2, 2, 30],
    [0, 5, 25],
    [31, 0, 40],
    [0, 0, 12],
  ])('tangoEstimate: of %d and %d in %d it holds just the differences that a scan finds', (b, c, n) => {
    const { interval, scoreAt } = tangoEstimate(counts(b, c, n), 0.95);
    const z = criticalValue(0.95);
    for (let step = -999; step <= 999; step++) {
      const difference = step / 1000;
      const isInside = interval.lower <= difference && difference <= interval.upper;
      // With no pair that differs, the score of no difference is 0/0.
      if (b + c + Math.abs(step) > 0) expect(isInside, `${difference}`).toBe(Math.abs(scoreAt(difference)) <= z);
    }
  });

  it('tangoEstimate: the score of no difference is the root of McNemar’s statistic', () => {
    expect(tangoEstimate(counts(13, 3, 400), 0.95).scoreAt(0)).toBeCloseTo(10 / Math.sqrt(16), 12);
    expect(tangoEstimate(counts(4, 9, 50), 0.95).scoreAt(0)).toBeCloseTo(-5 / Math.sqrt(13), 12);
  });

  it('tangoEstimate: models that never differ still leave room, the less the more samples', () => {
    const z = criticalValue(0.95);
    const { lower, upper } = tangoEstimate(counts(0, 0, 846), 0.95).interval;
    expect(upper).toBeCloseTo(z ** 2 / (846 + z ** 2), 9);
    expect(lower).toBeCloseTo(-upper, 12);
  });

  it('tangoEstimate: exchanging the models turns the interval round', () => {
    const { interval } = tangoEstimate(counts(13, 3, 400), 0.99);
    const turned = tangoEstimate(counts(3, 13, 400), 0.99).interval;
    expect(turned.lower).toBeCloseTo(-interval.upper, 12);
    expect(turned.upper).toBeCloseTo(-interval.lower, 12);
  });

  it('tangoEstimate: samples that all differ one way end at one', () => {
    expect(tangoEstimate(counts(20, 0, 20), 0.95).interval.upper).toBe(1);
    expect(tangoEstimate(counts(0, 20, 20), 0.95).interval.lower).toBe(-1);
  });

  it('tangoEstimate: over all possible tables the truth is inside about as often as promised', () => {
    const [p, q, n] = [0.1, 0.05, 60];
    let covered = 0;
    for (let b = 0; b <= n; b++) {
      for (let c = 0; c <= n - b; c++) {
        const probability = binomial(b, n, p) * binomial(c, n - b, q / (1 - p));
        if (probability < 1e-9) continue;
        const { lower, upper } = tangoEstimate(counts(b, c, n), 0.95).interval;
        if (lower <= p - q && p - q <= upper) covered += probability;
      }
    }
    expect(covered).toBeGreaterThan(0.93);
    expect(covered).toBeLessThan(0.97);
  });
});

/** 40 skewed divergences with one outlier. */
const SKEWED = Float64Array.of(
  ...[0.0377, 0.0106, 0.0001, 0.0001, 0.0076, 0.0669, 0.0062, 0.0206, 0.0125, 0.0208, 0.0021, 0.0559, 0.0101, 0.0017],
  ...[0.0379, 0.0009, 0.008, 0.0022, 0.0367, 0, 0.0003, 0.0054, 0.0064, 0.0125, 0.0275, 0.0213, 0.002, 0.0005, 0.0173],
  ...[0.0364, 0.0061, 0.0058, 0.0157, 0.2596, 0.0385, 0.0242, 0.0064, 0.0092, 0.004, 0],
);

describe('bootstrapEstimate', () => {
  // scipy.stats.bootstrap, method BCa, 400,000 resamples.
  it.each([
    [0.9, 0.01375, 0.04045],
    [0.95, 0.01298, 0.04616],
    [0.99, 0.01177, 0.05978],
  ])('bootstrapEstimate: scipy’s interval at %d, within what resampling varies', (confidence, lower, upper) => {
    const { interval } = bootstrapEstimate(SKEWED, confidence, 0);
    expect(interval).toMatchObject({ confidence, method: 'bootstrap' });
    expect(Math.abs(interval.lower - lower)).toBeLessThan(0.03 * (upper - lower));
    expect(Math.abs(interval.upper - upper)).toBeLessThan(0.06 * (upper - lower));
  });

  it('bootstrapEstimate: of many plain values it is the textbook interval of a mean', () => {
    const random = seededRandom(3);
    const values = Float64Array.from({ length: 2_000 }, random);
    const mean = values.reduce((sum, value) => sum + value, 0) / 2_000;
    const reach = 1.96 * Math.sqrt(1 / 12 / 2_000);
    const { lower, upper } = bootstrapEstimate(values, 0.95, 1).interval;
    expect(Math.abs(lower - (mean - reach))).toBeLessThan(0.1 * reach);
    expect(Math.abs(upper - (mean + reach))).toBeLessThan(0.1 * reach);
  });

  it('bootstrapEstimate: the same seed gives the same interval, another one another', () => {
    const intervalOf = (seed: number) => bootstrapEstimate(SKEWED, 0.95, seed).interval;
    expect(intervalOf(7)).toEqual(intervalOf(7));
    expect(intervalOf(7)).not.toEqual(intervalOf(8));
  });

  it('bootstrapEstimate: values without spread have an interval without width', () => {
    expect(bootstrapEstimate(new Float64Array(50).fill(0.1), 0.95, 0).interval).toMatchObject({
      lower: expect.closeTo(0.1, 12),
      upper: expect.closeTo(0.1, 12),
    });
  });

  it('bootstrapEstimate: fewer than ten values say nothing, not everything', () => {
    const { interval, scoreAt } = bootstrapEstimate(SKEWED.subarray(0, 9), 0.95, 0);
    expect(interval).toMatchObject({ lower: 0, upper: Number.POSITIVE_INFINITY });
    expect(Math.abs(scoreAt(1))).toBe(0);
  });

  it('bootstrapEstimate: the score reaches the critical value at the ends', () => {
    const { interval, scoreAt } = bootstrapEstimate(SKEWED, 0.95, 0);
    expect(scoreAt(interval.lower)).toBeCloseTo(criticalValue(0.95), 9);
    expect(scoreAt(interval.upper)).toBeCloseTo(-criticalValue(0.95), 9);
  });
});
