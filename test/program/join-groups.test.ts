import { describe, expect, it } from 'vitest';
import { leftHandSides, objectiveOf } from '../../src/program/evaluate-assignment.ts';
import { joinGroups } from '../../src/program/join-groups.ts';
import type { QuadraticProgram } from '../../src/program/quadratic-program.ts';
import { seededRandom } from '../../src/random.ts';

/** Three groups of 2, 3 and 2 variables with random terms and costs. */
function randomProgram(seed: number): QuadraticProgram {
  const [random, count] = [seededRandom(seed), 7];
  const quadratic = new Float64Array(count * count);
  for (let row = 0; row < count; row++) {
    for (let column = 0; column <= row; column++) {
      quadratic[row * count + column] = quadratic[column * count + row] = random() - 0.3;
    }
  }
  const costs = Float64Array.from({ length: count }, random);
  return { groupSizes: [2, 3, 2], quadratic, constraints: [{ name: 'size', costs, limit: 2 }] };
}

/** Every choice of the joined program against the original's worth of what it restores. */
function expectSameWorth(
  program: QuadraticProgram,
  joined: ReturnType<typeof joinGroups>,
  assignments: number[][],
): void {
  for (const assignment of assignments) {
    const restored = joined.restore(assignment);
    expect(objectiveOf(joined.program, assignment)).toBeCloseTo(objectiveOf(program, restored), 12);
    expect(leftHandSides(joined.program, assignment)[0]).toBeCloseTo(leftHandSides(program, restored)[0]!, 12);
  }
}

describe('joinGroups', () => {
  it('drops variables: what is left is worth the same', () => {
    const program = randomProgram(1);
    const joined = joinGroups(program, [[[0], [1]], [[3], [4]], [[6]]]);
    expect(joined.program.groupSizes).toEqual([2, 2, 1]);
    expect(joined.restore([1, 0, 0])).toEqual([1, 1, 1]);
    expectSameWorth(program, joined, [
      [0, 0, 0],
      [1, 0, 0],
      [0, 1, 0],
      [1, 1, 0],
    ]);
  });

  it('ties groups: a joint choice is worth its variables together, their pair term included', () => {
    // Terms between two variables of one group are no part of an objective, so the joint diagonal must not count them.
    const program = randomProgram(2);
    const joined = joinGroups(program, [
      [
        [0, 5],
        [1, 6],
      ],
      [[2], [3], [4]],
    ]);
    expect(joined.restore([1, 2])).toEqual([1, 2, 1]);
    expectSameWorth(program, joined, [
      [0, 0],
      [0, 1],
      [1, 2],
    ]);
  });
});
