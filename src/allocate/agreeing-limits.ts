/** Whether the budget and the further limits leave an allocation, and if not, what would: found before the model runs. */
import { type Problem, type SourceLocation, UserError } from '../errors.ts';
import { describeInfeasibility, type NamedLimit } from '../program/contradiction.ts';
import { findContradictions } from '../program/find-contradictions.ts';
import type { Solve } from '../solver/solution.ts';
import { sizeConstraint } from './allocate.ts';
import type { AllocationProblem, FurtherLimit } from './allocation-problem.ts';
import { askOnce, BUDGET, furtherLimits, hasAllocation, type LeastSumOf, leastSum } from './least-sum.ts';
import { bitsPerWeight, describeFixedExcess, smallestSum, smallestUse } from './smallest-allocation.ts';

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
  const { bound } = await ask(BUDGET, furtherLimits(problem));
  return bound <= problem.budget.limit;
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
