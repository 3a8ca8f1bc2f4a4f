import { EigenvalueDecomposition, Matrix } from 'ml-matrix';

export type Projection = {
  /** Shape [size, size], symmetric. */
  readonly matrix: Float64Array;
  /** Σ|λ| of the negative eigenvalues over Σλ of the positive ones: how much the projection took away. */
  readonly negativeShare: number;
};

/**
 * The nearest positive semi-definite matrix in the Frobenius norm: negative eigenvalues become zero (Higham 1988; CLADO,
 * arXiv 2307.05657, §3.4).
 *
 * @param symmetric row-major, shape [size, size]
 */
export function projectPositiveSemidefinite(symmetric: Float64Array, size: number): Projection {
  const { realEigenvalues: values, eigenvectorMatrix: vectors } = new EigenvalueDecomposition(
    Matrix.from1DArray(size, size, symmetric),
    { assumeSymmetric: true },
  );
  const matrix = new Float64Array(size * size);
  let [negative, positive] = [0, 0];
  for (const [index, value] of values.entries()) {
    if (value <= 0) negative -= value;
    else {
      positive += value;
      addOuterProduct(matrix, vectors.getColumn(index), value);
    }
  }
  return { matrix, negativeShare: positive > 0 ? negative / positive : 0 };
}

/** matrix += factor · v vᵀ. */
function addOuterProduct(matrix: Float64Array, vector: readonly number[], factor: number): void {
  const size = vector.length;
  for (let row = 0; row < size; row++) {
    const scaled = factor * vector[row]!;
    for (let column = 0; column < size; column++) matrix[row * size + column]! += scaled * vector[column]!;
  }
}
