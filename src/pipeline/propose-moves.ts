/** What a round of moves proposes, from the measured change of each. */
import { allocate, UnsolvedError } from '../allocate/allocate.ts';
import type { ChosenVariables } from '../allocate/allocation-problem.ts';
import type { BuilderInput, BuiltAllocation } from './allocation-builder.ts';

/** The allocation with the least sum of changes that fits the budget and differs in at most so many layers. */
export async function proposeMoves(
  { problem, solve, solveLimits }: BuilderInput,
  { variables }: BuiltAllocation,
  changes: Float64Array,
  mostLayers: number,
): Promise<ChosenVariables | undefined> {
  const taken = new Set(variables);
  const count = problem.choices.length;
  const quadratic = new Float64Array(count * count);
  for (const [variable, change] of changes.entries()) quadratic[variable * (count + 1)] = 2 * change;
  const moves = {
    name: 'moves',
    costs: Float64Array.from({ length: count }, (_, variable) => (taken.has(variable) ? 0 : 1)),
    limit: mostLayers,
  };
  const constrained = { ...problem, constraints: [...problem.constraints, moves] };
  try {
    const allocation = await allocate(constrained, quadratic, solve, solveLimits);
    return String(allocation.variables) === String(variables) ? undefined : allocation.variables;
  } catch (error) {
    // Where it is stays the answer.
    if (error instanceof UnsolvedError) return undefined;
    throw error;
  }
}
