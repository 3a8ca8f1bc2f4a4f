/**
 * A convex objective that equals the program's at every choice.
 *
 * **From** ½ xᵀGx over one-hot x, G any symmetric matrix.
 * **To** ½ xᵀQx + c·x with Q = G + δI and c = −½δ, for the least δ ≥ 0 found that makes Q positive semi-definite along
 * every direction that keeps the sums of the groups.
 * **Holds because** x² = x for x ∈ {0, 1}. Between the choices the objective sinks by ½δ·Σ x(1 − x), so bounds from it get
 * worse as δ grows, but they stay bounds.
 */
import type { IndexedProgram } from './indexed-program.ts';

export type ConvexObjective = {
  /** Q, shape [variableCount, variableCount]. */
  readonly quadratic: Float64Array;
  /** c, shape [variableCount]. */
  readonly linear: Float64Array;
  /** δ. */
  readonly shift: number;
};

/** Below this share of the largest entry of G the shift only makes up for the rounding of G. */
const NEGLIGIBLE_SHIFT = 1e-7;
/** Shifts are tried from this share of the largest entry of G upwards. */
const LEAST_SHIFT = 1e-13;
/** The least shift is found to within this ratio. */
const SHIFT_PRECISION = 1.1;

export function convexify(program: IndexedProgram): ConvexObjective {
  if (isSeparable(program)) return separableObjective(program);
  const { variableCount, quadratic } = program;
  const shift = leastConvexShift(program);
  const shifted = quadratic.slice();
  for (let variable = 0; variable < variableCount; variable++) shifted[variable * (variableCount + 1)]! += shift;
  return { quadratic: shifted, linear: new Float64Array(variableCount).fill(-shift / 2), shift };
}

/** Whether the program itself is convex, so that its relaxation is worth branching on. */
export function isConvex({ shift }: ConvexObjective, { scale }: IndexedProgram): boolean {
  return shift <= NEGLIGIBLE_SHIFT * scale;
}

/** No pair terms: the objective is a sum of single terms, and as a linear function it bounds best. */
function isSeparable({ quadratic, variableCount, groupOf }: IndexedProgram): boolean {
  return quadratic.every(
    (entry, index) => entry === 0 || groupOf[Math.floor(index / variableCount)] === groupOf[index % variableCount],
  );
}

function separableObjective({ quadratic, variableCount }: IndexedProgram): ConvexObjective {
  const linear = Float64Array.from({ length: variableCount }, (_, v) => quadratic[v * (variableCount + 1)]! / 2);
  return { quadratic: new Float64Array(quadratic.length), linear, shift: 0 };
}

/** Least δ, to within SHIFT_PRECISION: tenfold steps up, then bisection of the last one in logarithms. */
function leastConvexShift(program: IndexedProgram): number {
  const reduced = reduceToDirections(program);
  let high = LEAST_SHIFT * program.scale;
  while (!isPositiveDefinite(reduced, high)) high *= 10;
  let low = high / 10;
  while (high / low > SHIFT_PRECISION && high > NEGLIGIBLE_SHIFT * program.scale) {
    const middle = Math.sqrt(low * high);
    if (isPositiveDefinite(reduced, middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** Zᵀ G Z and Zᵀ Z for a basis Z of the directions: one variable gains what the first of its group loses. */
type Reduced = { readonly size: number; readonly matrix: Float64Array; readonly identity: Float64Array };

function reduceToDirections({ quadratic, variableCount, offsets, groupOf }: IndexedProgram): Reduced {
  const gaining = Array.from({ length: variableCount }, (_, v) => v).filter((v) => v !== offsets[groupOf[v]!]);
  const size = gaining.length;
  const matrix = new Float64Array(size * size);
  const identity = new Float64Array(size * size);
  const entry = (row: number, column: number) => quadratic[row * variableCount + column]!;
  gaining.forEach((first, row) => {
    const firstLosing = offsets[groupOf[first]!]!;
    gaining.forEach((second, column) => {
      const losing = offsets[groupOf[second]!]!;
      const at = row * size + column;
      matrix[at] =
        entry(first, second) - entry(first, losing) - entry(firstLosing, second) + entry(firstLosing, losing);
      identity[at] = first === second ? 2 : firstLosing === losing ? 1 : 0;
    });
  });
  return { size, matrix, identity };
}

/** Whether matrix + shift·identity has a Cholesky factor. */
function isPositiveDefinite({ size, matrix, identity }: Reduced, shift: number): boolean {
  const factor = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = matrix[row * size + column]! + shift * identity[row * size + column]!;
      for (let k = 0; k < column; k++) sum -= factor[row * size + k]! * factor[column * size + k]!;
      if (row === column && !(sum > 0)) return false;
      factor[row * size + column] = row === column ? Math.sqrt(sum) : sum / factor[column * size + column]!;
    }
  }
  return true;
}
