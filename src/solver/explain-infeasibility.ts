/**
 * Which limits of a program without assignments contradict each other. Every least sum is a program with a linear objective,
 * and branch and bound solves it.
 */
import type { Contradiction } from '../program/contradiction.ts';
import { leftHandSides } from '../program/evaluate-assignment.ts';
import { findContradictions, type LeastSum } from '../program/find-contradictions.ts';
import type { QuadraticProgram } from '../program/quadratic-program.ts';
import { assignmentOf } from '../program/variables.ts';
import { branchAndBound } from './branch-and-bound.ts';
import { convexify } from './convexify.ts';
import { indexProgram } from './indexed-program.ts';
import { searchLocally } from './local-search.ts';
import { termwiseBound } from './termwise-bound.ts';

/** @param smallest the smallest limit of every constraint alone, shape [constraintCount] */
export function explainInfeasibility(
  program: QuadraticProgram,
  smallest: readonly number[],
  stop: () => boolean,
): Promise<readonly Contradiction[]> {
  const { constraints } = program;
  return findContradictions({
    constraints,
    smallest,
    leastSum: (index, others) => leastSum(program, index, others, stop),
  });
}

/** The least Σ cost·x of one constraint over the assignments that keep the others. */
function leastSum(
  { groupSizes, constraints }: QuadraticProgram,
  index: number,
  others: readonly number[],
  stop: () => boolean,
): LeastSum {
  const { costs } = constraints[index]!;
  const quadratic = new Float64Array(costs.length ** 2);
  costs.forEach((cost, variable) => {
    quadratic[variable * (costs.length + 1)] = 2 * cost;
  });
  const source = { groupSizes, quadratic, constraints: others.map((other) => constraints[other]!) };
  const program = indexProgram(source);
  const start = searchLocally(program, stop);
  const limits = { relativeGap: 0, stop, report: () => {} };
  const { incumbent, bestBound } = branchAndBound(program, convexify(program), start, termwiseBound(program), limits);
  if (incumbent === undefined) return { found: undefined, bound: bestBound, isLeast: false };
  const assignment = assignmentOf(source, incumbent.chosen);
  const [found] = leftHandSides({ ...source, constraints: [constraints[index]!] }, assignment);
  return { found, bound: bestBound, isLeast: bestBound >= incumbent.objective };
}
