import { EigenvalueDecomposition, Matrix } from 'ml-matrix';

/**
 * The diagonal of the negative part N of a symmetric matrix G = P − N, where P and N are positive semi-definite and P·N = 0:
 * Σ over the negative eigenvalues λ with unit vectors v of −λ·v².
 *
 * @param symmetric row-major, shape [size, size]
 * @returns shape [size], never negative
 */
export function negativeDiagonal(symmetric: Float64Array, size: number): Float64Array {
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(
    Matrix.from1DArray(size, size, symmetric),
    { assumeSymmetric: true },
  );
  const diagonal = new Float64Array(size);
  for (const [index, value] of realEigenvalues.entries()) {
    if (value >= 0) continue;
    for (let row = 0; row < size; row++) diagonal[row]! -= value * eigenvectorMatrix.get(row, index) ** 2;
  }
  return diagonal;
}
