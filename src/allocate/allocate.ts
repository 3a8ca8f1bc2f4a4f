/** Sensitivities and a budget to an allocation: the integer quadratic program, solved over the widths that the file can hold. */
import { joinGroups } from '../program/join-groups.ts';
import type { Assignment, LinearConstraint, QuadraticProgram } from '../program/quadratic-program.ts';
import { variableOffsets } from '../program/variables.ts';
import type { Solution, Solve, SolveLimits } from '../solver/solution.ts';
import {
  type AllocationProblem,
  type Choice,
  type ChosenVariables,
  candidateCounts,
  variablesWhere,
} from './allocation-problem.ts';
import { jointChoices } from './joint-choices.ts';
import { weightBitsOf } from './smallest-allocation.ts';
import { variablesByWidths } from './width-subsets.ts';

export type SolverOutcome = Omit<Extract<Solution, { status: 'optimal' | 'feasible' }>, 'assignment' | 'proof'>;

export type Allocation = {
  readonly variables: ChosenVariables;
  readonly solver: SolverOutcome;
};

/** Not a fault where several budgets are tried. */
export class NoAllocationError extends Error {
  override readonly name = 'NoAllocationError';
}

/** The solver ended without an answer: its time was over, it was cancelled, or it failed. */
export class UnsolvedError extends Error {
  override readonly name = 'UnsolvedError';
}

/**
 * The allocation with the least predicted loss that fits.
 *
 * The program's size limit leaves room for the decoding of every offered width. Where the solution uses fewer, it is solved
 * once more for these alone, with the room that the others gave back; where it is infeasible, for every smaller set.
 *
 * @param quadratic G, shape [variableCount, variableCount]
 * @throws NoAllocationError if no allocation keeps the budget and the further limits together; a budget that is too small by
 *   itself is refused before (`assertFeasible`)
 * @throws UnsolvedError if the solver ends without an allocation
 */
export async function allocate(
  problem: AllocationProblem,
  quadratic: Float64Array,
  solve: Solve,
  limits: SolveLimits,
): Promise<Allocation> {
  const attempt = (usable: readonly number[]) => solveFor(problem, quadratic, usable, solve, limits);
  const first = await attempt(variablesWhere(problem, () => true));
  const others = first === undefined ? variablesByWidths(problem).slice(1) : sharingNoMore(problem, first.variables);
  let best = first;
  for (const usable of others) {
    if (best !== undefined && limits.signal?.aborted) break;
    const other = await attempt(usable);
    if (other !== undefined && !(best !== undefined && best.solver.objective <= other.solver.objective)) best = other;
  }
  if (best === undefined) throw new NoAllocationError('no allocation keeps the budget and all other limits together');
  return best;
}

/** The variables that share nothing but what the allocation uses already, if those are fewer than all. */
function sharingNoMore(problem: AllocationProblem, variables: ChosenVariables): number[][] {
  if (problem.budget.kind === 'weight-bits') return [];
  const used = new Set(variables.map((variable) => problem.choices[variable]!.sharedPart));
  const usable = variablesWhere(problem, ({ sharedPart }) => used.has(sharedPart));
  return usable.length === problem.choices.length ? [] : [usable];
}

/** Undefined when no allocation of these widths fits. */
async function solveFor(
  problem: AllocationProblem,
  quadratic: Float64Array,
  usable: readonly number[],
  solve: Solve,
  limits: SolveLimits,
): Promise<Allocation | undefined> {
  const limit = programLimit(problem, usable);
  if (limit === undefined) return undefined;
  const joined = programOver(problem, quadratic, usable, [sizeConstraint(problem, limit), ...problem.constraints]);
  if (joined === undefined) return undefined;
  const solution = await solve(joined.program, limits);
  if (solution.status === 'infeasible') return undefined;
  if (solution.status === 'failed') throw new UnsolvedError(`the allocation could not be solved: ${solution.reason}`);
  const { assignment, proof: _proof, ...solver } = solution;
  return { variables: joined.variablesOf(assignment), solver };
}

export type JoinedProgram = {
  readonly program: QuadraticProgram;
  variablesOf(assignment: Assignment): ChosenVariables;
};

/** The program over the usable variables, tied layers as one; undefined when some layer has none of them. */
export function programOver(
  problem: AllocationProblem,
  quadratic: Float64Array,
  usable: readonly number[],
  constraints: readonly LinearConstraint[],
): JoinedProgram | undefined {
  const sets = jointChoices(problem, usable);
  if (sets === undefined) return undefined;
  const groupSizes = candidateCounts(problem);
  const { program, restore } = joinGroups({ groupSizes, quadratic, constraints }, sets);
  const offsets = variableOffsets(groupSizes);
  const variablesOf = (assignment: Assignment) => restore(assignment).map((choice, layer) => offsets[layer]! + choice);
  return { program, variablesOf };
}

/** The layers' parts within a limit. */
export function sizeConstraint({ choices, budget }: AllocationProblem, limit: number): LinearConstraint {
  const costOf = budget.kind === 'file-bytes' ? ({ partBytes }: Choice) => partBytes : weightBitsOf;
  return { name: 'size', costs: Float64Array.from(choices, costOf), limit };
}

/** What the layers' parts may take; undefined when even the smallest do not fit. */
export function programLimit(problem: AllocationProblem, usable: readonly number[]): number | undefined {
  const { budget } = problem;
  if (budget.kind === 'weight-bits') return budget.limit;
  let limit = budget.limit - problem.fileBytes(0, usable);
  // The length of the graph is stored in a few bytes more as the graph grows.
  while (limit > 0 && problem.fileBytes(limit, usable) > budget.limit) limit -= 1;
  return limit > 0 ? limit : undefined;
}
