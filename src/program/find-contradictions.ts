/**
 * Which limits contradict each other, and how far each would have to be raised.
 *
 * Both are answered by the same question: what is the least that one sum of costs can be while other limits are kept?
 */
import type { Contradiction, Relaxation } from './contradiction.ts';
import { roundedLimit } from './evaluate-assignment.ts';
import type { LinearConstraint } from './quadratic-program.ts';

export type LeastSum = {
  /** The least sum that was found, undefined if there is none or none was found in time. */
  readonly found: number | undefined;
  readonly bound: number;
  readonly isLeast: boolean;
};

/** Limits that nothing keeps all together, and how they are asked about. */
export type Limits = {
  readonly constraints: readonly LinearConstraint[];
  /** The smallest limit of every constraint alone, shape [constraintCount]. */
  readonly smallest: readonly number[];
  /** The least Σ cost·x of one constraint while `others` are kept; both by their indices. */
  leastSum(constraint: number, others: readonly number[]): LeastSum | Promise<LeastSum>;
};

export async function findContradictions(limits: Limits): Promise<readonly Contradiction[]> {
  const { constraints, smallest } = limits;
  const all = [...constraints.keys()];
  const impossible = all.filter((index) => smallest[index]! > roundedLimit(constraints[index]!));
  if (impossible.length > 1) {
    return impossible.map((index) => ({ constraints: [index], isMinimal: true, relaxations: [] }));
  }
  const { members, isMinimal } =
    impossible.length === 1 ? { members: impossible, isMinimal: true } : await fewestOf(limits, all);
  return [{ constraints: members, isMinimal, relaxations: await relaxationsOf(limits, members) }];
}

/** Leave out every constraint without which the others still contradict each other. */
async function fewestOf(limits: Limits, all: readonly number[]) {
  let members = all;
  let isMinimal = true;
  for (const index of all) {
    const fewer = members.filter((member) => member !== index);
    const answer = await canBeKept(limits, fewer);
    if (answer === 'no') members = fewer;
    if (answer === 'unknown') isMinimal = false;
  }
  return { members, isMinimal };
}

async function canBeKept(
  { constraints, leastSum }: Limits,
  [index, ...others]: readonly number[],
): Promise<'yes' | 'no' | 'unknown'> {
  if (index === undefined) return 'yes';
  const { found, bound } = await leastSum(index, others);
  const limit = roundedLimit(constraints[index]!);
  if (found !== undefined && found <= limit) return 'yes';
  return bound > limit ? 'no' : 'unknown';
}

async function relaxationsOf({ constraints, leastSum }: Limits, members: readonly number[]): Promise<Relaxation[]> {
  const relaxations: Relaxation[] = [];
  for (const constraint of members) {
    const others = [...constraints.keys()].filter((index) => index !== constraint);
    const { found, isLeast } = await leastSum(constraint, others);
    if (found !== undefined) relaxations.push({ constraint, limit: found, isSmallest: isLeast });
  }
  const change = ({ constraint, limit }: Relaxation) => {
    const given = constraints[constraint]!.limit;
    return (limit - given) / Math.abs(given);
  };
  return relaxations.sort((first, second) => change(first) - change(second));
}
