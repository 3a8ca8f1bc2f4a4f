import type { WeightShape } from './granularity.ts';

/** A float weight as the quantizers take it. */
export type FloatWeight = WeightShape & {
  /** Row-major, shape `dims`. */
  readonly values: Float32Array;
};
