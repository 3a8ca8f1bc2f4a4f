/** Measurements held against limits. Pure; every check is made, whatever the others say. */
import type { GateConfig, Limits } from '../config/config.ts';
import type { Measurements } from '../evaluate/measurements.ts';
import { bootstrapEstimate } from './bootstrap-estimate.ts';
import type { Estimate } from './estimate.ts';
import { criticalValue } from './normal.ts';
import { tangoEstimate } from './tango-estimate.ts';
import type { Check, Outcome, Verdict } from './verdict.ts';
import { wilsonEstimate } from './wilson-estimate.ts';

export type DecisionInput = {
  readonly gate: GateConfig;
  /** Absent where the config has none, and where it is in bits that a file from elsewhere does not tell of. */
  readonly budget?: DecidedBudget;
  readonly artifactSizeBytes: number;
  /** Seeds the resamples behind an interval for kl. */
  readonly seed: number;
};

/** Bytes of the whole file, or bits of all quantizable weights together, of which a model has so many in the mean. */
export type DecidedBudget =
  | { readonly kind: 'file-bytes'; readonly limit: number }
  | {
      readonly kind: 'weight-bits';
      readonly limit: number;
      readonly effectiveBits: number;
      readonly weightCount: number;
    };

/** Worst first. */
const SEVERITY: readonly Outcome[] = ['fail', 'inconclusive', 'warn'];

export function decide(measurements: Measurements, input: DecisionInput): Verdict {
  const { gate, seed } = input;
  const estimates = gate.confidence === undefined ? undefined : estimate(measurements, gate.confidence, seed);
  const checks = listQuestions(measurements, input).map((question) =>
    answer(question, estimates, measurements.sampleCount),
  );
  const verdict = SEVERITY.find((outcome) => checks.some((check) => check.outcome === outcome)) ?? 'pass';
  return {
    verdict,
    passed: verdict === 'pass' || verdict === 'warn' || (verdict === 'inconclusive' && gate.inconclusive === 'warn'),
    checks,
    ...(estimates && { intervals: { quantized: estimates.quantized.interval, drop: estimates.drop.interval } }),
  };
}

/** A check before its outcome. */
type Question = Pick<Check, 'name' | 'measured' | 'limit' | 'unit' | 'bound' | 'limitName'> & {
  /** Which estimate there is of the measured value. */
  readonly subject?: keyof Estimates;
};

/** The limits that fail, the size first, then those that only warn. */
function listQuestions(measurements: Measurements, input: DecisionInput): readonly Question[] {
  const { gate, artifactSizeBytes } = input;
  const ask = (limits: Limits, prefix: '' | 'warn.') => askLimits(measurements, artifactSizeBytes, limits, prefix);
  return [...askBudget(input), ...ask(gate, ''), ...askFinite(measurements), ...ask(gate.warn, 'warn.')];
}

function askBudget({ budget, artifactSizeBytes }: DecisionInput): readonly Question[] {
  if (budget === undefined) return [];
  const question = { bound: 'at-most', limitName: 'size' } as const;
  if (budget.kind === 'file-bytes') {
    return [{ ...question, name: 'artifact size', measured: artifactSizeBytes, limit: budget.limit, unit: 'bytes' }];
  }
  const { limit, effectiveBits, weightCount } = budget;
  return [
    { ...question, name: 'mean width', measured: effectiveBits, limit: limit / weightCount, unit: 'bits per weight' },
  ];
}

/** Nothing is known of the outputs where a command reads them. */
function askFinite({ nonFiniteCount }: Measurements): readonly Question[] {
  if (nonFiniteCount === undefined) return [];
  return [{ name: 'non-finite outputs', measured: nonFiniteCount, limit: 0, unit: 'samples', bound: 'at-most' }];
}

const UNITS = { top1: 'ratio', top5: 'ratio', kl: 'nats', command: 'none' } as const;

function askLimits(
  { metric, quantized, drop }: Measurements,
  artifactSizeBytes: number,
  limits: Limits,
  prefix: '' | 'warn.',
): readonly Question[] {
  const unit = UNITS[metric];
  const size = { name: 'artifact size', measured: artifactSizeBytes, unit: 'bytes' } as const;
  const value = { name: metric, measured: quantized, unit, subject: 'quantized' } as const;
  const loss = { name: `${metric} drop`, measured: drop, unit, subject: 'drop' } as const;
  const questions = [
    { ...size, bound: 'at-most', limit: limits.maxSizeBytes, limitName: `${prefix}max-size` },
    { ...value, bound: 'at-least', limit: limits.min, limitName: `${prefix}min` },
    { ...value, bound: 'at-most', limit: limits.max, limitName: `${prefix}max` },
    { ...loss, bound: 'at-most', limit: limits.maxDrop, limitName: `${prefix}max-drop` },
  ] as const;
  return questions.flatMap(({ limit, ...question }) => (limit === undefined ? [] : [{ ...question, limit }]));
}

type Estimates = { readonly quantized: Estimate; readonly drop: Estimate };

/** @throws Error if there is nothing to estimate from: a command that tells of no samples is refused before it comes here */
function estimate(measurements: Measurements, confidence: number, seed: number): Estimates {
  const { pairedCounts, pairedValues, divergences } = measurements;
  if (pairedCounts !== undefined) {
    const { both, onlyFloat, onlyArtifact, neither } = pairedCounts;
    return {
      quantized: wilsonEstimate(both + onlyArtifact, both + onlyFloat + onlyArtifact + neither, confidence),
      drop: tangoEstimate(pairedCounts, confidence),
    };
  }
  if (pairedValues !== undefined) {
    const ofMean = (values: Float64Array) => bootstrapEstimate(values, confidence, seed, Number.NEGATIVE_INFINITY);
    return { quantized: ofMean(pairedValues.quantized), drop: ofMean(pairedValues.drop) };
  }
  if (divergences === undefined) throw new Error('there are no samples to estimate from');
  const divergence = bootstrapEstimate(divergences, confidence, seed);
  return { quantized: divergence, drop: divergence };
}

function answer(question: Question, estimates: Estimates | undefined, sampleCount = Number.NaN): Check {
  const { subject, ...rest } = question;
  const found = subject && estimates?.[subject];
  const outcome = outcomeOf(question, found);
  const samplesToSettle = outcome === 'inconclusive' ? settle(found!, question.limit, sampleCount) : undefined;
  return {
    ...rest,
    outcome,
    passed: outcome === 'pass',
    ...(found && { interval: found.interval }),
    ...(samplesToSettle === undefined ? {} : { samplesToSettle }),
  };
}

/** NaN keeps no limit. Limits that only warn are held against the measured value itself, so that few samples warn of nothing. */
function outcomeOf({ measured, limit, bound, limitName }: Question, found: Estimate | undefined): Outcome {
  const keeps = (value: number) => (bound === 'at-least' ? value >= limit : value <= limit);
  if (Number.isNaN(measured)) return 'fail';
  if (limitName?.startsWith('warn.')) return keeps(measured) ? 'pass' : 'warn';
  const { lower, upper } = found?.interval ?? { lower: measured, upper: measured };
  if (keeps(lower) && keeps(upper)) return 'pass';
  return keeps(lower) || keeps(upper) ? 'inconclusive' : 'fail';
}

/** The score of a limit grows with the root of the sample count while the shares stay as they are. */
function settle({ interval, scoreAt }: Estimate, limit: number, sampleCount: number): number | undefined {
  const count = Math.ceil(sampleCount * (criticalValue(interval.confidence) / scoreAt(limit)) ** 2);
  return Number.isSafeInteger(count) ? Math.max(count, sampleCount + 1) : undefined;
}
