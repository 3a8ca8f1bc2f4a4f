/**
 * Whether the budget and the further limits leave an allocation, and if not, what would: found before the model runs.
 *
 * The size of the file depends on the set of widths in use, so every question is asked once per set, and the least answer counts.
 */
import { type Problem, type SourceLocation, UserError } from '../errors.ts';
import { describeInfeasibility, type NamedLimit } from '../program/contradiction.ts';
import { findContradictions, type LeastSum } from '../program/find-contradictions.ts';
import type { LinearConstraint } from '../program/quadratic-program.ts';
import type { Solve, SolveLimits } from '../solver/solution.ts';
import { allocate, NoAllocationError, programLimit, programOver, sizeConstraint, UnsolvedError } from './allocate.ts';
import { type AllocationProblem, type FurtherLimit, variablesWhere } from './allocation-problem.ts';
import { bitsPerWeight, smallestSum, smallestUse } from './smallest-allocation.ts';
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
  if (further.length === 0 || (await mayHaveAllocation(problem, solve))) return [];
  const smallest = [
    smallestUse(problem),
    ...further.map(({ costs }) => smallestSum(problem, (variable) => costs[variable]!)),
  ];
  const constraints = [sizeConstraint(problem, budget.limit), ...further];
  const contradictions = await findContradictions({
    constraints,
    smallest,
    leastSum: (index, others) => leastSum(problem, index, others, solve),
  });
  return contradictions.map((contradiction) => {
    const relaxations = contradiction.relaxations.map((relaxation) => ({
      ...relaxation,
      limit: readable(problem, relaxation.constraint, relaxation.limit),
    }));
    const infeasibility = {
      smallestLimits: smallest.map((least, index) => readable(problem, index, least)),
      contradictions: [{ ...contradiction, relaxations }],
    };
    const limits = contradiction.constraints.flatMap((index) => (index === BUDGET ? [] : [constraints[index]!.name]));
    return { ...describeInfeasibility(namedLimits(problem), infeasibility)[0]!, limits };
  });
}

/** The least of the budget that goes with all further limits; undefined where nothing does, or nothing was found in time. */
export async function smallestAgreeingUse(problem: AllocationProblem, solve: Solve): Promise<number | undefined> {
  const further = [...problem.constraints.keys()].map((index) => index + 1);
  if (further.length === 0) return smallestUse(problem);
  return (await leastSum(problem, BUDGET, further, solve)).found;
}

/** Whether any allocation keeps all limits, or that is not settled in time. */
async function mayHaveAllocation(problem: AllocationProblem, solve: Solve): Promise<boolean> {
  try {
    await allocate(problem, new Float64Array(problem.choices.length ** 2), solve, SOLVE_LIMITS);
    return true;
  } catch (error) {
    if (error instanceof NoAllocationError) return false;
    if (error instanceof UnsolvedError) return true;
    throw error;
  }
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
  const sums: LeastSum[] = [];
  for (const usable of sets) sums.push(await leastSumOf(problem, index, others, usable, solve));
  const found = Math.min(...sums.flatMap((sum) => sum.found ?? []));
  const bound = Math.min(...sums.map((sum) => sum.bound));
  return { found: Number.isFinite(found) ? found : undefined, bound, isLeast: bound >= found };
}

/** The same over the usable variables; of a file, for one that has all that they share. */
async function leastSumOf(
  problem: AllocationProblem,
  index: number,
  others: readonly number[],
  usable: readonly number[],
  solve: Solve,
): Promise<LeastSum> {
  const constraints = others.map((other) => constraintOf(problem, other, usable));
  const { costs } = index === BUDGET ? sizeConstraint(problem, 0) : problem.constraints[index - 1]!;
  const joined = programOver(
    problem,
    linearObjective(costs),
    usable,
    constraints.filter((each) => each !== undefined),
  );
  if (joined === undefined || constraints.includes(undefined)) return NOTHING;
  const solution = await solve(joined.program, SOLVE_LIMITS);
  if (solution.status === 'infeasible') return NOTHING;
  if (solution.status === 'failed') return { found: undefined, bound: Number.NEGATIVE_INFINITY, isLeast: false };
  const sum = joined.variablesOf(solution.assignment).reduce((total, variable) => total + costs[variable]!, 0);
  const inUse = (amount: number) =>
    index === BUDGET && problem.budget.kind === 'file-bytes' ? problem.fileBytes(amount, usable) : amount;
  const isLeast = solution.status === 'optimal';
  return { found: inUse(sum), bound: isLeast ? inUse(sum) : Number.NEGATIVE_INFINITY, isLeast };
}

const NOTHING: LeastSum = { found: undefined, bound: Number.POSITIVE_INFINITY, isLeast: false };

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
