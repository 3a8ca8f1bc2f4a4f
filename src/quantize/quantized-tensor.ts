import { type Granularity, scaleIndices, type WeightShape } from './granularity.ts';
import type { Grid } from './grid.ts';

/** The precision in which scales are stored. */
export type ScaleType = 'float16' | 'float32';

/** A weight on a grid: real value = scale × integer. */
export type QuantizedTensor = WeightShape & {
  readonly grid: Grid;
  /** Which weights share a scale; as `granularityOf` leaves it. */
  readonly granularity: Granularity;
  readonly scaleType: ScaleType;
  /** Row-major, shape `scaleDims`; positive, and exact in the precision they are stored in. */
  readonly scales: Float32Array;
  /** Integers on the grid, row-major, shape `dims`. */
  readonly values: Int8Array;
};

/** The real values, in float32 arithmetic as onnxruntime multiplies, row-major, shape `dims`. */
export function dequantize(tensor: QuantizedTensor): Float32Array {
  const { granularity, scales, values } = tensor;
  const scaleOf = scaleIndices(tensor, granularity);
  const reals = new Float32Array(values.length);
  for (let index = 0; index < reals.length; index++) reals[index] = values[index]! * scales[scaleOf[index]!]!;
  return reals;
}
