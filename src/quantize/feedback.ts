/**
 * Rounding with error feedback: weights are rounded input after input, and the error of those that are rounded is handed on to
 * those that are still to come, by the correlation of their inputs.
 */

import type { Grid } from './grid.ts';
import { copyBlock, type Matrix, type MultiplyMatrices } from './matrix-product.ts';
import { nearestLevel } from './round-to-nearest.ts';
import { inputOffsets, outputOffset, type WeightLayout } from './weight-layout.ts';

/** How the errors of one group's weights are handed on. */
export type Feedback = {
  /** Inputs in the reverse of the order in which they are rounded, shape [inputCount]. */
  readonly order: Uint32Array;
  /** Of consecutive positions in that order, the first to be rounded first. */
  readonly blocks: readonly FeedbackBlock[];
};

/**
 * The weight at position p is rounded as w_p + Σ_{q > p} F[p, q] · (w_q − rounded w_q), with F in two parts: for positions q of
 * the same block, and behind it.
 */
export type FeedbackBlock = {
  readonly start: number;
  readonly end: number;
  /** Shape [end − start, end − start]; only what is above the diagonal is read. */
  readonly inside: Float64Array;
  /** Shape [end − start, inputCount − end]. */
  readonly behind: Matrix;
};

/** Weights that are rounded before the product with what is behind them: what is inside a block is left to loops. */
const BLOCK_SIZE = 64;

/** @param rows F, shape [order.length, order.length] */
export function blockFeedback(order: Uint32Array, rows: Float64Array): Feedback {
  const size = order.length;
  const blocks: FeedbackBlock[] = [];
  for (let end = size; end > 0; end -= BLOCK_SIZE) {
    const own = { start: Math.max(0, end - BLOCK_SIZE), end };
    const inside = copyBlock(rows, size, own, own).values;
    blocks.push({ ...own, inside, behind: copyBlock(rows, size, own, { start: end, end: size }) });
  }
  return { order, blocks };
}

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
  { order, blocks }: Feedback,
  multiply: MultiplyMatrices,
): Promise<void> {
  const { outputCount } = layout;
  const elements = elementsByPosition(layout, group, order);
  const errors = new Float64Array(order.length * outputCount);
  for (const { start, end, inside, behind } of blocks) {
    const known = errors.subarray(end * outputCount);
    const handed =
      end === order.length
        ? new Float64Array((end - start) * outputCount)
        : await multiply(behind, { values: known, rowCount: order.length - end, columnCount: outputCount });
    const range = [start * outputCount, end * outputCount] as const;
    roundBlock(rounding, elements.subarray(...range), handed, inside, errors.subarray(...range), end - start);
  }
}

/**
 * Round one block.
 *
 * @param elements the block's weights, shape [size, outputCount]
 * @param handed what they have been handed from behind the block, shape [size, outputCount]; added to
 * @param errors what they hand on, shape [size, outputCount]; filled
 */
function roundBlock(
  rounding: Rounding,
  elements: Uint32Array,
  handed: Float64Array,
  inside: Float64Array,
  errors: Float64Array,
  size: number,
): void {
  const outputCount = elements.length / size;
  for (let position = size - 1; position >= 0; position--) {
    const start = position * outputCount;
    roundPosition(rounding, elements, handed, errors, start, outputCount);
    for (let row = 0; row < position; row++) {
      const factor = inside[row * size + position]!;
      const target = row * outputCount;
      for (let output = 0; output < outputCount; output++) handed[target + output]! += factor * errors[start + output]!;
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

/** Round the weights of all output channels at one position, whose first is at `start`. */
function roundPosition(
  { weights, grid, scales, scaleOf, values }: Rounding,
  elements: Uint32Array,
  handed: Float64Array,
  errors: Float64Array,
  start: number,
  outputCount: number,
): void {
  for (let index = start; index < start + outputCount; index++) {
    const element = elements[index]!;
    const scale = scales[scaleOf[element]!]!;
    const weight = weights[element]!;
    const level = nearestLevel((weight + handed[index]!) / scale, grid);
    values[element] = level;
    errors[index] = weight - level * scale;
  }
}
