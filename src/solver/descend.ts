/** Descent over single moves and pairs of moves that keeps every constraint. */
import { applyMove, changeOfMove, type SearchState, violationOf } from './search-state.ts';

/** A gain below this share of the terms it is made of is rounding, and following it could go round in circles. */
const GAIN_TOLERANCE = 1e-12;

/**
 * Improve the state until no single move and no pair of moves is better, or until `stop` says so. A state that exceeds
 * its limits is first brought back inside them.
 *
 * @returns whether the state is feasible
 */
export function descend(state: SearchState, stop: () => boolean): boolean {
  if (!repair(state)) return false;
  const threshold = -GAIN_TOLERANCE * state.program.scale;
  while (!stop()) {
    const single = bestSingleMove(state, threshold);
    if (single >= 0) applyMove(state, single);
    else if (!improveByPairs(state, threshold, stop)) return true;
  }
  return true;
}

/** Take the moves that buy room at the least cost until every row holds; false if no move buys any. */
function repair(state: SearchState): boolean {
  let violation = violationOf(state);
  while (violation > 0) {
    const move = cheapestRelief(state, violation) ?? deepestPairRelief(state, violation);
    if (move === undefined) return false;
    for (const variable of move) applyMove(state, variable);
    violation = violationOf(state);
  }
  return true;
}

function cheapestRelief(state: SearchState, violation: number): number[] | undefined {
  let best: number | undefined;
  let bestPrice = Number.POSITIVE_INFINITY;
  for (let variable = 0; variable < state.program.variableCount; variable++) {
    const relief = violation - violationAfter(state, [variable]);
    if (relief <= GAIN_TOLERANCE) continue;
    const price = changeOfMove(state, variable) / relief;
    if (price >= bestPrice) continue;
    best = variable;
    bestPrice = price;
  }
  return best === undefined ? undefined : [best];
}

/** With several rows, room in one may have to be paid for in another: two moves together. */
function deepestPairRelief(state: SearchState, violation: number): number[] | undefined {
  const { program } = state;
  let best: number[] | undefined;
  let least = violation - GAIN_TOLERANCE;
  if (program.rows.length < 2) return undefined;
  for (let first = 0; first < program.variableCount; first++) {
    for (let second = first + 1; second < program.variableCount; second++) {
      if (program.groupOf[first] === program.groupOf[second]) continue;
      const after = violationAfter(state, [first, second]);
      if (after >= least) continue;
      best = [first, second];
      least = after;
    }
  }
  return best;
}

function violationAfter({ program, chosen, loads }: SearchState, moves: readonly number[]): number {
  return program.rows.reduce((sum, { costs, limit }, index) => {
    const load = moves.reduce((l, v) => l + costs[v]! - costs[chosen[program.groupOf[v]!]!]!, loads[index]!);
    return sum + Math.max(0, load - limit);
  }, 0);
}

function bestSingleMove(state: SearchState, threshold: number): number {
  let best = -1;
  let bestChange = threshold;
  for (let variable = 0; variable < state.program.variableCount; variable++) {
    const change = changeOfMove(state, variable);
    if (change >= bestChange || !fits(state, variable, -1)) continue;
    best = variable;
    bestChange = change;
  }
  return best;
}

/**
 * One sweep over all pairs of moves: for every first move the best second one, taken at once if the two gain. Waiting for
 * the best pair of all would cost a sweep per pair.
 *
 * @returns whether any pair was taken
 */
function improveByPairs(state: SearchState, threshold: number, stop: () => boolean): boolean {
  const { variableCount, groupOf } = state.program;
  const changes = new Float64Array(variableCount);
  fillChanges(state, changes);
  let hasImproved = false;
  for (let first = 0; first < variableCount && !stop(); first++) {
    if (first === state.chosen[groupOf[first]!]) continue;
    const second = bestSecondMove(state, changes, first, threshold);
    if (second < 0) continue;
    applyMove(state, first);
    applyMove(state, second);
    fillChanges(state, changes);
    hasImproved = true;
  }
  return hasImproved;
}

function fillChanges(state: SearchState, changes: Float64Array): void {
  for (let variable = 0; variable < changes.length; variable++) changes[variable] = changeOfMove(state, variable);
}

/** This loop is where local search spends its time, hence the flat indexing. */
function bestSecondMove(state: SearchState, changes: Float64Array, first: number, threshold: number): number {
  const { program, chosen } = state;
  const { quadratic, variableCount, groupOf, offsets } = program;
  const group = groupOf[first]!;
  const [row, leavingRow] = [first * variableCount, chosen[group]! * variableCount];
  let [best, bestChange] = [-1, threshold];
  for (let other = group + 1; other < program.groupCount; other++) {
    const current = chosen[other]!;
    const base = changes[first]! - quadratic[row + current]! + quadratic[leavingRow + current]!;
    for (let second = offsets[other]!; second < offsets[other + 1]!; second++) {
      const change = base + changes[second]! + quadratic[row + second]! - quadratic[leavingRow + second]!;
      if (change >= bestChange || second === current || !fits(state, first, second)) continue;
      [best, bestChange] = [second, change];
    }
  }
  return best;
}

/** Whether the rows still hold after one move, or after two when `second` is a variable. */
function fits({ program, chosen, loads }: SearchState, first: number, second: number): boolean {
  const { rows, groupOf } = program;
  const leaving = chosen[groupOf[first]!]!;
  for (let index = 0; index < rows.length; index++) {
    const { costs, limit } = rows[index]!;
    let load = loads[index]! + costs[first]! - costs[leaving]!;
    if (second >= 0) load += costs[second]! - costs[chosen[groupOf[second]!]!]!;
    if (load > limit) return false;
  }
  return true;
}
