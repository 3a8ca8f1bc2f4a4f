import { describe, expect, it } from 'vitest';
import { objectiveOf } from '../../src/program/evaluate-assignment.ts';
import { liftAssignment, linearise } from '../../src/program/linearise.ts';
import type { MixedIntegerProgram } from '../../src/program/mixed-integer-program.ts';
import { assignmentOf } from '../../src/program/variables.ts';
import { branchAndBound } from '../../src/solver/branch-and-bound.ts';
import { convexify } from '../../src/solver/convexify.ts';
import { type MilpLimits, roundBinaries } from '../../src/solver/highs-milp.ts';
import { indexProgram } from '../../src/solver/indexed-program.ts';
import { searchLocally } from '../../src/solver/local-search.ts';
import { termwiseBound } from '../../src/solver/termwise-bound.ts';
import { randomProgram } from './random-programs.ts';
import { hardProgram, solveMilpHere } from './small-programs.ts';

const never = () => false;
const LIMITS: MilpLimits = { timeLimitSeconds: 60, relativeGap: 0, stop: never, reportBound: () => {} };

/** HiGHS works with absolute tolerances on costs of about 1e4. */
const PRECISION = 1e-6;

/** min −x0 − 2·x1 + 0·y with x0 + x1 + y = limit, x binary, y continuous. */
function knapsack(limit: number): MixedIntegerProgram {
  return {
    columnCount: 3,
    rowCount: 1,
    binaryCount: 2,
    columnCosts: Float64Array.of(-1, -2, 0),
    rowLower: Float64Array.of(limit),
    rowUpper: Float64Array.of(limit),
    matrix: { rowStarts: Int32Array.of(0, 3), columns: Int32Array.of(0, 1, 2), values: Float64Array.of(1, 1, 1) },
  };
}

describe('solveMilp', () => {
  it('solveMilp: binaries are whole, continuous columns are not', () => {
    const result = solveMilpHere(knapsack(1.5), undefined, LIMITS);
    if (result.status !== 'solved') throw new Error('infeasible');
    expect([...result.columns!]).toEqual([0, 1, 0.5]);
    expect(result.bound).toBe(-2);
  });

  it('solveMilp: says that a program has no solution', () => {
    expect(solveMilpHere(knapsack(-1), undefined, LIMITS)).toEqual({ status: 'infeasible' });
  });

  it.each([1e-9, 1, 1e9])('solveMilp: rows and costs in units %d times as large have the same solution', (unit) => {
    const program = randomProgram({ seed: 8, groupCount: 6, largestGroup: 3, kind: 'indefinite', constraintCount: 2 });
    const scaled = {
      ...program,
      quadratic: program.quadratic.map((entry) => entry * unit),
      constraints: program.constraints.map(({ name, costs, limit }) => ({
        name,
        costs: costs.map((cost) => cost * unit),
        limit: limit * unit,
      })),
    };
    const [plain, other] = [program, scaled].map(({ groupSizes, quadratic, constraints }) => {
      const { mip } = linearise({ groupSizes, quadratic, constraints });
      const result = solveMilpHere(mip, undefined, LIMITS);
      if (result.status !== 'solved') throw new Error('infeasible');
      return { x: [...result.columns!.subarray(0, mip.binaryCount)], bound: result.bound };
    });
    expect(other!.x).toEqual(plain!.x);
    expect(other!.bound / unit).toBeCloseTo(plain!.bound, 6);
  });

  it('solveMilp: stopped at once, it has a start to return and a bound below it, or none', () => {
    const program = hardProgram();
    const incumbent = searchLocally(indexProgram(program), never)!;
    const linearisation = linearise(program);
    const start = liftAssignment(program, linearisation, assignmentOf(program, incumbent.chosen));
    const bounds: number[] = [];
    const limits = { ...LIMITS, stop: () => true, reportBound: (bound: number) => void bounds.push(bound) };
    const result = solveMilpHere(linearisation.mip, start, limits);
    if (result.status !== 'solved') throw new Error('infeasible');
    expect(result.bound).toBeLessThanOrEqual(incumbent.objective);
    expect(bounds.every((bound) => bound <= incumbent.objective)).toBe(true);
  });

  it.each([
    [0.9999999, 1],
    [-1e-7, 0],
  ])('roundBinaries: %d is %d, within the tolerance of HiGHS', (value, whole) => {
    const [rounded, other, continuous] = roundBinaries(knapsack(1), Float64Array.of(value, 0, 0.4));
    expect([rounded, other, continuous]).toEqual([whole, 0, 0.4]);
  });

  it.each([0.99, 0.5, 2, -1, Number.NaN])('roundBinaries: refuses %d', (value) => {
    expect(() => roundBinaries(knapsack(1), Float64Array.of(0, value, 0))).toThrow(
      `HiGHS answered ${value} for binary column 1, expected 0 or 1 within 0.000001`,
    );
  });
});

describe('branch and bound, with HiGHS as the oracle', () => {
  const shapes = Array.from({ length: 24 }, (_, index) => ({
    seed: 100 + index,
    groupCount: 9 + (index % 4),
    largestGroup: 3,
    kind: index % 2 === 0 ? ('convex' as const) : ('indefinite' as const),
    constraintCount: 1 + (index % 3),
  }));

  it.each(shapes)('branchAndBound: agrees with the linearisation, seed $seed ($groupCount groups, $kind)', (shape) => {
    const source = randomProgram(shape);
    const program = indexProgram(source);
    const limits = { relativeGap: 0, stop: never, report: () => {} };
    const searched = branchAndBound(program, convexify(program), undefined, termwiseBound(program), limits);
    const oracle = solveMilpHere(linearise(source).mip, undefined, LIMITS);
    if (oracle.status === 'infeasible') {
      expect(searched).toMatchObject({ incumbent: undefined, bestBound: Number.POSITIVE_INFINITY });
      return;
    }
    const scale = Math.max(1, program.scale) * PRECISION;
    const chosen = Int32Array.from(program.groupOf.keys()).filter((variable) => oracle.columns![variable] === 1);
    expect(Math.abs(searched.incumbent!.objective - objectiveOf(source, assignmentOf(source, chosen)))).toBeLessThan(
      scale,
    );
    expect(Math.abs(searched.bestBound - oracle.bound)).toBeLessThan(scale);
  });

  it('branchAndBound: the shapes hold feasible and infeasible programs', () => {
    const outcomes = shapes.map(
      (shape) => solveMilpHere(linearise(randomProgram(shape)).mip, undefined, LIMITS).status,
    );
    expect(new Set(outcomes)).toEqual(new Set(['solved', 'infeasible']));
  });
});
