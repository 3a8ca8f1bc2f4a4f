/** Ranges of activations and their asymmetric eight-bit grids (QuantizeLinear of the ONNX specification). */

import { roundHalfEven } from './round-half-even.ts';

/** What a value takes on; zero lies in every range once it is quantized. */
export type ActivationRange = { readonly min: number; readonly max: number };

/** real = scale · (level − zeroPoint), levels 0 … 255. */
export type ActivationGrid = { readonly scale: number; readonly zeroPoint: number };

/** How many samples fell where, in bins of equal width from `min` to `max`; counts may be fractional. */
export type Histogram = ActivationRange & { readonly counts: Float64Array };

/** How a range is chosen from what was seen. */
export type RangeMethod =
  | { readonly kind: 'min-max' }
  /** The part of the values, 0 to 100, that lies below the upper and above the lower end. */
  | { readonly kind: 'percentile'; readonly percentile: number }
  /** The least squared error of quantizing. */
  | { readonly kind: 'mse' };

const LARGEST_LEVEL = 255;

/** The smallest normal float32: a scale below it would lose precision, and a range so narrow is a constant zero. */
const SMALLEST_SCALE = 2 ** -126;

/** The uint8 grid of a range widened to hold zero, which is on the grid exactly, so that padding and ReLU stay exact. */
export function activationGrid({ min, max }: ActivationRange): ActivationGrid {
  const lower = Math.min(min, 0);
  const upper = Math.max(max, 0);
  const scale = Math.fround((upper - lower) / LARGEST_LEVEL);
  if (scale < SMALLEST_SCALE) return { scale: 1, zeroPoint: 0 };
  return { scale, zeroPoint: Math.min(LARGEST_LEVEL, Math.round((0 - lower) / scale)) };
}

/** @throws RangeError if a percentile is not above 50 and at most 100 */
export function chooseRange(histogram: Histogram, method: RangeMethod): ActivationRange {
  if (method.kind === 'min-max') return { min: histogram.min, max: histogram.max };
  return method.kind === 'mse' ? leastErrorRange(histogram) : percentileRange(histogram, method.percentile);
}

function percentileRange({ min, max, counts }: Histogram, percentile: number): ActivationRange {
  if (!(percentile > 50 && percentile <= 100)) throw new RangeError(`no range of percentile ${percentile}`);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const beyond = total * (1 - percentile / 100);
  const width = (max - min) / counts.length;
  const lower = binBeyond(counts, beyond);
  const upper = binBeyond(counts.toReversed(), beyond);
  return { min: min + lower * width, max: max - upper * width };
}

/** How many bins from the first on hold no more than `limit` together. */
function binBeyond(counts: Float64Array, limit: number): number {
  let sum = 0;
  const bin = counts.findIndex((count) => {
    sum += count;
    return sum > limit;
  });
  return Math.max(bin, 0);
}

/** Shares of each end that are tried: 0.3, 0.31 … 1. */
const SMALLEST_SHARE = 0.3;
const SHARE_STEP = 0.01;
const SHARE_COUNT = 71;

/** Shrink one end and then the other, twice, to where the squared error is least. */
function leastErrorRange(histogram: Histogram): ActivationRange {
  let best: ActivationRange = { min: histogram.min, max: histogram.max };
  for (let round = 0; round < 2; round++) {
    best = bestOf(
      histogram,
      sharesOf(histogram.max).map((max) => ({ min: best.min, max })),
    );
    best = bestOf(
      histogram,
      sharesOf(histogram.min).map((min) => ({ min, max: best.max })),
    );
  }
  return best;
}

/** The end itself first, so that it wins ties. */
function sharesOf(end: number): number[] {
  const shares = Array.from({ length: SHARE_COUNT }, (_, step) => end * (SMALLEST_SHARE + step * SHARE_STEP));
  return [end, ...shares.reverse()];
}

function bestOf(histogram: Histogram, ranges: readonly ActivationRange[]): ActivationRange {
  const errors = ranges.map((range) => quantizationError(histogram, range));
  return ranges[errors.indexOf(Math.min(...errors))]!;
}

/** Σ count · (x − quantized x)², with every value of a bin taken to be in its middle. */
export function quantizationError({ min, max, counts }: Histogram, range: ActivationRange): number {
  const { scale, zeroPoint } = activationGrid(range);
  const width = (max - min) / counts.length;
  let sum = 0;
  for (const [bin, count] of counts.entries()) {
    if (count === 0) continue;
    const value = min + (bin + 0.5) * width;
    const level = Math.min(LARGEST_LEVEL, Math.max(0, roundHalfEven(value / scale) + zeroPoint));
    const difference = value - scale * (level - zeroPoint);
    sum += count * difference * difference;
  }
  return sum;
}
