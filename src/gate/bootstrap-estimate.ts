/**
 * The bias-corrected and accelerated bootstrap interval (BCa) for a mean of skewed values (B. Efron, JASA 82:171, 1987;
 * Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, section 14.3).
 */
import { seededRandom } from '../random.ts';
import type { Estimate } from './estimate.ts';
import { criticalValue, normalCdf, normalQuantile } from './normal.ts';

/** Skew moves the upper end far out, so it takes as many resamples as these draws allow: about half a second. */
const DRAWS = 10_000_000;
const MAX_RESAMPLES = 50_000;
/** Section 14.3 asks for no fewer. */
const MIN_RESAMPLES = 1_000;

/** Fewer values resample to too few different means to say anything. */
const MIN_VALUES = 10;

/**
 * The mean of `values` from resamples that depend on the seed alone.
 *
 * @param least what no value can be less than
 */
export function bootstrapEstimate(values: Float64Array, confidence: number, seed: number, least = 0): Estimate {
  const mean = meanOf(values);
  const [lower, upper] = findEnds(values, mean, confidence, seed, least);
  const z = criticalValue(confidence);
  return {
    interval: { lower, upper, confidence, method: 'bootstrap' },
    // The reach to the limit's side stands for z standard errors.
    scoreAt: (limit) => (z * (mean - limit)) / (limit > mean ? upper - mean : mean - lower),
  };
}

function findEnds(
  values: Float64Array,
  mean: number,
  confidence: number,
  seed: number,
  least: number,
): readonly [number, number] {
  if (Number.isNaN(mean)) return [mean, mean];
  if (values.length < MIN_VALUES) return [least, Number.POSITIVE_INFINITY];
  const count = Math.max(MIN_RESAMPLES, Math.min(MAX_RESAMPLES, Math.floor(DRAWS / values.length)));
  const means = resampleMeans(values, count, seed).sort();
  const bias = normalQuantile(shareBelow(means, mean));
  const acceleration = accelerationOf(values, mean);
  const endAt = (z: number) => {
    const corrected = bias + (bias + z) / (1 - acceleration * (bias + z));
    return means[Math.min(means.length - 1, Math.floor(normalCdf(corrected) * means.length))]!;
  };
  const z = criticalValue(confidence);
  return [endAt(-z), endAt(z)];
}

function resampleMeans(values: Float64Array, count: number, seed: number): Float64Array {
  const random = seededRandom(seed);
  return Float64Array.from({ length: count }, () => {
    let sum = 0;
    for (let draw = 0; draw < values.length; draw++) sum += values[Math.floor(random() * values.length)]!;
    return sum / values.length;
  });
}

/** Equal ones count half, so that values without any spread have no bias. */
function shareBelow(means: Float64Array, mean: number): number {
  let count = 0;
  for (const other of means) count += other < mean ? 1 : other === mean ? 0.5 : 0;
  return count / means.length;
}

/** A sixth of the skewness of the mean, from the jackknife. */
function accelerationOf(values: Float64Array, mean: number): number {
  let [squares, cubes] = [0, 0];
  for (const value of values) {
    squares += (value - mean) ** 2;
    cubes += (value - mean) ** 3;
  }
  return squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
