import { decodeFloat16, encodeFloat16 } from '../float16.ts';
import { type Grid, signedGrid } from './grid.ts';
import { type ChannelView, channelView, type QuantizedTensor, type ScaleType } from './quantized-tensor.ts';
import { roundHalfEven } from './round-half-even.ts';
import { searchScale } from './scale-search.ts';

/** A float weight as the quantizers take it. */
export type FloatWeight = {
  /** Row-major, shape `dims`. */
  readonly values: Float32Array;
  readonly dims: readonly number[];
  readonly channelAxis: number;
};

/**
 * Round a weight to the nearest point of a symmetric grid, with one scale per output channel found by squared error.
 *
 * Scales are rounded to the precision they are stored in before the weights are, so that the artifact computes with exactly
 * the weights that were measured.
 */
export function quantizeToNearest(weight: FloatWeight, bitWidth: number): QuantizedTensor {
  const grid = signedGrid(bitWidth);
  const view = channelView(weight.dims, weight.channelAxis);
  const searched = Float32Array.from({ length: view.channelCount }, (_, channel) =>
    searchScale(channelValues(weight.values, view, channel), grid),
  );
  const { scaleType, scales } = storedScales(searched);
  const values = roundToGrid(weight.values, view, scales, grid);
  return { grid, dims: weight.dims, channelAxis: weight.channelAxis, scaleType, scales, values };
}

/** The normal range of IEEE 754 binary16, where a scale keeps eleven significant bits. */
const SMALLEST_HALF = 2 ** -14;
const LARGEST_HALF = 65504;

/** Half precision when every scale is in its normal range: two bytes less per channel, and no effect on the error. */
function storedScales(scales: Float32Array): { scaleType: ScaleType; scales: Float32Array } {
  const fitsHalf = scales.every((scale) => scale >= SMALLEST_HALF && scale <= LARGEST_HALF);
  if (!fitsHalf) return { scaleType: 'float32', scales };
  return { scaleType: 'float16', scales: scales.map((scale) => decodeFloat16(encodeFloat16(scale))) };
}

/** The weights of one output channel, in storage order. */
function channelValues(values: Float32Array, { channelCount, innerCount }: ChannelView, channel: number): Float32Array {
  const outerCount = values.length / (channelCount * innerCount);
  const gathered = new Float32Array(outerCount * innerCount);
  for (let outer = 0; outer < outerCount; outer++) {
    const start = (outer * channelCount + channel) * innerCount;
    gathered.set(values.subarray(start, start + innerCount), outer * innerCount);
  }
  return gathered;
}

function roundToGrid(values: Float32Array, view: ChannelView, scales: Float32Array, grid: Grid): Int8Array {
  return Int8Array.from(values, (value, index) => {
    const scale = scales[Math.floor(index / view.innerCount) % view.channelCount]!;
    return Math.min(grid.quantMax, Math.max(grid.quantMin, roundHalfEven(value / scale)));
  });
}
