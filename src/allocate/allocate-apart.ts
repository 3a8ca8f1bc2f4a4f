/** Near-optimal allocations: what the program would choose if some were not to be had. */
import type { LinearConstraint } from '../program/quadratic-program.ts';
import type { Solve, SolveLimits } from '../solver/solution.ts';
import { type Allocation, allocate, NoAllocationError, UnsolvedError } from './allocate.ts';
import { type AllocationProblem, type ChosenVariables, candidateCounts } from './allocation-problem.ts';

/**
 * The allocation with the least predicted loss among those that give at least `leastLayers` layers another width than each
 * of `others` does.
 *
 * @param quadratic G, shape [variableCount, variableCount]
 * @returns undefined where there is none, or none was found within the solver's limits
 */
export async function allocateApart(
  problem: AllocationProblem,
  quadratic: Float64Array,
  others: readonly ChosenVariables[],
  leastLayers: number,
  solve: Solve,
  limits: SolveLimits,
): Promise<Allocation | undefined> {
  if (leastLayers > freeLayerCount(problem)) return undefined;
  const apart = others.map((variables, index) => apartFrom(problem, variables, leastLayers, `apart ${index + 1}`));
  try {
    return await allocate({ ...problem, constraints: [...problem.constraints, ...apart] }, quadratic, solve, limits);
  } catch (error) {
    if (error instanceof NoAllocationError || error instanceof UnsolvedError) return undefined;
    throw error;
  }
}

/** Layers that have a choice. */
export function freeLayerCount(problem: AllocationProblem): number {
  return candidateCounts(problem).filter((count) => count > 1).length;
}

/** Σ x(chosen) ≤ I − k: of I layers, at most so many keep the width that `variables` give them. */
function apartFrom(
  { choices, layerNames }: AllocationProblem,
  variables: ChosenVariables,
  leastLayers: number,
  name: string,
): LinearConstraint {
  const chosen = new Set(variables);
  const costs = Float64Array.from(choices, (_, variable) => (chosen.has(variable) ? 1 : 0));
  return { name, costs, limit: layerNames.length - leastLayers };
}
