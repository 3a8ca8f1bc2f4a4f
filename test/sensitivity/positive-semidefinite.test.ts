import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/random.ts';
import { projectPositiveSemidefinite } from '../../src/sensitivity/positive-semidefinite.ts';

describe('projectPositiveSemidefinite', () => {
  it('drops the negative eigenvalue: [[0, 1], [1, 0]] becomes [[½, ½], [½, ½]]', () => {
    const { matrix, negativeShare } = projectPositiveSemidefinite(Float64Array.of(0, 1, 1, 0), 2);
    expect([...matrix].map((entry) => Number(entry.toFixed(12)))).toEqual([0.5, 0.5, 0.5, 0.5]);
    expect(negativeShare).toBeCloseTo(1, 12);
  });

  it('leaves a positive definite matrix as it is', () => {
    const { matrix, negativeShare } = projectPositiveSemidefinite(Float64Array.of(2, 1, 1, 2), 2);
    for (const [index, entry] of [2, 1, 1, 2].entries()) expect(matrix[index]).toBeCloseTo(entry, 12);
    expect(negativeShare).toBe(0);
  });

  it('has no eigenvalue below zero, and stays symmetric', () => {
    const [random, size] = [seededRandom(7), 12];
    const symmetric = new Float64Array(size * size);
    for (let row = 0; row < size; row++) {
      for (let column = 0; column <= row; column++) {
        symmetric[row * size + column] = symmetric[column * size + row] = random() - 0.5;
      }
    }
    const { matrix } = projectPositiveSemidefinite(symmetric, size);
    const asMatrix = Matrix.from1DArray(size, size, matrix);
    expect(asMatrix.sub(asMatrix.transpose()).norm()).toBeLessThan(1e-12);
    const values = new EigenvalueDecomposition(Matrix.from1DArray(size, size, matrix), { assumeSymmetric: true });
    expect(Math.min(...values.realEigenvalues)).toBeGreaterThan(-1e-12);
  });
});
