/** Sensitivities and a budget to an allocation: the integer quadratic program, solved over the widths that the file can hold. */
import type { LinearConstraint, QuadraticProgram } from '../program/quadratic-program.ts';
import { restrictProgram } from '../program/restrict-program.ts';
import { variableOffsets } from '../program/variables.ts';
import type { Solution, Solve, SolveLimits } from '../solver/solution.ts';
import { type AllocationProblem, type ChosenVariables, candidateCounts, offeredWidths } from './allocation-problem.ts';
import { smallestFile } from './smallest-allocation.ts';
import { widthSubsets } from './width-subsets.ts';

export type SolverOutcome = Omit<Extract<Solution, { status: 'optimal' | 'feasible' }>, 'assignment' | 'proof'>;

export type Allocation = {
  readonly variables: ChosenVariables;
  readonly solver: SolverOutcome;
};

/**
 * The allocation with the least predicted loss that fits.
 *
 * The program's size limit leaves room for the decoding of every offered width. Where the solution uses fewer, it is solved
 * once more for these alone, with the room that the others gave back; where it is infeasible, for every smaller set.
 *
 * @param quadratic G, shape [variableCount, variableCount]
 * @throws Error if the solver fails; an infeasible budget is refused before (`assertFeasible`)
 */
export async function allocate(
  problem: AllocationProblem,
  quadratic: Float64Array,
  solve: Solve,
  limits: SolveLimits,
): Promise<Allocation> {
  const attempt = (widths: ReadonlySet<number>) => solveFor(problem, quadratic, widths, solve, limits);
  const first = await attempt(offeredWidths(problem));
  if (first !== undefined) {
    const used = usedWidths(problem, first.variables);
    if (problem.budget.kind === 'weight-bits' || used.size === offeredWidths(problem).size) return first;
    const second = await attempt(used);
    return second !== undefined && second.solver.objective < first.solver.objective ? second : first;
  }
  let best: Allocation | undefined;
  for (const widths of widthSubsets(problem).slice(1)) {
    const other = await attempt(widths);
    if (other !== undefined && (best === undefined || other.solver.objective < best.solver.objective)) best = other;
  }
  if (best === undefined) throw new Error('the program is infeasible although a smallest allocation fits');
  return best;
}

/** Undefined when no allocation of these widths fits. */
async function solveFor(
  problem: AllocationProblem,
  quadratic: Float64Array,
  widths: ReadonlySet<number>,
  solve: Solve,
  limits: SolveLimits,
): Promise<Allocation | undefined> {
  const limit = programLimit(problem, widths);
  if (limit === undefined) return undefined;
  const groupSizes = candidateCounts(problem);
  const whole: QuadraticProgram = {
    groupSizes,
    quadratic,
    constraints: [sizeLimit(problem, limit), ...problem.constraints],
  };
  const restricted = restrictProgram(whole, (variable) => widths.has(problem.choices[variable]!.bitWidth));
  if (restricted === undefined) return undefined;
  const solution = await solve(restricted.program, limits);
  if (solution.status === 'infeasible') return undefined;
  if (solution.status === 'failed') throw new Error(`the allocation could not be solved: ${solution.reason}`);
  const { assignment, proof: _proof, ...solver } = solution;
  const offsets = variableOffsets(groupSizes);
  return { variables: restricted.restore(assignment).map((choice, layer) => offsets[layer]! + choice), solver };
}

function sizeLimit({ choices, budget }: AllocationProblem, limit: number): LinearConstraint {
  const costs = Float64Array.from(choices, ({ partBytes, bitWidth, weightCount }) =>
    budget.kind === 'file-bytes' ? partBytes : bitWidth * weightCount,
  );
  return { name: 'size', costs, limit };
}

/** What the layers' parts may take; undefined when even the smallest do not fit. */
function programLimit(problem: AllocationProblem, widths: ReadonlySet<number>): number | undefined {
  const { budget } = problem;
  if (budget.kind === 'weight-bits') return budget.limit;
  const smallest = smallestFile(problem, widths);
  if (smallest === undefined || smallest > budget.limit) return undefined;
  let limit = budget.limit - problem.fileBytes(0, widths);
  // The length of the graph is stored in a few bytes more as the graph grows.
  while (problem.fileBytes(limit, widths) > budget.limit) limit -= 1;
  return limit;
}

function usedWidths({ choices }: AllocationProblem, variables: ChosenVariables): Set<number> {
  return new Set(variables.map((variable) => choices[variable]!.bitWidth));
}
