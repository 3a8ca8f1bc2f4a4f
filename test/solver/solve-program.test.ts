import { describe, expect, it } from 'vitest';
import { isFeasible, objectiveOf } from '../../src/program/evaluate-assignment.ts';
import type { QuadraticProgram } from '../../src/program/quadratic-program.ts';
import type { MilpResult, SolveMilp } from '../../src/solver/highs-milp.ts';
import { type SolveProgress, solveProgram } from '../../src/solver/solve-program.ts';
import { enumerate, randomProgram, smallShapes } from './random-programs.ts';
import { controlOf, hardProgram } from './small-programs.ts';

/** What sums in another order may differ by. */
const ROUNDING = 1e-9;

function separable(costs: readonly number[][], limits: Readonly<Record<string, readonly [number[], number]>>) {
  const single = Float64Array.from(costs.flat());
  const quadratic = new Float64Array(single.length ** 2);
  single.forEach((cost, variable) => {
    quadratic[variable * (single.length + 1)] = 2 * cost;
  });
  const constraints = Object.entries(limits).map(([name, [sums, limit]]) => ({
    name,
    costs: Float64Array.from(sums),
    limit,
  }));
  return { groupSizes: costs.map(({ length }) => length), quadratic, constraints } satisfies QuadraticProgram;
}

describe('solveProgram, against enumeration', () => {
  it.each(smallShapes())(
    'solveProgram: finds the optimum and bounds it, seed $seed ($groupCount groups, $kind, $constraintCount limits)',
    async (shape) => {
      const program = randomProgram(shape);
      const best = enumerate(program);
      const progress: SolveProgress[] = [];
      const solution = await solveProgram(program, controlOf({ progress }));
      if (best === undefined) {
        expect(solution.status).toBe('infeasible');
        return;
      }
      if (solution.status !== 'optimal') throw new Error(`ended ${solution.status}`);
      const tolerance = ROUNDING * Math.max(1, Math.abs(best.objective));
      expect(Math.abs(solution.objective - best.objective)).toBeLessThanOrEqual(tolerance);
      expect(isFeasible(program, solution.assignment)).toBe(true);
      expect(solution.objective).toBe(objectiveOf(program, solution.assignment));
      expect(solution.bestBound).toBeLessThanOrEqual(best.objective + tolerance);
      expect(solution.relativeGap).toBeLessThanOrEqual(ROUNDING);
      for (const { bestBound, objective } of progress) {
        expect(bestBound).toBeLessThanOrEqual(best.objective + tolerance);
        expect(objective ?? best.objective).toBeGreaterThanOrEqual(best.objective - tolerance);
      }
    },
  );

  it('solveProgram: the shapes hold feasible and infeasible programs of every kind', () => {
    const shapes = smallShapes();
    const counts = (kind: string) => shapes.filter((shape) => shape.kind === kind).length;
    expect(shapes).toHaveLength(200);
    expect([counts('convex'), counts('indefinite'), counts('separable')]).toEqual([80, 80, 40]);
    expect(new Set(shapes.map(({ constraintCount }) => constraintCount))).toEqual(new Set([1, 2, 3]));
    const infeasible = shapes.filter((shape) => enumerate(randomProgram(shape)) === undefined);
    expect(infeasible.length).toBeGreaterThan(0);
    expect(infeasible.length).toBeLessThan(100);
  });
});

describe('solveProgram, proofs', () => {
  const program = randomProgram({ seed: 5, groupCount: 30, largestGroup: 4, kind: 'indefinite', constraintCount: 2 });

  it('solveProgram: what branch and bound does not settle goes on to HiGHS, from the incumbent it has', async () => {
    const starts: (Float64Array | undefined)[] = [];
    const solveMilp: SolveMilp = (_mip, start, { reportBound }) => {
      starts.push(start);
      reportBound(-1e5);
      return { status: 'solved', bound: -1e4, nodeCount: 7 };
    };
    const progress: SolveProgress[] = [];
    const solution = await solveProgram(program, controlOf({ seconds: 2, progress, loadMilp: async () => solveMilp }));
    if (solution.status !== 'feasible') throw new Error(`ended ${solution.status}`);
    expect(starts).toHaveLength(1);
    expect(starts[0]!.filter((value) => value === 1).length).toBeGreaterThanOrEqual(30);
    // The bound of HiGHS is worse than what was known, so the proof stays where the bound is from.
    expect(solution.bestBound).toBeGreaterThan(-1e4);
    expect(solution.proof!.method).toBe('branch-and-bound');
  });

  it('solveProgram: a better bound of HiGHS ends the search, and its solution is the answer', async () => {
    let known = 0;
    const solveMilp: SolveMilp = (mip, start) => {
      known = mip.columnCosts.reduce((sum, cost, column) => sum + cost * start![column]!, 0);
      return { status: 'solved', columns: start!, bound: known, nodeCount: 7 };
    };
    const solution = await solveProgram(program, controlOf({ seconds: 2, loadMilp: async () => solveMilp }));
    expect(solution).toMatchObject({ status: 'optimal', proof: { method: 'linearisation', nodeCount: 7 } });
    expect(solution).toHaveProperty('objective', expect.closeTo(known, 9));
  });

  it('solveProgram: a bound above a known assignment is a contradiction, not an answer', async () => {
    const claim = (result: MilpResult) =>
      solveProgram(program, controlOf({ seconds: 2, loadMilp: async () => () => result }));
    await expect(claim({ status: 'infeasible' })).rejects.toThrow(
      'HiGHS calls a program infeasible that has a known assignment',
    );
    await expect(claim({ status: 'solved', bound: 1e3, nodeCount: 1 })).rejects.toThrow(
      /^HiGHS bounds the objective by 1000, but an assignment of .* is known$/,
    );
  });
});

describe('solveProgram, early ends', () => {
  it('solveProgram: a wanted gap ends the search with that gap or less, and calls it optimal', async () => {
    const program = randomProgram({ seed: 3, groupCount: 12, largestGroup: 4, kind: 'convex', constraintCount: 1 });
    const exact = await solveProgram(program, controlOf());
    const rough = await solveProgram(program, controlOf({ relativeGap: 0.2 }));
    if (exact.status !== 'optimal' || rough.status !== 'optimal') throw new Error('not solved');
    expect(rough.relativeGap).toBeLessThanOrEqual(0.2);
    expect(rough.bestBound).toBeLessThanOrEqual(exact.objective + ROUNDING);
    expect(rough.proof!.nodeCount).toBeLessThanOrEqual(exact.proof!.nodeCount);
  });

  it('solveProgram: at the time limit it gives its incumbent with a finite bound, and says the gap', async () => {
    const program = hardProgram();
    const solution = await solveProgram(program, controlOf({ seconds: 0.5 }));
    if (solution.status !== 'feasible') throw new Error(`ended ${solution.status}`);
    expect(isFeasible(program, solution.assignment)).toBe(true);
    expect(Number.isFinite(solution.bestBound)).toBe(true);
    expect(solution.bestBound).toBeLessThan(solution.objective);
    const gap = (solution.objective - solution.bestBound) / Math.abs(solution.objective);
    expect(solution.relativeGap).toBeCloseTo(gap, 12);
  });

  it('solveProgram: cancelled before it begins, it still gives an assignment and a bound', async () => {
    const program = hardProgram();
    const solution = await solveProgram(program, controlOf({ isCancelled: () => true }));
    if (solution.status !== 'feasible') throw new Error(`ended ${solution.status}`);
    expect(isFeasible(program, solution.assignment)).toBe(true);
    expect(Number.isFinite(solution.bestBound)).toBe(true);
  });

  it('solveProgram: without an assignment at the end it fails, says why, and names the limits', async () => {
    // Two equations in disguise: a subset sum of 90 random numbers to within one unit.
    const program = subsetSum(45);
    expect(await solveProgram(program, controlOf({ isCancelled: () => true }))).toEqual({
      status: 'failed',
      reason:
        "the solve was cancelled before an assignment was found that keeps all of 'at most', 'at least' together, or a proof that there is none",
    });
    expect(await solveProgram(program, controlOf({ seconds: 1e-9 }))).toMatchObject({
      status: 'failed',
      reason: expect.stringMatching(/^the time limit was reached before an assignment was found/),
    });
  });
});

/** Σ of chosen numbers between a target and one unit below it. */
function subsetSum(groupCount: number): QuadraticProgram {
  const { constraints, ...rest } = randomProgram({
    seed: 11,
    groupCount,
    largestGroup: 2,
    kind: 'separable',
    constraintCount: 1,
  });
  const costs = constraints[0]!.costs.map((cost, variable) => cost * 1e6 + ((variable * 7919) % 1_000_003));
  const target = Math.round(costs.reduce((sum, cost) => sum + cost, 0) / 2);
  return {
    ...rest,
    constraints: [
      { name: 'at most', costs, limit: target },
      { name: 'at least', costs: costs.map((cost) => -cost), limit: 1 - target },
    ],
  };
}

describe('solveProgram, no assignment', () => {
  it('solveProgram: a limit below the least sum is refused with the smallest that can be kept', async () => {
    const program = separable(
      [
        [1, 0],
        [1, 0],
      ],
      { size: [[10, 20, 30, 40], 39] },
    );
    expect(await solveProgram(program, controlOf())).toEqual({
      status: 'infeasible',
      smallestLimits: [40],
      contradictions: [
        { constraints: [0], isMinimal: true, relaxations: [{ constraint: 0, limit: 40, isSmallest: true }] },
      ],
    });
  });

  it('solveProgram: limits that hold alone but not together are named, with a way out for each', async () => {
    // In each group the first is small and slow, the second large and fast.
    const program = separable(
      [
        [1, 0],
        [1, 0],
      ],
      {
        size: [[10, 20, 10, 20], 20],
        energy: [[1, 1, 1, 1], 5],
        latency: [[8, 3, 8, 3], 11],
      },
    );
    expect(await solveProgram(program, controlOf())).toEqual({
      status: 'infeasible',
      smallestLimits: [20, 2, 6],
      contradictions: [
        {
          constraints: [0, 2],
          isMinimal: true,
          relaxations: [
            { constraint: 2, limit: 16, isSmallest: true },
            { constraint: 0, limit: 30, isSmallest: true },
          ],
        },
      ],
    });
  });
});
