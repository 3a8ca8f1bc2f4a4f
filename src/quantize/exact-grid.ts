/** Weights that lie on a grid already, as quantization-aware training leaves them: found, so that nothing is rounded twice. */
import { decodeFloat16, encodeFloat16 } from '../float16.ts';
import { elementCount } from '../tensor.ts';
import type { FloatWeight } from './float-weight.ts';
import { type Granularity, granularityOf, scaleDims, scaleIndices } from './granularity.ts';
import { type Grid, signedGrid } from './grid.ts';
import type { QuantizedTensor, ScaleType } from './quantized-tensor.ts';
import { nearestLevel } from './round-to-nearest.ts';
import { groupByScale, pickValues } from './scale-search.ts';

/**
 * The weight on a grid of `bitWidth` bits without any error: every number is integer · scale, to the last bit, as the artifact's
 * decoder computes it (a negative zero counts as zero).
 *
 * @param storage the precision that the decoded weight is stored in: that of the float weight
 * @returns undefined if some weights that share a scale are on no such grid
 */
export function findExactGrid(
  weight: FloatWeight,
  bitWidth: number,
  wanted: Granularity,
  storage: ScaleType,
): QuantizedTensor | undefined {
  const { dims, channelAxis } = weight;
  const grid = signedGrid(bitWidth);
  const granularity = granularityOf(weight, wanted);
  const scaleOf = scaleIndices(weight, granularity);
  const scales = new Float32Array(elementCount(scaleDims(weight, granularity)));
  const { order, starts } = groupByScale(scaleOf, scales.length);
  for (let scale = 0; scale < scales.length; scale++) {
    const found = exactScale(
      pickValues(weight.values, order.subarray(starts[scale], starts[scale + 1])),
      grid,
      storage,
    );
    if (found === undefined) return undefined;
    scales[scale] = found;
  }
  const values = new Int8Array(weight.values.length);
  for (let index = 0; index < values.length; index++) {
    values[index] = nearestLevel(weight.values[index]! / scales[scaleOf[index]!]!, grid);
  }
  const scaleType = scales.every(isHalf) ? 'float16' : 'float32';
  return { grid, dims, channelAxis, granularity, scaleType, scales, values };
}

/**
 * A scale of which all values are exact multiples, the coarsest there is; 1 for zeros.
 *
 * The largest magnitude is some level of the grid times the scale: that gives the scale but for rounding, and so the levels of
 * all others. Each of them then bounds the scale by the numbers that round to it.
 */
function exactScale(values: Float32Array, grid: Grid, storage: ScaleType): number | undefined {
  const largest = values.reduce((maximum, value) => Math.max(maximum, Math.abs(value)), 0);
  if (largest === 0) return 1;
  for (let level = 1; level <= -grid.quantMin; level++) {
    const middle = middleScale(values, largest / level, grid, storage);
    if (middle === undefined) continue;
    const near = Math.fround(middle);
    const tried = [decodeFloat16(encodeFloat16(near)), near, floatBeside(near, 1), floatBeside(near, -1)];
    const scale = tried.find((each) => isExact(values, each, grid, storage));
    if (scale !== undefined) return scale;
  }
  return undefined;
}

/** In the middle of the scales that give all values at the levels that `near` gives them; undefined if there are none. */
function middleScale(values: Float32Array, near: number, grid: Grid, storage: ScaleType): number | undefined {
  let [lower, upper] = [0, Number.POSITIVE_INFINITY];
  for (const value of values) {
    const level = Math.abs(nearestLevel(value / near, grid));
    if (level === 0 && value === 0) continue;
    if (level === 0) return undefined;
    const magnitude = Math.abs(value);
    const beside = storage === 'float16' ? halfBeside : floatBeside;
    lower = Math.max(lower, (magnitude + beside(magnitude, -1)) / 2 / level);
    upper = Math.min(upper, (magnitude + beside(magnitude, 1)) / 2 / level);
    if (lower > upper) return undefined;
  }
  return (lower + upper) / 2;
}

function isExact(values: Float32Array, scale: number, grid: Grid, storage: ScaleType): boolean {
  return values.every((value) => {
    const decoded = Math.fround(nearestLevel(value / scale, grid) * scale);
    return value === (storage === 'float16' ? decodeFloat16(encodeFloat16(decoded)) : decoded);
  });
}

/** The float32 one step above a positive one, or below. */
function floatBeside(value: number, step: 1 | -1): number {
  const floats = Float32Array.of(value);
  new Int32Array(floats.buffer)[0]! += step;
  return floats[0]!;
}

/** The same among numbers of half precision. */
function halfBeside(value: number, step: 1 | -1): number {
  return decodeFloat16(encodeFloat16(value) + step);
}

function isHalf(scale: number): boolean {
  return decodeFloat16(encodeFloat16(scale)) === scale;
}
