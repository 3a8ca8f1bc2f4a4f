/**
 * The score interval for the difference of two proportions on the same samples (T. Tango, "Equivalence test and
 * confidence interval for the difference in proportions for the paired-sample design", Stat. Med. 17:891, 1998).
 */
import type { PairedCounts } from '../evaluate/measurements.ts';
import type { Estimate } from './estimate.ts';
import { criticalValue } from './normal.ts';

/** The drop from the float model to the artifact, as a difference of their shares: the limits Δ with |score(Δ)| ≤ z. */
export function tangoEstimate(counts: PairedCounts, confidence: number): Estimate {
  const scoreAt = (limit: number) => pairedScore(counts, limit);
  const drop = (counts.onlyFloat - counts.onlyArtifact) / countSamples(counts);
  const z = criticalValue(confidence);
  return {
    interval: {
      lower: bisect(-1, drop, (limit) => scoreAt(limit) > z),
      upper: bisect(drop, 1, (limit) => scoreAt(limit) > -z),
      confidence,
      method: 'tango',
    },
    scoreAt,
  };
}

/**
 * (b − c − nΔ) / √(n(2q + Δ(1 − Δ))), where b samples are right in the float model alone, c in the artifact alone, and q is
 * the probability of the latter that is most likely given Δ: the larger root of 2n·q² − (b + c − (2n − b + c)Δ)·q = cΔ(1 − Δ).
 * It falls with Δ, and at Δ = 0 its square is McNemar's statistic.
 */
function pairedScore(counts: PairedCounts, difference: number): number {
  const { onlyFloat: b, onlyArtifact: c } = counts;
  const n = countSamples(counts);
  const spread = difference * (1 - difference);
  const linear = b + c - (2 * n - b + c) * difference;
  const q = (linear + Math.sqrt(linear ** 2 + 8 * n * c * spread)) / (4 * n);
  return (b - c - n * difference) / Math.sqrt(n * (2 * q + spread));
}

function countSamples({ both, onlyFloat, onlyArtifact, neither }: PairedCounts): number {
  return both + onlyFloat + onlyArtifact + neither;
}

/** Where `isBefore` turns from true to false, to the last bit; NaN between ends that are. */
function bisect(low: number, high: number, isBefore: (value: number) => boolean): number {
  let [before, after] = [low, high];
  let middle = (before + after) / 2;
  while (before < middle && middle < after) {
    if (isBefore(middle)) before = middle;
    else after = middle;
    middle = (before + after) / 2;
  }
  return middle;
}
