/** What the error feedback of each method is, from the Gram matrix of a group's inputs. */
import { factorise } from './factorise.ts';
import { blockFeedback, type Feedback } from './feedback.ts';
import type { MultiplyMatrices } from './matrix-product.ts';

/** Added to the diagonal, as a share of its mean: 1 % as in the GPTQ paper, more if that is not enough to factorise. */
const DAMPING_RATIOS = [0.01, 0.1, 1];

/**
 * The feedback of GPTQ (arXiv 2210.17323), which rounds each weight after moving the errors so far to where the remaining
 * weights make up for them best. It is stated there with the inverse of the Gram matrix H; the same feedback is U/diag(U) of
 * the factorisation H = Uᵀ U in reverse order (arXiv 2307.13304, Theorem 6), which needs no inverse.
 *
 * @param gram shape [size, size]; the inputs of largest energy are rounded first
 * @param layerName for the message if it cannot be factorised
 */
export async function gptqFeedback(
  gram: Float64Array,
  size: number,
  layerName: string,
  multiply: MultiplyMatrices,
): Promise<Feedback> {
  const order = orderByEnergy(gram, size);
  const meanEnergy = order.reduce((sum, input) => sum + gram[input * size + input]!, 0) / size;
  if (meanEnergy === 0) return blockFeedback(order, new Float64Array(size ** 2));
  for (const ratio of DAMPING_RATIOS) {
    const rows = reorder(gram, size, order);
    for (let position = 0; position < size; position++) rows[position * size + position]! += ratio * meanEnergy;
    if (!(await factorise(rows, size, multiply))) continue;
    scaleRowsByDiagonal(rows, size);
    return blockFeedback(order, rows);
  }
  throw new Error(`the Gram matrix of layer '${layerName}' is no covariance: it cannot be factorised`);
}

/**
 * The feedback of greedy path following (arXiv 2201.11113): each weight is rounded so that the output follows the float
 * output as well as the inputs so far can make it, whatever the remaining ones could do.
 */
export function gpfqFeedback(gram: Float64Array, size: number): Feedback {
  const order = orderByEnergy(gram, size);
  const rows = reorder(gram, size, order);
  scaleRowsByDiagonal(rows, size);
  return blockFeedback(order, rows);
}

/** Inputs by E[x²], ascending; equals in reverse, so that the first of them is rounded first. */
function orderByEnergy(gram: Float64Array, size: number): Uint32Array {
  const energy = (input: number) => gram[input * size + input]!;
  return Uint32Array.from({ length: size }, (_, input) => input).sort((a, b) => energy(a) - energy(b) || b - a);
}

function reorder(gram: Float64Array, size: number, order: Uint32Array): Float64Array {
  const reordered = new Float64Array(size ** 2);
  for (let row = 0; row < size; row++) {
    const source = order[row]! * size;
    for (let column = 0; column < size; column++) reordered[row * size + column] = gram[source + order[column]!]!;
  }
  return reordered;
}

/** An input without energy hands nothing on and is handed nothing. */
function scaleRowsByDiagonal(rows: Float64Array, size: number): void {
  for (let row = 0; row < size; row++) {
    const diagonal = rows[row * size + row]!;
    const factor = diagonal > 0 ? 1 / diagonal : 0;
    for (let column = row; column < size; column++) rows[row * size + column]! *= factor;
  }
}
