/** What an assignment is worth, and whether it keeps the constraints. */
import type { Assignment, LinearConstraint, QuadraticProgram } from './quadratic-program.ts';
import { chosenVariables, variableOffsets } from './variables.ts';

/**
 * Rounding that a sum of costs may carry, relative to the largest number in it: a hundred terms in double precision stay
 * below 1e-13. A cost in bytes is an integer, so nothing over the limit passes below 10¹¹ bytes.
 */
const SUM_TOLERANCE = 1e-12;

/** ½ xᵀGx of the one-hot x that the assignment stands for. */
export function objectiveOf(program: QuadraticProgram, assignment: Assignment): number {
  const chosen = chosenVariables(program, assignment);
  const variableCount = variableOffsets(program.groupSizes)[program.groupSizes.length]!;
  let sum = 0;
  for (const [group, variable] of chosen.entries()) {
    const row = program.quadratic.subarray(variable * variableCount, (variable + 1) * variableCount);
    sum += row[variable]! / 2;
    for (let other = 0; other < group; other++) sum += row[chosen[other]!]!;
  }
  return sum;
}

/** Σ cost·x of every constraint, shape [constraintCount]. */
export function leftHandSides(program: QuadraticProgram, assignment: Assignment): readonly number[] {
  const chosen = chosenVariables(program, assignment);
  return program.constraints.map(({ costs }) => chosen.reduce((sum, variable) => sum + costs[variable]!, 0));
}

/** Whether every constraint holds, up to the rounding of its own sum. */
export function isFeasible(program: QuadraticProgram, assignment: Assignment): boolean {
  const sums = leftHandSides(program, assignment);
  return program.constraints.every((constraint, index) => sums[index]! <= roundedLimit(constraint));
}

/** The limit with the room that the rounding of a sum of costs needs. */
export function roundedLimit({ costs, limit }: LinearConstraint): number {
  const largest = costs.reduce((most, cost) => Math.max(most, Math.abs(cost)), Math.abs(limit));
  return limit + SUM_TOLERANCE * largest;
}
