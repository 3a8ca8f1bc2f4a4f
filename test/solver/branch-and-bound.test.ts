/** Bounds stay true however the search ends; that it finds optima is tested through solveProgram and against HiGHS. */
import { describe, expect, it } from 'vitest';
import { branchAndBound, type SearchLimits } from '../../src/solver/branch-and-bound.ts';
import { convexify } from '../../src/solver/convexify.ts';
import { indexProgram } from '../../src/solver/indexed-program.ts';
import { termwiseBound } from '../../src/solver/termwise-bound.ts';
import { enumerate, randomProgram, smallShapes } from './random-programs.ts';

const PROGRAMS = smallShapes().flatMap((shape) => {
  const source = randomProgram(shape);
  const best = enumerate(source);
  return best === undefined ? [] : [{ program: indexProgram(source), optimum: best.objective }];
});

/** Searches every program; a bound above the optimum, in the end or on the way, fails the test. */
function searchAll(limitsOf: () => Partial<SearchLimits>) {
  return PROGRAMS.map(({ program, optimum }) => {
    const tolerance = 1e-9 * Math.max(1, program.scale);
    const expectBound = (bound: number) => expect(bound).toBeLessThanOrEqual(optimum + tolerance);
    const result = branchAndBound(program, convexify(program), undefined, termwiseBound(program), {
      relativeGap: 0,
      stop: () => false,
      report: (_, bound) => expectBound(bound),
      ...limitsOf(),
    });
    expectBound(result.bestBound);
    expect(result.incumbent?.objective ?? optimum).toBeGreaterThanOrEqual(optimum - tolerance);
    return { ...result, optimum };
  });
}

describe('branchAndBound', () => {
  it.each([0.01, 0.1, 0.5])('branchAndBound: ended by a gap of %d, it bounds what it closed, too', (relativeGap) => {
    const results = searchAll(() => ({ relativeGap }));
    expect(results.some(({ bestBound, optimum }) => bestBound < optimum - 1e-6)).toBe(true);
    for (const { incumbent, bestBound } of results) {
      const gap = (incumbent!.objective - bestBound) / Math.abs(incumbent!.objective);
      expect(gap).toBeLessThanOrEqual(relativeGap);
    }
  });

  it.each([1, 2, 5])('branchAndBound: ended after %d nodes, it bounds what is open', (nodeCount) => {
    const results = searchAll(() => ({ nodeCount }));
    expect(Math.max(...results.map((result) => result.nodeCount))).toBe(nodeCount);
  });

  it.each([0, 1, 2, 3, 5, 8, 13])(
    'branchAndBound: stopped when asked for the %dth time, also inside a node',
    (calls) => {
      searchAll(() => {
        let left = calls;
        return { stop: () => left-- <= 0 };
      });
    },
  );
});
