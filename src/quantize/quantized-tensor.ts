import { elementCount } from '../tensor.ts';
import type { Grid } from './grid.ts';

/** The precision in which scales are stored. */
export type ScaleType = 'float16' | 'float32';

/** A weight on a grid: real value = scale of its output channel × integer. */
export type QuantizedTensor = {
  readonly grid: Grid;
  readonly dims: readonly number[];
  /** The axis of `dims` that has one scale per index. */
  readonly channelAxis: number;
  readonly scaleType: ScaleType;
  /** Shape [dims[channelAxis]]; positive, and exact in the precision they are stored in. */
  readonly scales: Float32Array;
  /** Integers on the grid, row-major, shape `dims`. */
  readonly values: Int8Array;
};

/** Which channel an element belongs to: element i is of channel floor(i / innerCount) mod channelCount. */
export type ChannelView = { readonly channelCount: number; readonly innerCount: number };

export function channelView(dims: readonly number[], channelAxis: number): ChannelView {
  return { channelCount: dims[channelAxis] ?? 1, innerCount: elementCount(dims.slice(channelAxis + 1)) };
}

/** The real values, in float32 arithmetic as onnxruntime multiplies, row-major, shape `dims`. */
export function dequantize({ dims, channelAxis, scales, values }: QuantizedTensor): Float32Array {
  const { channelCount, innerCount } = channelView(dims, channelAxis);
  return Float32Array.from(values, (value, index) => value * scales[Math.floor(index / innerCount) % channelCount]!);
}
