/** Class distributions in a model's output: the last axis holds classes, every other index is an item of its own. */
import { decodeFloat16Array } from './float16.ts';
import type { Tensor } from './tensor.ts';

/** Whether the numbers are logits, or probabilities already. */
export type DistributionKind = 'logits' | 'probabilities';

/** Rows may miss a sum of one by the rounding of half precision. */
const SUM_TOLERANCE = 2e-3;

/** Probabilities are recognised by their range and sum; anything else is read as logits. */
export function distributionKind(output: Tensor): DistributionKind {
  const values = floatsOf(output);
  const classCount = classCountOf(output);
  for (let start = 0; start < values.length; start += classCount) {
    let sum = 0;
    for (let index = start; index < start + classCount; index++) {
      const value = values[index]!;
      if (!(value >= 0 && value <= 1 + SUM_TOLERANCE)) return 'logits';
      sum += value;
    }
    if (Math.abs(sum - 1) > SUM_TOLERANCE) return 'logits';
  }
  return 'probabilities';
}

export function classCountOf({ dims }: Tensor): number {
  return dims.at(-1) ?? 1;
}

/** The numbers of a float output without a copy where they are float32; throws for an output that is no float tensor. */
export function floatsOf({ elementType, data }: Tensor): Float32Array | Float64Array {
  if (data instanceof Float32Array || data instanceof Float64Array) return data;
  if (elementType === 'float16') return decodeFloat16Array(data as Uint16Array);
  throw new TypeError(`an output of ${elementType} holds no distribution`);
}

/** A probability of zero stands for a logarithm of this: the smallest normal float32. */
const SMALLEST_PROBABILITY = 2 ** -126;

/**
 * Natural logarithms of the probabilities, the softmax taken where the output has logits.
 *
 * @returns shape [itemCount, classCount], NaN where the output is
 */
export function logProbabilities(output: Tensor, kind: DistributionKind): Float64Array {
  const logs = Float64Array.from(floatsOf(output));
  if (kind === 'probabilities') return logs.map((value) => Math.log(Math.max(value, SMALLEST_PROBABILITY)));
  const classCount = classCountOf(output);
  for (let start = 0; start < logs.length; start += classCount) {
    const row = logs.subarray(start, start + classCount);
    let largest = Number.NEGATIVE_INFINITY;
    for (const value of row) largest = Math.max(largest, value);
    let sum = 0;
    for (const value of row) sum += Math.exp(value - largest);
    const logSum = Math.log(sum);
    // In this order, because the difference of two float32 numbers loses nothing.
    for (let index = 0; index < classCount; index++) row[index] = row[index]! - largest - logSum;
  }
  return logs;
}

/** KL(p ‖ q) of one item in nats, from logarithms of both; NaN when either is NaN. */
export function divergence(logP: Float64Array, logQ: Float64Array, start: number, classCount: number): number {
  let sum = 0;
  for (let index = start; index < start + classCount; index++) {
    const log = logP[index]!;
    // A class that cannot be (a logit of −∞) adds nothing, the limit of p · ln p; 0 · ∞ would be NaN.
    sum += log === Number.NEGATIVE_INFINITY && !Number.isNaN(logQ[index]!) ? 0 : Math.exp(log) * (log - logQ[index]!);
  }
  return sum;
}
