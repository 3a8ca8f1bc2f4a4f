/**
 * Good assignments in milliseconds: descents from many starts, then kicks of the best one. Nothing here proves anything;
 * the result is the incumbent that the proofs start from. Equal programs give equal results.
 */

import { seededRandom } from '../random.ts';
import { descend } from './descend.ts';
import { type IndexedProgram, loadOf, objectiveOfChoice } from './indexed-program.ts';
import { applyMove, createSearchState, objectiveOfState, type SearchState } from './search-state.ts';

/** A feasible choice of one variable per group, with its objective. */
export type Incumbent = { readonly chosen: Int32Array; readonly objective: number };

const SEED = 1;
/** Prices of a unit of limit, relative to the objective's scale, that spread the starts from thrifty to lavish. */
const START_PRICES = [1e-4, 1e-3, 1e-2, 1e-1, 1, 10];
/** Random starts find what lies far from any greedy choice; indefinite programs have such optima. */
const MAX_RANDOM_STARTS = 100;
const RANDOM_STARTS_PER_KICK = 0.5;
/** Kicks are as many as fit into about this many evaluated pair moves: a few tenths of a second in JavaScript. */
const PAIR_MOVE_BUDGET = 1e8;
const MAX_KICKS = 200;
const MIN_KICKS = 10;

/**
 * Search from several starts and keep the best feasible choice; undefined if none was found, which proves nothing.
 *
 * @param stop asked between descents and inside them; the search ends early when it says true
 */
export function searchLocally(program: IndexedProgram, stop: () => boolean): Incumbent | undefined {
  const random = seededRandom(SEED);
  let best: Incumbent | undefined;
  for (const start of starts(program, random)) {
    best = better(best, descendFrom(program, start, stop));
    if (stop()) return best;
  }
  for (let kick = kickCount(program); kick > 0 && best !== undefined && !stop(); kick--) {
    best = better(best, descendFrom(program, kicked(program, best.chosen, random), stop));
  }
  return best;
}

/** Descend from any choice, feasible or not; undefined if it cannot be brought inside the limits. */
export function descendFrom(
  program: IndexedProgram,
  start: ArrayLike<number>,
  stop: () => boolean,
): Incumbent | undefined {
  const state = createSearchState(program, start);
  return descend(state, stop) ? { chosen: state.chosen, objective: objectiveOfState(state) } : undefined;
}

/** The choice with its objective, or undefined if it exceeds a limit. */
export function choiceIfFeasible(program: IndexedProgram, variables: ArrayLike<number>): Incumbent | undefined {
  const chosen = Int32Array.from(variables);
  const isFeasible = program.rows.every((row) => loadOf(row, chosen) <= row.limit);
  return isFeasible ? { chosen, objective: objectiveOfChoice(program, chosen) } : undefined;
}

/** The better of two, the first when they tie. */
export function better(first: Incumbent | undefined, second: Incumbent | undefined): Incumbent | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return second.objective < first.objective ? second : first;
}

function* starts(program: IndexedProgram, random: () => number): Generator<Int32Array> {
  const { quadratic, variableCount, rows, scale } = program;
  const single = (variable: number) => quadratic[variable * (variableCount + 1)]! / 2;
  const load = (variable: number) => rows.reduce((sum, { costs }) => sum + costs[variable]!, 0);
  yield cheapestChoice(program, load);
  yield cheapestChoice(program, single);
  for (const price of START_PRICES) {
    yield cheapestChoice(program, (variable) => single(variable) + price * scale * load(variable));
  }
  const randomCount = Math.min(MAX_RANDOM_STARTS, RANDOM_STARTS_PER_KICK * kickCount(program));
  for (let start = 0; start < randomCount; start++) yield cheapestChoice(program, random);
}

function cheapestChoice({ groupCount, offsets }: IndexedProgram, costOf: (variable: number) => number): Int32Array {
  return Int32Array.from({ length: groupCount }, (_, group) => {
    let [best, least] = [offsets[group]!, Number.POSITIVE_INFINITY];
    for (let variable = offsets[group]!; variable < offsets[group + 1]!; variable++) {
      const cost = costOf(variable);
      if (cost < least) [best, least] = [variable, cost];
    }
    return best;
  });
}

function kickCount({ variableCount }: IndexedProgram): number {
  const pairMovesPerKick = 4 * variableCount ** 2;
  return Math.max(MIN_KICKS, Math.min(MAX_KICKS, Math.floor(PAIR_MOVE_BUDGET / pairMovesPerKick)));
}

/** Give two to five groups another variable; the descent repairs what that breaks. */
function kicked(program: IndexedProgram, chosen: Int32Array, random: () => number): Int32Array {
  const state: SearchState = createSearchState(program, chosen);
  for (let moves = 2 + Math.floor(random() * 4); moves > 0; moves--) {
    applyMove(state, Math.floor(random() * program.variableCount));
  }
  return state.chosen;
}
