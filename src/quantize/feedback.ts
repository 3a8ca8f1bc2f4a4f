/**
 * Rounding with error feedback: weights are rounded input after input, and the error of those that are rounded is handed on to
 * those that are still to come, by the correlation of their inputs.
 */

import { BLOCK_SIZE } from './factorise.ts';
import type { Grid } from './grid.ts';
import { copyBlock, type MultiplyMatrices } from './matrix-product.ts';
import { nearestLevel } from './round-to-nearest.ts';
import { inputOffsets, outputOffset, type WeightLayout } from './weight-layout.ts';

export type Feedback = {
  /** Inputs in the reverse of the order in which they are rounded, shape [inputCount]. */
  readonly order: Uint32Array;
  /**
   * The weight at position p of that order is rounded as w_p + Σ_{q > p} rows[p, q] · (w_q − rounded w_q). Shape [inputCount,
   * inputCount]; only the part above the diagonal is read.
   */
  readonly rows: Float64Array;
};

/** A tensor that is being quantized. */
export type Rounding = {
  readonly weights: Float32Array;
  readonly grid: Grid;
  readonly scales: Float32Array;
  /** The index of each weight's scale. */
  readonly scaleOf: Uint32Array;
  /** The integers; filled. */
  readonly values: Int8Array;
};

/** Round the weights of one group. All output channels are rounded side by side: they do not depend on each other. */
export async function roundWithFeedback(
  rounding: Rounding,
  layout: WeightLayout,
  group: number,
  feedback: Feedback,
  multiply: MultiplyMatrices,
): Promise<void> {
  const { inputCount: size, outputCount } = layout;
  const elements = elementsByPosition(layout, group, feedback.order);
  const errors = new Float64Array(size * outputCount);
  for (let end = size; end > 0; end -= BLOCK_SIZE) {
    const start = Math.max(0, end - BLOCK_SIZE);
    const wanted = await handedOn(feedback.rows, errors, size, outputCount, start, end, multiply);
    for (let position = end - 1; position >= start; position--) {
      const own = elements.subarray(position * outputCount, (position + 1) * outputCount);
      const target = wanted.subarray((position - start) * outputCount);
      const error = errors.subarray(position * outputCount);
      roundPosition(rounding, own, target, error);
      for (let row = start; row < position; row++) {
        addScaled(wanted, (row - start) * outputCount, feedback.rows[row * size + position]!, error, outputCount);
      }
    }
  }
}

/** Which element of the weight belongs to each position and output channel, shape [inputCount, outputCount]. */
function elementsByPosition(layout: WeightLayout, group: number, order: Uint32Array): Uint32Array {
  const offsets = inputOffsets(layout);
  const elements = new Uint32Array(order.length * layout.outputCount);
  for (let output = 0; output < layout.outputCount; output++) {
    const start = outputOffset(layout, group, output);
    for (const [position, input] of order.entries()) {
      elements[position * layout.outputCount + output] = start + offsets[input]!;
    }
  }
  return elements;
}

/** What a block's weights are handed by the positions behind it, shape [blockSize, outputCount]. */
async function handedOn(
  rows: Float64Array,
  errors: Float64Array,
  size: number,
  outputCount: number,
  start: number,
  end: number,
  multiply: MultiplyMatrices,
): Promise<Float64Array> {
  if (end === size) return new Float64Array((end - start) * outputCount);
  const behind = { values: errors.subarray(end * outputCount), rowCount: size - end, columnCount: outputCount };
  return multiply(copyBlock(rows, size, { start, end }, { start: end, end: size }), behind);
}

/**
 * Round one position of all output channels.
 *
 * @param elements shape [outputCount]
 * @param handed what the weights have been handed so far, shape [outputCount, …]
 * @param error what they hand on; filled
 */
function roundPosition(
  { weights, grid, scales, scaleOf, values }: Rounding,
  elements: Uint32Array,
  handed: Float64Array,
  error: Float64Array,
): void {
  for (let output = 0; output < elements.length; output++) {
    const element = elements[output]!;
    const scale = scales[scaleOf[element]!]!;
    const weight = weights[element]!;
    const level = nearestLevel((weight + handed[output]!) / scale, grid);
    values[element] = level;
    error[output] = weight - level * scale;
  }
}

function addScaled(target: Float64Array, start: number, factor: number, source: Float64Array, count: number): void {
  for (let index = 0; index < count; index++) target[start + index]! += factor * source[index]!;
}
