/**
 * Whether the budget and the further limits leave an allocation, and if not, what would: found before the model runs.
 *
 * The size of the file depends on the set of widths in use, so every question is asked once per set, and the least answer counts.
 */
import { type Problem, type SourceLocation, UserError } from '../errors.ts';
import { describeInfeasibility, type NamedLimit } from '../program/contradiction.ts';
import { findContradictions, type LeastSum, type Limits } from '../program/find-contradictions.ts';
import type { LinearConstraint } from '../program/quadratic-program.ts';
import type { Solve, SolveLimits } from '../solver/solution.ts';
import { programLimit, programOver, sizeConstraint } from './allocate.ts';
import { type AllocationProblem, type FurtherLimit, variablesWhere } from './allocation-problem.ts';
import { bitsPerWeight, describeFixedExcess, smallestSum, smallestUse } from './smallest-allocation.ts';
import { variablesByWidths } from './width-subsets.ts';

/** A linear objective usually takes milliseconds. */
const SOLVE_LIMITS: SolveLimits = { timeLimitSeconds: 10, relativeGap: 0 };

/** The index of the budget among all limits; the further ones follow. */
const BUDGET = 0;

/**
 * @param places of further limits in the config, by their names
 * @throws UserError naming the limits that contradict each other, and the smallest relaxation of each
 */
export async function assertAgreeing(
  problem: AllocationProblem,
  solve: Solve,
  places: readonly { readonly name: string; readonly location?: SourceLocation }[],
): Promise<void> {
  const problems = await explainNoAllocation(problem, solve);
  if (problems.length === 0) return;
  throw new UserError(
    problems.map(({ limits, ...words }) => {
      const where = places.find(({ name, location }) => location !== undefined && limits.includes(name))?.location;
      return { ...words, ...(where === undefined ? {} : { where }) };
    }),
  );
}

/** Why there is no allocation, and what would give one. */
export type Disagreement = Problem & {
  /** Names of the further limits that it is about. */
  readonly limits: readonly string[];
};

/** Empty where there is an allocation, and where that is not settled in time. The budget alone is feasible (`assertFeasible`). */
export async function explainNoAllocation(problem: AllocationProblem, solve: Solve): Promise<readonly Disagreement[]> {
  const { budget, constraints: further } = problem;
  const ask = askOnce((index, others) => leastSum(problem, index, others, solve));
  if (further.length === 0 || (await mayHaveAllocation(problem, solve, ask))) return [];
  const smallest = [
    smallestUse(problem),
    ...further.map(({ costs }) => smallestSum(problem, (variable) => costs[variable]!)),
  ];
  const constraints = [sizeConstraint(problem, budget.limit), ...further];
  const contradictions = await findContradictions({ constraints, smallest, leastSum: ask });
  return contradictions.map((contradiction) => {
    const relaxations = contradiction.relaxations.map((relaxation) => ({
      ...relaxation,
      limit: readable(problem, relaxation.constraint, relaxation.limit),
    }));
    const infeasibility = {
      smallestLimits: smallest.map((least, index) => readable(problem, index, least)),
      contradictions: [{ ...contradiction, relaxations }],
    };
    const { what, ...rest } = describeInfeasibility(namedLimits(problem), infeasibility)[0]!;
    const members = contradiction.constraints.map((index) => constraints[index]!);
    const excess = members.map(({ costs, limit }) =>
      describeFixedExcess(problem, (variable) => costs[variable]!, limit),
    );
    const limits = contradiction.constraints.flatMap((index) => (index === BUDGET ? [] : [constraints[index]!.name]));
    return { what: `${what}${excess.join('')}`, ...rest, limits };
  });
}

/** The least of the budget that goes with all further limits; undefined where nothing does, or nothing was found in time. */
export async function smallestAgreeingUse(problem: AllocationProblem, solve: Solve): Promise<number | undefined> {
  if (problem.constraints.length === 0) return smallestUse(problem);
  return (await leastSum(problem, BUDGET, furtherLimits(problem), solve)).found;
}

/** Whether any allocation keeps all limits, or that is not settled in time. */
async function mayHaveAllocation(problem: AllocationProblem, solve: Solve, ask: LeastSumOf): Promise<boolean> {
  if (await hasAllocation(problem, solve)) return true;
  const { found, bound } = await ask(BUDGET, furtherLimits(problem));
  return bound <= problem.budget.limit || (found !== undefined && found <= problem.budget.limit);
}

/** Whether one is found at once, with room for all that every width needs. */
async function hasAllocation(problem: AllocationProblem, solve: Solve): Promise<boolean> {
  const all = variablesWhere(problem, () => true);
  const limits = [BUDGET, ...furtherLimits(problem)].map((index) => constraintOf(problem, index, all));
  const costs = new Float64Array(problem.choices.length);
  return (await solveLinear(problem, costs, all, limits, solve, SOLVE_LIMITS)).found === 0;
}

/** Indices of the further limits among all. */
function furtherLimits({ constraints }: AllocationProblem): number[] {
  return [...constraints.keys()].map((index) => index + 1);
}

type LeastSumOf = Limits['leastSum'];

/** Each question is answered once. */
function askOnce(ask: LeastSumOf): LeastSumOf {
  const answers = new Map<string, LeastSum | Promise<LeastSum>>();
  return (index, others) => {
    const question = `${index} with ${others}`;
    const answer = answers.get(question) ?? ask(index, others);
    answers.set(question, answer);
    return answer;
  };
}

/** The least of one limit's sum over the allocations that keep `others`, with the bytes of the very file where that is the sum. */
async function leastSum(
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

function namedLimits(problem: AllocationProblem): NamedLimit[] {
  const { budget, constraints } = problem;
  const size =
    budget.kind === 'file-bytes'
      ? { name: 'size in bytes', limit: budget.limit }
      : { name: 'bits per weight', limit: bitsPerWeight(problem, budget.limit) };
  return [size, ...constraints.map((constraint) => ({ name: nameWithUnit(constraint), limit: constraint.limit }))];
}

/** `latency in ms`. */
function nameWithUnit({ name, unit }: FurtherLimit): string {
  return unit === undefined ? name : `${name} in ${unit}`;
}

/** Digits of a sum of costs that are no whole numbers. */
const SUM_DIGITS = 6;

/** In the unit of the message, rounded up where that is shorter, so that the number named is itself enough. */
function readable(problem: AllocationProblem, index: number, sum: number): number {
  if (index === BUDGET) return problem.budget.kind === 'file-bytes' ? sum : bitsPerWeight(problem, sum);
  if (Number.isInteger(sum)) return sum;
  const step = 10 ** (Math.ceil(Math.log10(sum)) - SUM_DIGITS);
  const up = Number((Math.ceil(sum / step - 1e-9) * step).toPrecision(SUM_DIGITS + 1));
  return Math.max(up, sum);
}
