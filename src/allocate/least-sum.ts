/**
 * The least that an allocation takes of one limit while it keeps others.
 *
 * The size of the file depends on the set of widths in use, so it is asked once per set, and the least answer counts.
 */
import type { LeastSum, Limits } from '../program/find-contradictions.ts';
import type { LinearConstraint } from '../program/quadratic-program.ts';
import type { Solve, SolveLimits } from '../solver/solution.ts';
import { programLimit, programOver, sizeConstraint } from './allocate.ts';
import { type AllocationProblem, variablesWhere } from './allocation-problem.ts';
import { variablesByWidths } from './width-subsets.ts';

/** A linear objective usually takes milliseconds. */
const SOLVE_LIMITS: SolveLimits = { timeLimitSeconds: 10, relativeGap: 0 };

/** The index of the budget among all limits; the further ones follow. */
export const BUDGET = 0;

/** Indices of the further limits among all. */
export function furtherLimits({ constraints }: AllocationProblem): number[] {
  return [...constraints.keys()].map((index) => index + 1);
}

export type LeastSumOf = Limits['leastSum'];

/** Each question is answered once. */
export function askOnce(ask: LeastSumOf): LeastSumOf {
  const answers = new Map<string, LeastSum | Promise<LeastSum>>();
  return (index, others) => {
    const question = `${index} with ${others}`;
    const answer = answers.get(question) ?? ask(index, others);
    answers.set(question, answer);
    return answer;
  };
}

/** Whether an allocation is found at once, with room for all that every width needs. */
export async function hasAllocation(problem: AllocationProblem, solve: Solve): Promise<boolean> {
  const all = variablesWhere(problem, () => true);
  const limits = [BUDGET, ...furtherLimits(problem)].map((index) => constraintOf(problem, index, all));
  const costs = new Float64Array(problem.choices.length);
  return (await solveLinear(problem, costs, all, limits, solve, SOLVE_LIMITS)).found === 0;
}

/** The least of one limit's sum over the allocations that keep `others`, with the bytes of the very file where that is the sum. */
export async function leastSum(
  problem: AllocationProblem,
  index: number,
  others: readonly number[],
  solve: Solve,
): Promise<LeastSum> {
  const isOfFile = problem.budget.kind === 'file-bytes' && (index === BUDGET || others.includes(BUDGET));
  const sets = isOfFile ? variablesByWidths(problem) : [variablesWhere(problem, () => true)];
  const { costs } = index === BUDGET ? sizeConstraint(problem, 0) : problem.constraints[index - 1]!;
  const limits = { ...SOLVE_LIMITS, signal: AbortSignal.timeout(1000 * SOLVE_LIMITS.timeLimitSeconds) };
  const solved: SolvedSet[] = [];
  let [found, bound] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const usable of sets) {
    if (index === BUDGET && isFileAtLeast(problem, usable, solved, found)) continue;
    const kept = others.map((other) => constraintOf(problem, other, usable));
    const sum = await solveLinear(problem, costs, usable, kept, solve, limits);
    solved.push({ usable: new Set(usable), bound: sum.bound });
    const inUse = (amount: number) => (isOfFile && index === BUDGET ? fileBytesOf(problem, amount, usable) : amount);
    found = Math.min(found, inUse(sum.found));
    bound = Math.min(bound, inUse(sum.bound));
  }
  return { found: Number.isFinite(found) ? found : undefined, bound, isLeast: bound >= found };
}

/** Nothing that fewer widths allow takes less than the bound. */
type SolvedSet = { readonly usable: ReadonlySet<number>; readonly bound: number };

/** Whether files with all that is usable have so many bytes, by what is known of more widths. */
function isFileAtLeast(
  problem: AllocationProblem,
  usable: readonly number[],
  solved: readonly SolvedSet[],
  sizeBytes: number,
): boolean {
  const wider = solved.filter((set) => usable.every((variable) => set.usable.has(variable)));
  return fileBytesOf(problem, Math.max(0, ...wider.map(({ bound }) => bound)), usable) >= sizeBytes;
}

function fileBytesOf(problem: AllocationProblem, partBytes: number, usable: readonly number[]): number {
  return Number.isFinite(partBytes) ? problem.fileBytes(partBytes, usable) : partBytes;
}

/** Both infinite where there is none. */
type FoundSum = { readonly found: number; readonly bound: number };

const NOTHING: FoundSum = { found: Number.POSITIVE_INFINITY, bound: Number.POSITIVE_INFINITY };

/**
 * The least Σ cost·x over the usable variables within the limits.
 *
 * @param kept undefined for one that nothing keeps
 */
async function solveLinear(
  problem: AllocationProblem,
  costs: Float64Array,
  usable: readonly number[],
  kept: readonly (LinearConstraint | undefined)[],
  solve: Solve,
  limits: SolveLimits,
): Promise<FoundSum> {
  const constraints = kept.filter((constraint) => constraint !== undefined);
  const joined = programOver(problem, linearObjective(costs), usable, constraints);
  if (joined === undefined || constraints.length < kept.length) return NOTHING;
  const solution = await solve(joined.program, limits);
  if (solution.status === 'infeasible') return NOTHING;
  if (solution.status === 'failed') return { ...NOTHING, bound: Number.NEGATIVE_INFINITY };
  const sum = joined.variablesOf(solution.assignment).reduce((total, variable) => total + costs[variable]!, 0);
  return { found: sum, bound: solution.status === 'optimal' ? sum : solution.bestBound };
}

/** Undefined for a budget that what is usable exceeds by itself. */
function constraintOf(
  problem: AllocationProblem,
  index: number,
  usable: readonly number[],
): LinearConstraint | undefined {
  if (index !== BUDGET) return problem.constraints[index - 1]!;
  const limit = programLimit(problem, usable);
  return limit === undefined ? undefined : sizeConstraint(problem, limit);
}

/** ½ xᵀGx = Σ cost·x for binary x. */
function linearObjective(costs: Float64Array): Float64Array {
  const quadratic = new Float64Array(costs.length ** 2);
  for (const [variable, cost] of costs.entries()) quadratic[variable * (costs.length + 1)] = 2 * cost;
  return quadratic;
}
