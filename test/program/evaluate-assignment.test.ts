import { describe, expect, it } from 'vitest';
import { isFeasible, leftHandSides, objectiveOf } from '../../src/program/evaluate-assignment.ts';
import type { QuadraticProgram } from '../../src/program/quadratic-program.ts';
import { smallestLimits } from '../../src/program/smallest-limits.ts';
import { assignmentOf, chosenVariables } from '../../src/program/variables.ts';

const PROGRAM: QuadraticProgram = {
  groupSizes: [2, 2],
  // biome-ignore format: a matrix reads by rows
  quadratic: Float64Array.from([
    10,  99,  1,  2,
    99,  20,  3, -4,
     1,   3, 30, 99,
     2,  -4, 99, 40,
  ]),
  constraints: [
    { name: 'size', costs: Float64Array.of(100, 200, 10, 20), limit: 210 },
    { name: 'latency', costs: Float64Array.of(0.3, 0.1, -0.2, 0), limit: 0.1 },
  ],
};

describe('objectiveOf', () => {
  it.each([
    { assignment: [0, 0], objective: 5 + 15 + 1 },
    { assignment: [0, 1], objective: 5 + 20 + 2 },
    { assignment: [1, 0], objective: 10 + 15 + 3 },
    { assignment: [1, 1], objective: 10 + 20 - 4 },
  ])('objectiveOf: half of xᵀGx at $assignment, terms inside a group left out', ({ assignment, objective }) => {
    expect(objectiveOf(PROGRAM, assignment)).toBe(objective);
  });

  it.each([[[0, 2]], [[0]], [[0, -1]], [[0, 0.5]]])('objectiveOf: refuses %j, which is no assignment', (assignment) => {
    expect(() => objectiveOf(PROGRAM, assignment)).toThrow(/group 1 has 2 variables, but the assignment takes/);
  });
});

describe('constraints', () => {
  it('leftHandSides: the cost of the chosen variables, one sum per constraint', () => {
    expect(leftHandSides(PROGRAM, [1, 0])).toEqual([210, 0.1 - 0.2]);
  });

  it('isFeasible: true at the limit, false one unit above it', () => {
    expect(isFeasible(PROGRAM, [1, 0])).toBe(true);
    expect(isFeasible(PROGRAM, [1, 1])).toBe(false);
  });

  it('isFeasible: forgives the rounding of a sum and nothing more', () => {
    const costs = Float64Array.of(0.1, 0.2);
    const program = {
      groupSizes: [1, 1],
      quadratic: new Float64Array(4),
      constraints: [{ name: 'sum', costs, limit: 0.3 }],
    };
    expect(0.1 + 0.2).toBeGreaterThan(0.3);
    expect(isFeasible(program, [0, 0])).toBe(true);
    expect(isFeasible({ ...program, constraints: [{ name: 'sum', costs, limit: 0.3 - 1e-9 }] }, [0, 0])).toBe(false);
  });

  it('isFeasible: a single byte over a budget of ten gigabytes is over', () => {
    const constraint = { name: 'size', costs: Float64Array.of(1e10 + 1), limit: 1e10 };
    expect(isFeasible({ groupSizes: [1], quadratic: Float64Array.of(0), constraints: [constraint] }, [0])).toBe(false);
  });

  it('smallestLimits: the least sum of each constraint alone, which no one assignment need reach in all', () => {
    expect(smallestLimits(PROGRAM)).toEqual([110, 0.1 - 0.2]);
  });
});

describe('variables', () => {
  it('assignmentOf: inverse of chosenVariables', () => {
    expect([...chosenVariables(PROGRAM, [1, 0])]).toEqual([1, 2]);
    expect(assignmentOf(PROGRAM, chosenVariables(PROGRAM, [1, 0]))).toEqual([1, 0]);
  });
});
