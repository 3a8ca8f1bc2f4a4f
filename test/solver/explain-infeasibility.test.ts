import { describe, expect, it } from 'vitest';
import { isFeasible, leftHandSides } from '../../src/program/evaluate-assignment.ts';
import type { QuadraticProgram } from '../../src/program/quadratic-program.ts';
import { smallestLimits } from '../../src/program/smallest-limits.ts';
import { explainInfeasibility } from '../../src/solver/explain-infeasibility.ts';
import { assignments, enumerate, randomProgram } from './random-programs.ts';

const never = () => false;

function withConstraints(program: QuadraticProgram, indices: readonly number[]): QuadraticProgram {
  return { ...program, constraints: indices.map((index) => program.constraints[index]!) };
}

/** The least sum of one constraint over all assignments that keep the others, by looking at every one. */
function leastSumByEnumeration(program: QuadraticProgram, index: number): number | undefined {
  const others = withConstraints(
    program,
    [...program.constraints.keys()].filter((other) => other !== index),
  );
  let least: number | undefined;
  for (const assignment of assignments(program.groupSizes)) {
    const sum = leftHandSides(program, assignment)[index]!;
    if (isFeasible(others, assignment) && !(least !== undefined && least <= sum)) least = sum;
  }
  return least;
}

/** Random programs with four limits so tight that they contradict each other. */
const CONTRADICTORY = Array.from({ length: 400 }, (_, index) => index + 1)
  .map((seed) =>
    randomProgram({ seed, groupCount: 3 + (seed % 3), largestGroup: 4, kind: 'separable', constraintCount: 4 }),
  )
  .filter((program) => enumerate(program) === undefined)
  .slice(0, 40);

describe('explainInfeasibility', () => {
  it('explainInfeasibility: its members cannot be kept together, any fewer can, by enumeration', async () => {
    expect(CONTRADICTORY).toHaveLength(40);
    const sizes = new Set<number>();
    for (const program of CONTRADICTORY) {
      const [contradiction, ...others] = await explainInfeasibility(program, smallestLimits(program), never);
      const members = contradiction!.constraints;
      sizes.add(members.length);
      expect(others).toEqual([]);
      expect(contradiction!.isMinimal).toBe(true);
      expect(enumerate(withConstraints(program, members))).toBeUndefined();
      for (const member of members) {
        const fewer = members.filter((other) => other !== member);
        expect(enumerate(withConstraints(program, fewer))).toBeDefined();
      }
    }
    expect(sizes).toEqual(new Set([2, 3]));
  });

  it('explainInfeasibility: a relaxation is the least limit at which an assignment exists, by enumeration', async () => {
    for (const program of CONTRADICTORY) {
      const [contradiction] = await explainInfeasibility(program, smallestLimits(program), never);
      const found = new Map(contradiction!.relaxations.map(({ constraint, limit }) => [constraint, limit]));
      for (const member of contradiction!.constraints) {
        expect(found.get(member)).toBe(leastSumByEnumeration(program, member));
      }
      expect(contradiction!.relaxations.every(({ isSmallest }) => isSmallest)).toBe(true);
      const changes = contradiction!.relaxations.map(({ constraint, limit }) => {
        const given = program.constraints[constraint]!.limit;
        return (limit - given) / given;
      });
      expect(changes).toEqual(changes.toSorted((a, b) => a - b));
    }
  });

  it('explainInfeasibility: every limit that is impossible alone is one of its own', async () => {
    const program = {
      groupSizes: [2],
      quadratic: new Float64Array(4),
      constraints: [
        { name: 'a', costs: Float64Array.of(3, 4), limit: 2 },
        { name: 'b', costs: Float64Array.of(1, 1), limit: 1 },
        { name: 'c', costs: Float64Array.of(8, 7), limit: 5 },
      ],
    };
    expect(await explainInfeasibility(program, smallestLimits(program), never)).toEqual([
      { constraints: [0], isMinimal: true, relaxations: [] },
      { constraints: [2], isMinimal: true, relaxations: [] },
    ]);
  });

  it('explainInfeasibility: without time it names all limits and claims nothing', async () => {
    const program = CONTRADICTORY[0]!;
    const [contradiction] = await explainInfeasibility(program, smallestLimits(program), () => true);
    expect(contradiction).toMatchObject({ constraints: [0, 1, 2, 3], isMinimal: false });
    expect(contradiction!.relaxations.filter(({ isSmallest }) => isSmallest)).toEqual([]);
  });
});
