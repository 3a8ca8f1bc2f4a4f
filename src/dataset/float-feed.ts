/** Feeds of floats: computed in float32 or float64, handed over in the type that the input takes. */
import { encodeFloat16Array } from '../float16.ts';
import type { ElementType, Tensor } from '../tensor.ts';
import type { InputSpec } from './sample-set.ts';

export type FloatFeed = Float32Array | Float64Array;

type FloatElementType = Extract<ElementType, 'float16' | 'float32' | 'float64'>;

export type FloatInput = InputSpec & { readonly elementType: FloatElementType };

/** Largest finite number of each type (IEEE 754): 65504, (2 − 2^−23) · 2^127, (2 − 2^−52) · 2^1023. */
export const LARGEST_FINITE: Readonly<Record<FloatElementType, number>> = {
  float16: 65504,
  float32: (2 - 2 ** -23) * 2 ** 127,
  float64: Number.MAX_VALUE,
};

export function isFloatInput(input: InputSpec): input is FloatInput {
  return Object.hasOwn(LARGEST_FINITE, input.elementType);
}

export function allocateFeed({ elementType }: FloatInput, length: number): FloatFeed {
  return elementType === 'float64' ? new Float64Array(length) : new Float32Array(length);
}

/** @param values shape `dims` */
export function floatTensor({ elementType }: FloatInput, dims: readonly number[], values: FloatFeed): Tensor {
  const data = elementType === 'float16' ? encodeFloat16Array(values) : values;
  return { elementType, dims, data };
}
