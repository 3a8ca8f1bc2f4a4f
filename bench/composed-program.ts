/**
 * A program of 110 layers at five bit-widths, made from two real ones of 56 layers at three, in the absence of a real one.
 *
 * The first 56 layers are the first program, the others the second. What couples them is a share of A^½·B^½, which keeps the
 * whole matrix positive semi-definite and couples layers at the same place most. A candidate at 3 bits is a mixture of
 * those at 2 and 4, one at 6 of those at 4 and 8: the same mixtures of rows and of columns keep it semi-definite, too.
 */
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import type { ProgramFile } from '../src/entry/program-file.ts';

const LAYER_COUNT = 110;
const COUPLING = 0.3;
const BITS = [2, 3, 4, 6, 8];
/** Shares of the candidates at 2, 4 and 8 bits; a sensitivity falls by about four per bit, its root by two. */
const MIXTURES = [
  [1, 0, 0],
  [0.4, 0.6, 0],
  [0, 1, 0],
  [0, 0.25, 0.75],
  [0, 0, 1],
];

export function composeProgram(first: ProgramFile, second: ProgramFile): ProgramFile {
  const joined = join(matrixOf(first), matrixOf(second));
  const weights = [...first.weights, ...second.weights].slice(0, LAYER_COUNT);
  const mix = mixingMatrix(LAYER_COUNT, joined.rows);
  const quadratic = Float64Array.from(mix.mmul(joined).mmul(mix.transpose()).to1DArray());
  const groupSizes = weights.map(() => BITS.length);
  return { bits: BITS, weights, program: { groupSizes, quadratic, constraints: [] }, bestKnown: {} };
}

/** The same program with zeros between the candidates of one layer, which never count: its matrix is indefinite. */
export function clearLayers(file: ProgramFile): ProgramFile {
  const { program, bits } = file;
  const count = Math.sqrt(program.quadratic.length);
  const layerOf = (variable: number) => Math.floor(variable / bits.length);
  const quadratic = program.quadratic.map((entry, index) => {
    const [row, column] = [Math.floor(index / count), index % count];
    return row !== column && layerOf(row) === layerOf(column) ? 0 : entry;
  });
  return { ...file, program: { ...program, quadratic } };
}

function matrixOf({ program }: ProgramFile): Matrix {
  const size = Math.sqrt(program.quadratic.length);
  return Matrix.from1DArray(size, size, program.quadratic);
}

/** [A, ρ·A^½B^½; ρ·B^½A^½, B], semi-definite for ρ ≤ 1. */
function join(a: Matrix, b: Matrix): Matrix {
  const coupling = squareRoot(a).mmul(squareRoot(b)).mul(COUPLING);
  const whole = Matrix.zeros(a.rows + b.rows, a.rows + b.rows);
  whole.setSubMatrix(a, 0, 0);
  whole.setSubMatrix(b, a.rows, a.rows);
  whole.setSubMatrix(coupling, 0, a.rows);
  whole.setSubMatrix(coupling.transpose(), a.rows, 0);
  return whole;
}

/** The semi-definite root; eigenvalues that rounding made negative are zero. */
function squareRoot(matrix: Matrix): Matrix {
  const { realEigenvalues, eigenvectorMatrix: vectors } = new EigenvalueDecomposition(matrix, {
    assumeSymmetric: true,
  });
  const roots = Matrix.diag(realEigenvalues.map((value) => Math.sqrt(Math.max(0, value))));
  return vectors.mmul(roots).mmul(vectors.transpose());
}

/** One row per new candidate, its shares of the old ones. */
function mixingMatrix(layerCount: number, oldCount: number): Matrix {
  const mix = Matrix.zeros(layerCount * MIXTURES.length, oldCount);
  for (let layer = 0; layer < layerCount; layer++) {
    MIXTURES.forEach((shares, candidate) => {
      shares.forEach((share, old) => {
        mix.set(layer * MIXTURES.length + candidate, layer * shares.length + old, share);
      });
    });
  }
  return mix;
}
