import { describe, expect, it } from 'vitest';
import { liftAssignment, linearise, linearisedColumnCount } from '../../src/program/linearise.ts';
import type { QuadraticProgram } from '../../src/program/quadratic-program.ts';
import { textOfMixedInteger, textOfQuadratic, variableNames } from './program-text.ts';

/** Three groups of 2, 1 and 2 variables; the first and the second have no pair term. */
const PROGRAM: QuadraticProgram = {
  groupSizes: [2, 1, 2],
  // biome-ignore format: a matrix reads by rows
  quadratic: Float64Array.from([
     8,  7,  0,  3, -2,
     7,  4,  0,  0,  5,
     0,  0, 12,  1,  0,
     3,  0,  1,  6,  9,
    -2,  5,  0,  9,  2,
  ]),
  constraints: [{ name: 'size', costs: Float64Array.of(1, 2, 4, 0, 8), limit: 11 }],
};

const BEFORE = `minimise
4 x0.0 + 2 x0.1 + 7 x0.0*x0.1 + 6 x1.0 + 3 x2.0 + 3 x0.0*x2.0 + 1 x1.0*x2.0 + 1 x2.1 + -2 x0.0*x2.1 + 5 x0.1*x2.1 + 9 x2.0*x2.1
subject to
x0.0 + x0.1 = 1
x1.0 = 1
x2.0 + x2.1 = 1
size: 1 x0.0 + 2 x0.1 + 4 x1.0 + 0 x2.0 + 8 x2.1 <= 11`;

const AFTER = `minimise
4 x0.0 + 2 x0.1 + 6 x1.0 + 3 x2.0 + x2.1 + 3 y0.0,2.0 + -2 y0.0,2.1 + 5 y0.1,2.1 + y1.0,2.0
subject to
x0.0 + x0.1 = 1
x1.0 = 1
x2.0 + x2.1 = 1
-x0.0 + y0.0,2.0 + y0.0,2.1 = 0
-x0.1 + y0.1,2.0 + y0.1,2.1 = 0
-x2.0 + y0.0,2.0 + y0.1,2.0 = 0
-x2.1 + y0.0,2.1 + y0.1,2.1 = 0
-x1.0 + y1.0,2.0 + y1.0,2.1 = 0
-x2.0 + y1.0,2.0 = 0
-x2.1 + y1.0,2.1 = 0
x0.0 + 2 x0.1 + 4 x1.0 + 8 x2.1 <= 11
binary
x0.0 x0.1 x1.0 x2.0 x2.1`;

const COLUMN_NAMES = [
  ...variableNames(PROGRAM.groupSizes),
  ...['y0.0,2.0', 'y0.0,2.1', 'y0.1,2.0', 'y0.1,2.1', 'y1.0,2.0', 'y1.0,2.1'],
];

describe('linearise', () => {
  it('linearise: a quadratic program before, a mixed-integer linear one after', () => {
    expect(textOfQuadratic(PROGRAM)).toBe(BEFORE);
    expect(textOfMixedInteger(linearise(PROGRAM).mip, COLUMN_NAMES)).toBe(AFTER);
  });

  it('linearise: a program without pair terms has no columns but its own', () => {
    const quadratic = Float64Array.of(2, 5, 0, 5, 4, 0, 0, 0, 6);
    const { mip, pairs } = linearise({ groupSizes: [2, 1], quadratic, constraints: [] });
    expect(pairs).toEqual([]);
    expect([...mip.columnCosts]).toEqual([1, 2, 3]);
    expect(mip.binaryCount).toBe(3);
  });

  it('linearisedColumnCount: the number of columns that linearise makes', () => {
    expect(linearisedColumnCount(PROGRAM)).toBe(11);
    expect(linearise(PROGRAM).mip.columnCount).toBe(11);
  });

  it('liftAssignment: the one-hot variables and the products that belong to them', () => {
    const columns = liftAssignment(PROGRAM, linearise(PROGRAM), [1, 0, 1]);
    const named = COLUMN_NAMES.filter((_, column) => columns[column] === 1);
    expect(named).toEqual(['x0.1', 'x1.0', 'x2.1', 'y0.1,2.1', 'y1.0,2.1']);
    expect(columns.reduce((sum, value) => sum + value)).toBe(5);
  });
});
