import { decodeFloat16, encodeFloat16 } from '../float16.ts';
import type { ScaleType } from './quantized-tensor.ts';

/** The normal range of IEEE 754 binary16, where a scale keeps eleven significant bits. */
const SMALLEST_HALF = 2 ** -14;
const LARGEST_HALF = 65504;

/**
 * Round scales to the precision they are stored in: half when every scale is in its normal range, which saves two bytes per
 * scale and has no effect on the error. Weights are rounded after this, so that the artifact computes with exactly the
 * weights that were measured.
 */
export function storedScales(scales: Float32Array): { scaleType: ScaleType; scales: Float32Array } {
  const fitsHalf = scales.every((scale) => scale >= SMALLEST_HALF && scale <= LARGEST_HALF);
  if (!fitsHalf) return { scaleType: 'float32', scales };
  return { scaleType: 'float16', scales: scales.map((scale) => decodeFloat16(encodeFloat16(scale))) };
}
