/**
 * A convex objective that equals the program's at every choice.
 *
 * **From** ½ xᵀGx over one-hot x, G any symmetric matrix.
 * **To** ½ xᵀQx + c·x with Q = G + diag(δ) and c = −½δ, where δ ≥ 0 makes Q positive semi-definite along every direction
 * that keeps the sums of the groups.
 * **Holds because** x² = x for x ∈ {0, 1}. Between the choices the objective sinks by ½ Σ δ·x(1 − x), so bounds from it get
 * worse as δ grows, but they stay bounds.
 *
 * For an indefinite G, δ is a multiple of fixed weights: the diagonal of G's negative part, which is what has to be made
 * up for, and a share of G's own diagonal, so that candidates of small harm stay of small harm. The multiple is the least
 * that is enough for the variables that a part of the search still allows: it falls as choices are made, and takes with it
 * nine tenths of the nodes that one multiple for all would need (docs/adr/0001-solver.md).
 */
import type { IndexedProgram } from './indexed-program.ts';
import { negativeDiagonal } from './negative-diagonal.ts';

export type ConvexObjective = {
  /** Q, shape [variableCount, variableCount]. */
  readonly quadratic: Float64Array;
  /** c, shape [variableCount]. */
  readonly linear: Float64Array;
};

export type Convexification = {
  /** Whether G was convex but for its rounding, so that the relaxation is as tight as G allows. */
  readonly isExact: boolean;
  /**
   * An objective that is convex over the choices of allowed variables.
   *
   * @param factor that of a larger part of the search, to begin with
   */
  objectiveWithin(allowed: Uint8Array, factor?: number): ConvexObjectiveWithin;
};

export type ConvexObjectiveWithin = { readonly objective: ConvexObjective; readonly factor: number };

/** An equal δ up to this share of the largest entry of G only makes up for the rounding of G. */
const ROUNDING_SHIFTS = [1e-13, 1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7];
/** The share of G's own diagonal in the weights; 0.05 to 0.6 need much the same number of nodes. */
const OWN_DIAGONAL_SHARE = 0.2;
/** Weight of a variable that harms nothing alone, as a share of the largest entry of G. */
const LEAST_WEIGHT = 1e-6;
/** The search for the factor of δ ends when this much less is not enough; each success squares the ratio. */
const FIRST_RATIO = 1.05;
const LEAST_FACTOR = 1e-9;

export function convexify(program: IndexedProgram): Convexification {
  if (isSeparable(program)) return exactly(separableObjective(program));
  const { variableCount, scale } = program;
  const all = new Uint8Array(variableCount).fill(1);
  const form = alongDirections(program, all);
  const equal = constant(variableCount, scale);
  const rounding = ROUNDING_SHIFTS.find((share) => isConvexWith(form, equal, share));
  if (rounding !== undefined) return exactly(shifted(program, equal, rounding));
  return { isExact: false, objectiveWithin: shiftWithin(program, weightsOf(program)) };
}

function exactly(objective: ConvexObjective): Convexification {
  return { isExact: true, objectiveWithin: () => ({ objective, factor: 1 }) };
}

function shiftWithin(program: IndexedProgram, weights: Float64Array): Convexification['objectiveWithin'] {
  return (allowed, start = 1) => {
    const factor = leastFactor(alongDirections(program, allowed), weights, start);
    return { objective: shifted(program, weights, factor), factor };
  };
}

function weightsOf(program: IndexedProgram): Float64Array {
  const { quadratic, variableCount, scale } = program;
  const negative = negativeDiagonal(quadratic, variableCount);
  return negative.map((part, variable) => {
    const own = Math.abs(quadratic[variable * (variableCount + 1)]!);
    return part + OWN_DIAGONAL_SHARE * own + LEAST_WEIGHT * scale;
  });
}

function shifted({ quadratic, variableCount }: IndexedProgram, weights: Float64Array, factor: number): ConvexObjective {
  const sum = quadratic.slice();
  for (let v = 0; v < variableCount; v++) sum[v * (variableCount + 1)]! += factor * weights[v]!;
  return { quadratic: sum, linear: weights.map((weight) => (-factor * weight) / 2) };
}

/** No pair terms: the objective is a sum of single terms, and as a linear function it bounds best. */
function isSeparable({ quadratic, variableCount, groupOf }: IndexedProgram): boolean {
  return quadratic.every(
    (entry, index) => entry === 0 || groupOf[Math.floor(index / variableCount)] === groupOf[index % variableCount],
  );
}

function separableObjective({ quadratic, variableCount }: IndexedProgram): ConvexObjective {
  const linear = Float64Array.from({ length: variableCount }, (_, v) => quadratic[v * (variableCount + 1)]! / 2);
  return { quadratic: new Float64Array(quadratic.length), linear };
}

/** A factor that is enough, near the least: in growing steps down from the start while less is enough. */
function leastFactor(form: DirectionForm, weights: Float64Array, start: number): number {
  let factor = start;
  while (!isConvexWith(form, weights, factor)) factor *= 2;
  for (let ratio = FIRST_RATIO; factor / ratio > LEAST_FACTOR; ratio *= ratio) {
    if (!isConvexWith(form, weights, factor / ratio)) break;
    factor /= ratio;
  }
  return factor;
}

/** ZᵀGZ: in a direction, a variable gains what the first allowed one of its group loses. */
type DirectionForm = {
  readonly gaining: readonly number[];
  /** Shape [gaining.length]. */
  readonly losing: readonly number[];
  /** Lower triangle, shape [gaining.length, gaining.length]. */
  readonly entries: Float64Array;
};

function alongDirections(program: IndexedProgram, allowed: Uint8Array): DirectionForm {
  const { quadratic, variableCount } = program;
  const { gaining, losing } = directionsWithin(program, allowed);
  const size = gaining.length;
  const entries = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    const [gainRow, lossRow] = [gaining[row]! * variableCount, losing[row]! * variableCount];
    for (let column = 0; column <= row; column++) {
      const [gain, loss] = [gaining[column]!, losing[column]!];
      const gained = quadratic[gainRow + gain]! - quadratic[gainRow + loss]!;
      entries[row * size + column] = gained - quadratic[lossRow + gain]! + quadratic[lossRow + loss]!;
    }
  }
  return { gaining, losing, entries };
}

function directionsWithin({ groupCount, offsets }: IndexedProgram, allowed: Uint8Array) {
  const [gaining, losing]: [number[], number[]] = [[], []];
  for (let group = 0; group < groupCount; group++) {
    const first = allowed.indexOf(1, offsets[group]);
    for (let variable = first + 1; variable < offsets[group + 1]!; variable++) {
      if (allowed[variable] === 0) continue;
      gaining.push(variable);
      losing.push(first);
    }
  }
  return { gaining, losing };
}

/** Whether Zᵀ(G + factor·diag(weights))Z has a Cholesky factor. */
function isConvexWith({ gaining, losing, entries }: DirectionForm, weights: Float64Array, factor: number): boolean {
  const size = gaining.length;
  const sum = entries.slice();
  for (let row = 0; row < size; row++) {
    sum[row * (size + 1)]! += factor * weights[gaining[row]!]!;
    for (let column = row; column >= 0 && losing[column] === losing[row]; column--) {
      sum[row * size + column]! += factor * weights[losing[row]!]!;
    }
  }
  return isPositiveDefinite(sum, size);
}

/** Whether the matrix, of which the lower triangle is read, has a Cholesky factor; the entries are overwritten. */
function isPositiveDefinite(entries: Float64Array, size: number): boolean {
  for (let row = 0; row < size; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = entries[row * size + column]!;
      for (let k = 0; k < column; k++) sum -= entries[row * size + k]! * entries[column * size + k]!;
      if (row === column && !(sum > 0)) return false;
      entries[row * size + column] = row === column ? Math.sqrt(sum) : sum / entries[column * size + column]!;
    }
  }
  return true;
}

function constant(size: number, value: number): Float64Array {
  return new Float64Array(size).fill(value);
}
