/** Blocked Cholesky factorisation, in place; the work between blocks is left to an injected product. */
import { copyBlock, type MultiplyMatrices, type Range, transposed } from './matrix-product.ts';

/** Rows that are factorised at a time: few enough for the processor's cache, many enough for the product to be long. */
const BLOCK_SIZE = 128;

/**
 * Factorise a symmetric positive definite A = Uᵀ U with U upper triangular.
 *
 * @param matrix A, shape [size, size]; its upper triangle becomes U, what is below the diagonal is left over
 * @returns false if A is not positive definite; the matrix is then half done
 */
export async function factorise(matrix: Float64Array, size: number, multiply: MultiplyMatrices): Promise<boolean> {
  // Rows before a block, times columns from it on: at most half of the size each.
  const scratch = new Float64Array(size > BLOCK_SIZE ? Math.ceil(size ** 2 / 4) : 0);
  for (let start = 0; start < size; start += BLOCK_SIZE) {
    const end = Math.min(start + BLOCK_SIZE, size);
    if (start > 0) await subtractEarlierRows(matrix, size, { start, end }, scratch, multiply);
    if (!factoriseRows(matrix, size, start, end)) return false;
  }
  return true;
}

/** A[block, start…] −= U[0…start, block]ᵀ · U[0…start, start…]. */
async function subtractEarlierRows(
  matrix: Float64Array,
  size: number,
  block: Range,
  scratch: Float64Array,
  multiply: MultiplyMatrices,
): Promise<void> {
  const { start, end } = block;
  const earlier = { start: 0, end: start };
  const left = transposed(copyBlock(matrix, size, earlier, block));
  const product = await multiply(left, copyBlock(matrix, size, earlier, { start, end: size }, scratch));
  const width = size - start;
  for (let row = start; row < end; row++) {
    const target = row * size + start;
    const source = (row - start) * width;
    for (let column = row - start; column < width; column++) matrix[target + column]! -= product[source + column]!;
  }
}

/** Factorise rows whose earlier rows have been subtracted. */
function factoriseRows(matrix: Float64Array, size: number, start: number, end: number): boolean {
  for (let pivot = start; pivot < end; pivot++) {
    const pivotRow = pivot * size;
    const square = matrix[pivotRow + pivot]!;
    if (!(square > 0)) return false;
    const factor = 1 / Math.sqrt(square);
    for (let column = pivot; column < size; column++) matrix[pivotRow + column]! *= factor;
    for (let row = pivot + 1; row < end; row++) {
      const share = matrix[pivotRow + row]!;
      const target = row * size;
      for (let column = row; column < size; column++) {
        matrix[target + column]! -= share * matrix[pivotRow + column]!;
      }
    }
  }
  return true;
}
