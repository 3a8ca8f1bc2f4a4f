import { decodeFloat16, encodeFloat16 } from '../float16.ts';
import type { ScaleType } from './quantized-tensor.ts';

/**
 * Half precision from 2^-20, a subnormal number with four bits of its own: the rounded scale is within 1/32 of the wanted
 * one, a smaller step than a quantizer's choice of scale is certain by.
 */
const SMALLEST_HALF = 2 ** -20;
const LARGEST_HALF = 65504;

/** A channel whose scale is this part of the largest is dead (BatchNormalization leaves some with weights of 1e-13). */
const DEAD_RATIO = 2 ** -8;

/**
 * Round scales to the precision they are stored in: half where that does no harm, which saves two bytes per scale. The scales
 * of dead channels are raised to what half precision holds; their weights then move by less than 1/512 of the tensor's largest
 * step. Weights are rounded after this, so that the artifact computes with exactly the weights that were measured.
 */
export function storedScales(scales: Float32Array): { scaleType: ScaleType; scales: Float32Array } {
  const largest = scales.reduce((maximum, scale) => Math.max(maximum, scale), 0);
  const isDead = (scale: number) => scale < SMALLEST_HALF && SMALLEST_HALF <= largest * DEAD_RATIO;
  const fitsHalf = largest <= LARGEST_HALF && scales.every((scale) => scale >= SMALLEST_HALF || isDead(scale));
  if (!fitsHalf) return { scaleType: 'float32', scales };
  return {
    scaleType: 'float16',
    scales: scales.map((scale) => decodeFloat16(encodeFloat16(Math.max(scale, SMALLEST_HALF)))),
  };
}

/** A scale in a precision that is decided already; undefined when it does not hold the scale. */
export function storedScale(scale: number, scaleType: ScaleType): number | undefined {
  if (scaleType === 'float32') return Math.fround(scale) > 0 ? Math.fround(scale) : undefined;
  return scale >= SMALLEST_HALF && scale <= LARGEST_HALF ? decodeFloat16(encodeFloat16(scale)) : undefined;
}
