/**
 * The assignment-tight linearisation of a quadratic program (Adams and Sherali 1986; Frieze and Yadegar 1983).
 *
 * **From** ½ xᵀGx over one-hot x, where x_i(b) says that group i takes its variable b.
 * **To** Σ ½G_ii(b,b)·x_i(b) + Σ_{i<j} Σ_{b,c} G_ij(b,c)·y_ij(b,c) over binary x and, for every pair of groups with a
 * term, continuous y_ij(b,c) ≥ 0 with
 *
 *     Σ_c y_ij(b,c) = x_i(b)        Σ_b y_ij(b,c) = x_j(c)
 *
 * **Holds because** for one-hot x these equations leave y_ij(b,c) = x_i(b)·x_j(c) as the only choice. They bound the
 * product far better than y ≥ x_i + x_j − 1 does, and so does their linear relaxation.
 */
import type { MixedIntegerProgram, SparseRows } from './mixed-integer-program.ts';
import type { Assignment, LinearConstraint, QuadraticProgram } from './quadratic-program.ts';
import { chosenVariables, variableOffsets } from './variables.ts';

/** Two groups i < j with a pair term; y_ij(b,c) is column firstColumn + b·size_j + c. */
export type LinearisedPair = { readonly first: number; readonly second: number; readonly firstColumn: number };

/** The variables of the quadratic program are the first columns, in their order; the pairs follow. */
export type Linearisation = { readonly mip: MixedIntegerProgram; readonly pairs: readonly LinearisedPair[] };

/** Rewrite the program as a mixed-integer linear one with the same optimum; see the head of this file for the formula. */
export function linearise(program: QuadraticProgram): Linearisation {
  const offsets = variableOffsets(program.groupSizes);
  const pairs = coupledPairs(program, offsets);
  const rows = new RowBuilder();
  addChoiceRows(rows, offsets);
  for (const pair of pairs) addPairRows(rows, pair, offsets);
  for (const constraint of program.constraints) addLimitRow(rows, constraint);
  const columnCosts = costsOfColumns(program, pairs, offsets);
  const mip = { ...rows.build(), binaryCount: offsets.at(-1)!, columnCount: columnCosts.length, columnCosts };
  return { mip, pairs };
}

/** Number of columns that `linearise` would make, without making them. */
export function linearisedColumnCount(program: QuadraticProgram): number {
  const offsets = variableOffsets(program.groupSizes);
  return coupledPairs(program, offsets).reduce(
    (count, { first, second }) => count + program.groupSizes[first]! * program.groupSizes[second]!,
    offsets.at(-1)!,
  );
}

/** The column values that stand for an assignment, shape [columnCount]. */
export function liftAssignment(
  program: QuadraticProgram,
  { mip, pairs }: Linearisation,
  assignment: Assignment,
): Float64Array {
  const columns = new Float64Array(mip.columnCount);
  for (const variable of chosenVariables(program, assignment)) columns[variable] = 1;
  for (const { first, second, firstColumn } of pairs) {
    columns[firstColumn + assignment[first]! * program.groupSizes[second]! + assignment[second]!] = 1;
  }
  return columns;
}

function coupledPairs(program: QuadraticProgram, offsets: Int32Array): LinearisedPair[] {
  const pairs: LinearisedPair[] = [];
  let firstColumn = offsets.at(-1)!;
  for (let first = 0; first < program.groupSizes.length; first++) {
    for (let second = first + 1; second < program.groupSizes.length; second++) {
      if (!blockEntries(program, offsets, first, second).some((entry) => entry !== 0)) continue;
      pairs.push({ first, second, firstColumn });
      firstColumn += program.groupSizes[first]! * program.groupSizes[second]!;
    }
  }
  return pairs;
}

/** G_ij, row-major, shape [size_i · size_j]. */
function blockEntries({ quadratic }: QuadraticProgram, offsets: Int32Array, first: number, second: number): number[] {
  const count = offsets.at(-1)!;
  const entries: number[] = [];
  for (let row = offsets[first]!; row < offsets[first + 1]!; row++) {
    entries.push(...quadratic.subarray(row * count + offsets[second]!, row * count + offsets[second + 1]!));
  }
  return entries;
}

function costsOfColumns(
  program: QuadraticProgram,
  pairs: readonly LinearisedPair[],
  offsets: Int32Array,
): Float64Array {
  const count = offsets.at(-1)!;
  const singles = Array.from({ length: count }, (_, variable) => program.quadratic[variable * (count + 1)]! / 2);
  return Float64Array.from([
    ...singles,
    ...pairs.flatMap(({ first, second }) => blockEntries(program, offsets, first, second)),
  ]);
}

/** Σ_b x_i(b) = 1 for every group. */
function addChoiceRows(rows: RowBuilder, offsets: Int32Array): void {
  for (let group = 0; group + 1 < offsets.length; group++) {
    for (let variable = offsets[group]!; variable < offsets[group + 1]!; variable++) rows.addEntry(variable, 1);
    rows.endRow(1, 1);
  }
}

function addPairRows(rows: RowBuilder, { first, second, firstColumn }: LinearisedPair, offsets: Int32Array): void {
  const firstSize = offsets[first + 1]! - offsets[first]!;
  const secondSize = offsets[second + 1]! - offsets[second]!;
  for (let b = 0; b < firstSize; b++) {
    rows.addEntry(offsets[first]! + b, -1);
    for (let c = 0; c < secondSize; c++) rows.addEntry(firstColumn + b * secondSize + c, 1);
    rows.endRow(0, 0);
  }
  for (let c = 0; c < secondSize; c++) {
    rows.addEntry(offsets[second]! + c, -1);
    for (let b = 0; b < firstSize; b++) rows.addEntry(firstColumn + b * secondSize + c, 1);
    rows.endRow(0, 0);
  }
}

function addLimitRow(rows: RowBuilder, { costs, limit }: LinearConstraint): void {
  costs.forEach((cost, variable) => {
    if (cost !== 0) rows.addEntry(variable, cost);
  });
  rows.endRow(Number.NEGATIVE_INFINITY, limit);
}

class RowBuilder {
  readonly #starts = [0];
  readonly #columns: number[] = [];
  readonly #values: number[] = [];
  readonly #lower: number[] = [];
  readonly #upper: number[] = [];

  addEntry(column: number, value: number): void {
    this.#columns.push(column);
    this.#values.push(value);
  }

  endRow(lower: number, upper: number): void {
    this.#starts.push(this.#columns.length);
    this.#lower.push(lower);
    this.#upper.push(upper);
  }

  build(): { rowCount: number; rowLower: Float64Array; rowUpper: Float64Array; matrix: SparseRows } {
    const matrix = {
      rowStarts: Int32Array.from(this.#starts),
      columns: Int32Array.from(this.#columns),
      values: Float64Array.from(this.#values),
    };
    const [rowLower, rowUpper] = [Float64Array.from(this.#lower), Float64Array.from(this.#upper)];
    return { rowCount: rowLower.length, rowLower, rowUpper, matrix };
  }
}
