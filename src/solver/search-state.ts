/** An assignment under local search, with all that makes the value of a move cheap to read. */
import type { IndexedProgram } from './indexed-program.ts';
import { loadOf, objectiveOfChoice } from './indexed-program.ts';

export type SearchState = {
  readonly program: IndexedProgram;
  /** The variable of each group. */
  readonly chosen: Int32Array;
  /** Σ of G(v, chosen variable of every other group), shape [variableCount]. */
  readonly field: Float64Array;
  /** Left-hand side of every row. */
  readonly loads: Float64Array;
};

export function createSearchState(program: IndexedProgram, start: ArrayLike<number>): SearchState {
  const chosen = Int32Array.from(start);
  const field = new Float64Array(program.variableCount);
  const state = { program, chosen, field, loads: Float64Array.from(program.rows, (row) => loadOf(row, chosen)) };
  for (const variable of chosen) addToField(state, variable, 1);
  return state;
}

export function objectiveOfState({ program, chosen }: SearchState): number {
  return objectiveOfChoice(program, chosen);
}

/** Change of the objective when the group of `variable` takes it. */
export function changeOfMove({ program, chosen, field }: SearchState, variable: number): number {
  const current = chosen[program.groupOf[variable]!]!;
  const stride = program.variableCount + 1;
  const { quadratic } = program;
  return (quadratic[variable * stride]! - quadratic[current * stride]!) / 2 + field[variable]! - field[current]!;
}

export function applyMove(state: SearchState, variable: number): void {
  const { program, chosen, loads } = state;
  const group = program.groupOf[variable]!;
  const current = chosen[group]!;
  addToField(state, current, -1);
  addToField(state, variable, 1);
  chosen[group] = variable;
  // Summed afresh: a running difference would drift away from the exact sum that decides feasibility.
  program.rows.forEach((row, index) => {
    loads[index] = loadOf(row, chosen);
  });
}

/** By how much the rows are exceeded together; 0 when the assignment is feasible. */
export function violationOf({ program, loads }: SearchState): number {
  return program.rows.reduce((sum, row, index) => sum + Math.max(0, loads[index]! - row.limit), 0);
}

function addToField({ program, field }: SearchState, variable: number, sign: number): void {
  const { offsets, groupOf, quadratic, variableCount } = program;
  const group = groupOf[variable]!;
  const [start, end] = [offsets[group]!, offsets[group + 1]!];
  const row = variable * variableCount;
  for (let other = 0; other < start; other++) field[other]! += sign * quadratic[row + other]!;
  for (let other = end; other < variableCount; other++) field[other]! += sign * quadratic[row + other]!;
}
