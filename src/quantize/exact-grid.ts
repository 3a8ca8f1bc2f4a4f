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

/** Further than rounding to half precision, twice, moves a product relatively, and nearer than half a level. */
const ROUGHLY = 2 ** -9;

/** Between numbers of half precision that are too small for all its digits (IEEE 754, binary16). */
const SMALLEST_HALF_STEP = 2 ** -24;

/** In the middle of the scales that give all values at the levels that `near` gives them; undefined if there are none. */
function middleScale(values: Float32Array, near: number, grid: Grid, storage: ScaleType): number | undefined {
  const beside = storage === 'float16' ? halfBeside : floatBeside;
  const smallestStep = storage === 'float16' ? SMALLEST_HALF_STEP : 0;
  let [lower, upper] = [0, Number.POSITIVE_INFINITY];
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    if (value === 0) continue;
    const level = Math.abs(nearestLevel(value / near, grid));
    const magnitude = Math.abs(value);
    // Most levels of the largest value end here, at one of the first of the others.
    if (Math.abs(magnitude - level * near) > ROUGHLY * magnitude + smallestStep) return undefined;
    lower = Math.max(lower, (magnitude + beside(magnitude, -1)) / 2 / level);
    upper = Math.min(upper, (magnitude + beside(magnitude, 1)) / 2 / level);
    if (lower > upper) return undefined;
  }
  return (lower + upper) / 2;
}

function isExact(values: Float32Array, scale: number, grid: Grid, storage: ScaleType): boolean {
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    const decoded = Math.fround(nearestLevel(value / scale, grid) * scale);
    if (value !== (storage === 'float16' ? decodeFloat16(encodeFloat16(decoded)) : decoded)) return false;
  }
  return true;
}

/** The float32 one step above a positive one, or below. */
function floatBeside(value: number, step: 1 | -1): number {
  FLOAT[0] = value;
  PATTERN[0]! += step;
  return FLOAT[0]!;
}

/** One number and its bits; made once, because this is asked of every weight. */
const FLOAT = new Float32Array(1);
const PATTERN = new Int32Array(FLOAT.buffer);

/** The same among numbers of half precision. */
function halfBeside(value: number, step: 1 | -1): number {
  return decodeFloat16(encodeFloat16(value) + step);
}

function isHalf(scale: number): boolean {
  return decodeFloat16(encodeFloat16(scale)) === scale;
}
