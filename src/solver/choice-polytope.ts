/**
 * Linear programs over the relaxed choices: minimise c·x over x ≥ 0 with Σ x = 1 in every group and the limit rows
 * A x ≤ b (the linear multiple-choice knapsack; with no rows, the product of simplices).
 *
 * Every x is a mixture of whole choices, so the program has one row per limit and one for the mixture's weights, and a
 * column for every whole choice. The simplex method on it asks for the best column given multipliers λ of the limits,
 * and that is closed-form: in each group the variable of least c + λ·a. Every such answer gives the bound
 * min_x c·x + λ·(A x − b), whatever λ ≥ 0 is, so bounds stay true when the method stops early.
 */
import type { IndexedProgram } from './indexed-program.ts';
import { solveLinearSystem } from './small-linear-system.ts';

/** A point with few non-zero entries. */
export type SparsePoint = { readonly indices: Int32Array; readonly values: Float64Array };

export type LinearMinimum = {
  /** Never above the minimum. */
  readonly bound: number;
  /** Multiplier of each row at which the bound holds, ≥ 0. */
  readonly multipliers: Float64Array;
  /** A point of the polytope that attains the minimum, up to rounding. */
  readonly point: SparsePoint;
};

type Column =
  | { readonly kind: 'choice'; readonly chosen: Int32Array; readonly excess: Float64Array }
  | { readonly kind: 'slack'; readonly row: number }
  /** Relieves all rows at once; only in the basis while a first point inside the limits is sought. */
  | { readonly kind: 'relief'; readonly excess: Float64Array };

/** More pivots than this mean cycling; the bound holds anyway. */
const MAX_PIVOTS = 200;
const PIVOT_TOLERANCE = 1e-10;
/** How far outside scaled limits a point may lie and count as inside. */
const RELIEF_TOLERANCE = 1e-9;
/** Reduced costs below this share of the costs themselves are rounding. */
const COST_TOLERANCE = 1e-13;

/** The relaxed choices that `allowed` leaves; it remembers its last vertex, so a sequence of similar costs is cheap. */
export class ChoicePolytope {
  readonly #program: IndexedProgram;
  readonly #allowed: Uint8Array;
  #basis: Column[];

  /** @param allowed 1 for each variable that may be taken, at least one per group, shape [variableCount] */
  constructor(program: IndexedProgram, allowed: Uint8Array) {
    this.#program = program;
    this.#allowed = allowed;
    this.#basis = [];
  }

  /** A vertex of least cost, or undefined if no relaxed choice keeps the limits. */
  minimise(costs: Float64Array): LinearMinimum | undefined {
    if (this.#basis.length === 0 && !this.#enter()) return undefined;
    const relief = 1e6 * this.#program.groupCount * largestMagnitude(costs);
    return this.#runSimplex(costs, relief);
  }

  /** Find a basis inside the limits: minimise the relief that the rows need. */
  #enter(): boolean {
    const program = this.#program;
    const { excess, ...thriftiest } = this.#cheapestChoice(this.#totalLoads());
    const worst = excess.reduce((at, value, row) => (value > excess[at]! ? row : at), 0);
    const slacks: Column[] = program.rows.map((_, row) => ({ kind: 'slack', row }));
    this.#basis = [...slacks, { ...thriftiest, excess }];
    if (program.rows.length === 0 || excess[worst]! <= 0) return true;
    this.#basis[worst] = { kind: 'relief', excess: excess.map((value) => -Math.max(0, value)) };
    const { bound } = this.#runSimplex(new Float64Array(program.variableCount), 1);
    if (bound > RELIEF_TOLERANCE) this.#basis = [];
    return bound <= RELIEF_TOLERANCE;
  }

  #runSimplex(costs: Float64Array, reliefCost: number): LinearMinimum {
    const tolerance = COST_TOLERANCE * this.#program.groupCount * Math.max(largestMagnitude(costs), reliefCost * 1e-6);
    let best: { bound: number; multipliers: Float64Array } | undefined;
    for (let pivots = 0; pivots < MAX_PIVOTS; pivots++) {
      const prices = this.#prices(costs, reliefCost);
      const multipliers = prices.slice(0, -1).map((price) => Math.max(0, -price));
      const column = this.#cheapestChoice(this.#pricedCosts(costs, multipliers));
      const bound = costOf(column, costs) + dot(multipliers, column.excess);
      if (best === undefined || bound > best.bound) best = { bound, multipliers };
      const slack = this.#mostNegativeMultiplier(prices, tolerance);
      if (slack === undefined && bound >= prices.at(-1)! - tolerance) break;
      if (!this.#pivot(slack ?? column)) break;
    }
    return { ...best!, point: this.#basicPoint() };
  }

  /** The dual values of the basis: one per row, the last for the weights. */
  #prices(costs: Float64Array, reliefCost: number): Float64Array {
    const transposed = this.#basis.map((column) => this.#entriesOf(column));
    const values = this.#basis.map((column) =>
      column.kind === 'choice' ? costOf(column, costs) : column.kind === 'relief' ? reliefCost : 0,
    );
    return assertSolved(solveLinearSystem(transposed, values));
  }

  /** A slack whose row has a multiplier of the wrong sign. */
  #mostNegativeMultiplier(prices: Float64Array, tolerance: number): Column | undefined {
    let worst = -1;
    for (let row = 0; row < prices.length - 1; row++) {
      if (prices[row]! > tolerance && (worst < 0 || prices[row]! > prices[worst]!)) worst = row;
    }
    return worst < 0 ? undefined : { kind: 'slack', row: worst };
  }

  /** Bring a column into the basis; false if no column can leave, which only rounding brings about. */
  #pivot(entering: Column): boolean {
    const weights = this.#solveBasis(this.#weightOnly());
    const direction = this.#solveBasis(this.#entriesOf(entering));
    let leaving = -1;
    let least = Number.POSITIVE_INFINITY;
    for (let index = 0; index < direction.length; index++) {
      if (direction[index]! <= PIVOT_TOLERANCE) continue;
      const ratio = Math.max(0, weights[index]!) / direction[index]!;
      const isTieForRelief = ratio === least && this.#basis[index]!.kind === 'relief';
      if (ratio < least || isTieForRelief) [leaving, least] = [index, ratio];
    }
    if (leaving < 0) return false;
    this.#basis[leaving] = entering;
    return true;
  }

  #basicPoint(): SparsePoint {
    const weights = this.#solveBasis(this.#weightOnly());
    const entries = new Map<number, number>();
    this.#basis.forEach((column, index) => {
      const weight = Math.min(1, weights[index]!);
      if (column.kind !== 'choice' || weight <= PIVOT_TOLERANCE) return;
      for (const variable of column.chosen) entries.set(variable, (entries.get(variable) ?? 0) + weight);
    });
    return { indices: Int32Array.from(entries.keys()), values: Float64Array.from(entries.values()) };
  }

  /** Coefficients of a column in the limit rows and in the row of weights. */
  #entriesOf(column: Column): number[] {
    if (column.kind === 'slack') return [...this.#program.rows.map((_, row) => (row === column.row ? 1 : 0)), 0];
    return [...column.excess, column.kind === 'choice' ? 1 : 0];
  }

  #weightOnly(): number[] {
    return [...this.#program.rows.map(() => 0), 1];
  }

  #solveBasis(rhs: readonly number[]): Float64Array {
    const columns = this.#basis.map((column) => this.#entriesOf(column));
    const matrix = rhs.map((_, row) => columns.map((column) => column[row]!));
    return assertSolved(solveLinearSystem(matrix, rhs));
  }

  #totalLoads(): Float64Array {
    return this.#pricedCosts(
      new Float64Array(this.#program.variableCount),
      this.#program.rows.map(() => 1),
    );
  }

  #pricedCosts(costs: Float64Array, multipliers: ArrayLike<number>): Float64Array {
    const priced = costs.slice();
    this.#program.rows.forEach((row, index) => {
      const multiplier = multipliers[index]!;
      if (multiplier === 0) return;
      for (let variable = 0; variable < priced.length; variable++)
        priced[variable]! += multiplier * row.costs[variable]!;
    });
    return priced;
  }

  #cheapestChoice(costs: Float64Array): Column & { kind: 'choice' } {
    const { groupCount, offsets, rows } = this.#program;
    const chosen = new Int32Array(groupCount);
    for (let group = 0; group < groupCount; group++) {
      let [best, least] = [-1, Number.POSITIVE_INFINITY];
      for (let variable = offsets[group]!; variable < offsets[group + 1]!; variable++) {
        if (this.#allowed[variable] === 1 && costs[variable]! < least) {
          best = variable;
          least = costs[variable]!;
        }
      }
      chosen[group] = best;
    }
    const excess = Float64Array.from(rows, ({ costs: loads, limit }) =>
      chosen.reduce((sum, variable) => sum + loads[variable]!, -limit),
    );
    return { kind: 'choice', chosen, excess };
  }
}

function costOf({ chosen }: { readonly chosen: Int32Array }, costs: Float64Array): number {
  let sum = 0;
  for (let group = 0; group < chosen.length; group++) sum += costs[chosen[group]!]!;
  return sum;
}

function dot(first: Float64Array, second: Float64Array): number {
  return first.reduce((sum, value, index) => sum + value * second[index]!, 0);
}

function largestMagnitude(values: Float64Array): number {
  let most = 0;
  for (let index = 0; index < values.length; index++) most = Math.max(most, Math.abs(values[index]!));
  return most;
}

function assertSolved(solution: Float64Array | undefined): Float64Array {
  if (solution === undefined) throw new Error('the basis of the choice polytope became singular');
  return solution;
}
