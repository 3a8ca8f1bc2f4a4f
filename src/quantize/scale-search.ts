import { elementCount } from '../tensor.ts';
import type { FloatWeight } from './float-weight.ts';
import { type Granularity, scaleDims, scaleIndices } from './granularity.ts';
import type { Grid } from './grid.ts';
import { roundHalfEven } from './round-half-even.ts';

/** Clipping ratios tried: 0.2, 0.2125 … 1.3 of the scale that just holds the largest magnitude; 1 is among them. */
const SMALLEST_RATIO = 0.2;
const RATIO_STEP = 0.0125;
const RATIO_COUNT = 89;

/** The smallest normal float32: below it a stored scale loses precision. */
const MIN_POSITIVE_NORMAL = 2 ** -126;

/** The best scale for every set of weights that share one, shape `scaleDims`. */
export function searchScales(weight: FloatWeight, granularity: Granularity, grid: Grid): Float32Array {
  const scaleOf = scaleIndices(weight, granularity);
  const scaleCount = elementCount(scaleDims(weight, granularity));
  const { order, starts } = groupByScale(scaleOf, scaleCount);
  return Float32Array.from({ length: scaleCount }, (_, scale) => {
    return searchScale(pickValues(weight.values, order.subarray(starts[scale], starts[scale + 1])), grid);
  });
}

export function pickValues(values: Float32Array, indices: Uint32Array): Float32Array {
  const picked = new Float32Array(indices.length);
  for (let index = 0; index < picked.length; index++) picked[index] = values[indices[index]!]!;
  return picked;
}

/** The elements in the order of their scales; those of scale s are order[starts[s] … starts[s + 1]]. */
export function groupByScale(scaleOf: Uint32Array, scaleCount: number): { order: Uint32Array; starts: Uint32Array } {
  const starts = new Uint32Array(scaleCount + 1);
  for (const scale of scaleOf) starts[scale + 1]!++;
  for (let scale = 0; scale < scaleCount; scale++) starts[scale + 1]! += starts[scale]!;
  const next = starts.slice();
  const order = new Uint32Array(scaleOf.length);
  for (let index = 0; index < scaleOf.length; index++) order[next[scaleOf[index]!]!++] = index;
  return { order, starts };
}

/**
 * The scale with the least squared rounding error over some weights, by search over a grid of clipping ratios.
 *
 * @param values shape [elementCount]
 * @returns a positive scale, or 1 when every value is zero
 */
export function searchScale(values: Float32Array, grid: Grid): number {
  const largest = values.reduce((maximum, value) => Math.max(maximum, Math.abs(value)), 0);
  // A largest value so small that a scale underflows rounds to zero like zeros do.
  const fullScale = Math.fround(largest / Math.max(grid.quantMax, 1));
  if (fullScale * SMALLEST_RATIO < MIN_POSITIVE_NORMAL) return 1;
  let bestScale = fullScale;
  let bestError = Number.POSITIVE_INFINITY;
  for (let step = 0; step < RATIO_COUNT; step++) {
    const scale = fullScale * (SMALLEST_RATIO + step * RATIO_STEP);
    const error = squaredError(values, scale, grid, bestError);
    if (error < bestError) {
      bestError = error;
      bestScale = scale;
    }
  }
  return bestScale;
}

/** Σ (w − scale · round(w / scale))², clipped to the grid; gives up beyond `limit`, when the sum no longer matters. */
function squaredError(values: Float32Array, scale: number, { quantMin, quantMax }: Grid, limit: number): number {
  const inverse = 1 / scale;
  let sum = 0;
  for (let index = 0; index < values.length && sum < limit; index++) {
    const value = values[index]!;
    const rounded = roundHalfEven(value * inverse);
    const level = rounded < quantMin ? quantMin : rounded > quantMax ? quantMax : rounded;
    const difference = value - level * scale;
    sum += difference * difference;
  }
  return sum;
}
