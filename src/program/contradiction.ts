/** Why a program has no assignment, and what would give it one. */
import type { Problem } from '../errors.ts';
import type { LinearConstraint } from './quadratic-program.ts';

/** Limits that no assignment keeps together. */
export type Contradiction = {
  /** Indices of the constraints; a single one cannot be kept even alone. */
  readonly constraints: readonly number[];
  /** Whether any fewer of them can be kept together; false if that was not settled in time. */
  readonly isMinimal: boolean;
  /** The ways out that change one limit only, the least change relative to the limit first; none if there is no such way. */
  readonly relaxations: readonly Relaxation[];
};

/** A limit at which, all others as they are, an assignment exists. */
export type Relaxation = {
  /** Index of the constraint. */
  readonly constraint: number;
  readonly limit: number;
  /** Whether no smaller limit does; false if that was not settled in time. */
  readonly isSmallest: boolean;
};

/** What the solver knows of a program without assignments. */
export type Infeasibility = {
  /** Per constraint: the smallest limit that some assignment meets, taken alone. */
  readonly smallestLimits: readonly number[];
  readonly contradictions: readonly Contradiction[];
};

/** A limit in the unit that people read. */
export type NamedLimit = Pick<LinearConstraint, 'name' | 'limit'>;

/** One problem per contradiction, in the units of the limits. */
export function describeInfeasibility(limits: readonly NamedLimit[], infeasibility: Infeasibility): readonly Problem[] {
  return infeasibility.contradictions.map((contradiction) =>
    contradiction.constraints.length === 1
      ? describeImpossible(limits, infeasibility, contradiction)
      : describeTogether(limits, contradiction),
  );
}

function describeImpossible(
  limits: readonly NamedLimit[],
  { smallestLimits }: Infeasibility,
  { constraints: [index], relaxations: [relaxation] }: Contradiction,
): Problem {
  const { name, limit } = limits[index!]!;
  const least = smallestLimits[index!]!;
  const what = `no allocation keeps '${name}' at ${limit} or less; the least possible is ${least}`;
  const raise = `raise the limit of '${name}' to ${relaxation?.limit ?? least} or more`;
  if (relaxation === undefined || relaxation.limit === least) return { what, fix: raise };
  return { what, fix: `${raise}${doubtOf(relaxation)}; ${least} does not go with the other limits` };
}

function describeTogether(
  limits: readonly NamedLimit[],
  { constraints: members, isMinimal, relaxations }: Contradiction,
): Problem {
  const kept = members.map((index) => `'${limits[index]!.name}' at ${limits[index]!.limit} or less`);
  const what = `no allocation keeps ${enumerate(kept, 'and')} together; ${keptBy(members.length, isMinimal)}`;
  if (relaxations.length === 0) return { what, fix: 'raise several limits: no single one is known to be enough' };
  const raises = relaxations.map(
    (relaxation) => `'${limits[relaxation.constraint]!.name}' to ${relaxation.limit}${doubtOf(relaxation)}`,
  );
  return { what, fix: `raise one limit and leave the others: ${enumerate(raises, 'or')}` };
}

/** Which fewer limits can be kept. */
function keptBy(count: number, isMinimal: boolean): string {
  if (!isMinimal) return 'whether fewer of these limits contradict each other was not settled in time';
  return count === 2 ? 'each of them can be kept alone' : 'any smaller number of them can be kept';
}

function doubtOf({ isSmallest }: Relaxation): string {
  return isSmallest ? '' : ' (enough, but perhaps more than needed)';
}

function enumerate(items: readonly string[], word: string): string {
  return items.length < 2 ? items.join() : `${items.slice(0, -1).join(', ')} ${word} ${items.at(-1)}`;
}
