/**
 * Which limits of a program without assignments contradict each other, and how far each would have to be raised.
 *
 * Both are answered by the same question: what is the least that one constraint's sum can be while others are kept? It is
 * a program with a linear objective, and branch and bound solves it.
 */
import type { Contradiction, Relaxation } from '../program/contradiction.ts';
import { leftHandSides, roundedLimit } from '../program/evaluate-assignment.ts';
import type { QuadraticProgram } from '../program/quadratic-program.ts';
import { assignmentOf } from '../program/variables.ts';
import { branchAndBound } from './branch-and-bound.ts';
import { convexify } from './convexify.ts';
import { indexProgram } from './indexed-program.ts';
import { searchLocally } from './local-search.ts';
import { termwiseBound } from './termwise-bound.ts';

/** @param smallest the smallest limit of every constraint alone, shape [constraintCount] */
export function findContradictions(
  program: QuadraticProgram,
  smallest: readonly number[],
  stop: () => boolean,
): readonly Contradiction[] {
  const all = [...program.constraints.keys()];
  const impossible = all.filter((index) => smallest[index]! > roundedLimit(program.constraints[index]!));
  if (impossible.length > 1) {
    return impossible.map((index) => ({ constraints: [index], isMinimal: true, relaxations: [] }));
  }
  const { members, isMinimal } =
    impossible.length === 1 ? { members: impossible, isMinimal: true } : fewestOf(program, all, stop);
  return [{ constraints: members, isMinimal, relaxations: relaxationsOf(program, members, stop) }];
}

/** Leave out every constraint without which the others still contradict each other. */
function fewestOf(program: QuadraticProgram, all: readonly number[], stop: () => boolean) {
  let members = all;
  let isMinimal = true;
  for (const index of all) {
    const fewer = members.filter((member) => member !== index);
    const answer = canBeKept(program, fewer, stop);
    if (answer === 'no') members = fewer;
    if (answer === 'unknown') isMinimal = false;
  }
  return { members, isMinimal };
}

function canBeKept(
  program: QuadraticProgram,
  [index, ...others]: readonly number[],
  stop: () => boolean,
): 'yes' | 'no' | 'unknown' {
  if (index === undefined) return 'yes';
  const { found, bound } = leastSum(program, index, others, stop);
  const limit = roundedLimit(program.constraints[index]!);
  if (found !== undefined && found <= limit) return 'yes';
  return bound > limit ? 'no' : 'unknown';
}

function relaxationsOf(program: QuadraticProgram, members: readonly number[], stop: () => boolean): Relaxation[] {
  const relaxations = members.flatMap((constraint) => {
    const others = [...program.constraints.keys()].filter((index) => index !== constraint);
    const { found, isLeast } = leastSum(program, constraint, others, stop);
    return found === undefined ? [] : [{ constraint, limit: found, isSmallest: isLeast }];
  });
  const change = ({ constraint, limit }: Relaxation) => {
    const given = program.constraints[constraint]!.limit;
    return (limit - given) / Math.abs(given);
  };
  return relaxations.sort((first, second) => change(first) - change(second));
}

type LeastSum = {
  /** The least sum that was found, undefined if there is none or none was found in time. */
  readonly found: number | undefined;
  readonly bound: number;
  readonly isLeast: boolean;
};

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
