/** Small programs for tests, and the slow and obvious way to solve them. */
import { isFeasible, objectiveOf } from '../../src/program/evaluate-assignment.ts';
import type { Assignment, LinearConstraint, QuadraticProgram } from '../../src/program/quadratic-program.ts';
import { seededRandom } from '../../src/random.ts';

export type ProgramShape = {
  readonly seed: number;
  readonly groupCount: number;
  readonly largestGroup: number;
  readonly kind: 'convex' | 'indefinite' | 'separable';
  readonly constraintCount: number;
};

/** A program whose limits lie between what is least possible and what is most expensive: they bind, and may contradict. */
export function randomProgram({
  seed,
  groupCount,
  largestGroup,
  kind,
  constraintCount,
}: ProgramShape): QuadraticProgram {
  const random = seededRandom(seed);
  const groupSizes = Array.from({ length: groupCount }, () => 1 + Math.floor(random() * largestGroup));
  const count = groupSizes.reduce((sum, size) => sum + size, 0);
  const groupOf = groupSizes.flatMap((size, group) => Array<number>(size).fill(group));
  const quadratic = kind === 'convex' ? gramMatrix(count, random) : symmetricMatrix(count, random);
  if (kind === 'separable') {
    for (let at = 0; at < quadratic.length; at++) {
      if (groupOf[Math.floor(at / count)] !== groupOf[at % count]) quadratic[at] = 0;
    }
  }
  const constraints = Array.from({ length: constraintCount }, (_, index) =>
    randomConstraint(`limit ${index}`, groupSizes, random),
  );
  return { groupSizes, quadratic, constraints };
}

/** V Vᵀ of a random V with half as many columns as rows: semi-definite and of deficient rank, as a projected matrix is. */
function gramMatrix(count: number, random: () => number): Float64Array {
  const rank = Math.ceil(count / 2);
  const factor = Float64Array.from({ length: count * rank }, () => random() * 2 - 0.7);
  const matrix = new Float64Array(count * count);
  for (let row = 0; row < count; row++) {
    for (let column = 0; column < count; column++) {
      for (let k = 0; k < rank; k++)
        matrix[row * count + column]! += factor[row * rank + k]! * factor[column * rank + k]!;
    }
  }
  return matrix;
}

function symmetricMatrix(count: number, random: () => number): Float64Array {
  const matrix = new Float64Array(count * count);
  for (let row = 0; row < count; row++) {
    for (let column = 0; column <= row; column++) {
      const entry = row === column ? random() * 2 - 0.2 : random() * 2 - 1;
      matrix[row * count + column] = entry;
      matrix[column * count + row] = entry;
    }
  }
  return matrix;
}

function randomConstraint(name: string, groupSizes: readonly number[], random: () => number): LinearConstraint {
  const groups = groupSizes.map((size) => Array.from({ length: size }, () => Math.round(random() * 1000)));
  const least = groups.reduce((sum, costs) => sum + Math.min(...costs), 0);
  const most = groups.reduce((sum, costs) => sum + Math.max(...costs), 0);
  return { name, costs: Float64Array.from(groups.flat()), limit: least + (0.05 + 0.6 * random()) * (most - least) };
}

export type Best = { readonly assignment: Assignment; readonly objective: number };

/** The best feasible assignment by looking at every one; undefined if there is none. */
export function enumerate(program: QuadraticProgram): Best | undefined {
  let best: Best | undefined;
  for (const assignment of assignments(program.groupSizes)) {
    if (!isFeasible(program, assignment)) continue;
    const objective = objectiveOf(program, assignment);
    if (best === undefined || objective < best.objective) best = { assignment: [...assignment], objective };
  }
  return best;
}

/** Every assignment, counting up like an odometer; one array, changed in place. */
export function* assignments(groupSizes: readonly number[]): Generator<Assignment> {
  const assignment = groupSizes.map(() => 0);
  for (;;) {
    yield assignment;
    let group = 0;
    while (group < groupSizes.length && assignment[group] === groupSizes[group]! - 1) assignment[group++] = 0;
    if (group === groupSizes.length) return;
    assignment[group]!++;
  }
}

/** 200 shapes up to 8 groups of 4: convex, indefinite and separable ones, with one to three limits. */
export function smallShapes(): readonly ProgramShape[] {
  const kinds = ['convex', 'indefinite', 'convex', 'indefinite', 'separable'] as const;
  return Array.from({ length: 200 }, (_, index) => ({
    seed: index + 1,
    groupCount: 2 + (index % 7),
    largestGroup: 4,
    kind: kinds[index % kinds.length]!,
    constraintCount: 1 + (Math.floor(index / 2) % 3),
  }));
}
