import type { Grid } from './grid.ts';
import { roundHalfEven } from './round-half-even.ts';

/** Clipping ratios tried: 0.2, 0.2125 … 1.3 of the scale that just holds the largest magnitude; 1 is among them. */
const SMALLEST_RATIO = 0.2;
const RATIO_STEP = 0.0125;
const RATIO_COUNT = 89;

/**
 * The scale with the least squared rounding error over a channel, by search over a grid of clipping ratios.
 *
 * @param values the channel's weights, shape [elementCount]
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

/** The smallest normal float32: below it a stored scale loses precision. */
const MIN_POSITIVE_NORMAL = 2 ** -126;

/** Σ (w − scale · round(w / scale))², clipped to the grid; gives up beyond `limit`, when the sum no longer matters. */
function squaredError(values: Float32Array, scale: number, grid: Grid, limit: number): number {
  const { quantMin, quantMax } = grid;
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
