import { afterAll, describe, expect, it } from 'vitest';
import { allocate } from '../../src/allocate/allocate.ts';
import { allocateApart } from '../../src/allocate/allocate-apart.ts';
import type { AllocationProblem, ChosenVariables } from '../../src/allocate/allocation-problem.ts';
import { keepsLimits } from '../../src/allocate/fitting-upgrades.ts';
import { objectiveOf } from '../../src/program/evaluate-assignment.ts';
import { assignmentOf } from '../../src/program/variables.ts';
import { seededRandom } from '../../src/random.ts';
import { createSolver } from '../../src/solver/create-solver.ts';
import { allocationsOf, randomQuadratic, sizedProblem } from './sized-problem.ts';

const solver = createSolver({ workerFile: new URL('../../src/solver/highs-worker.ts', import.meta.url) });
afterAll(() => solver.close());

const LIMITS = { timeLimitSeconds: 20, relativeGap: 0 };

function distance(a: ChosenVariables, b: ChosenVariables): number {
  return a.filter((variable, layer) => variable !== b[layer]).length;
}

function objective(problem: AllocationProblem, quadratic: Float64Array, variables: ChosenVariables): number {
  const groupSizes = problem.layerNames.map(() => 3);
  const program = { groupSizes, quadratic, constraints: [] };
  return objectiveOf(program, assignmentOf(program, variables));
}

describe('allocateApart', () => {
  it.each([1, 2, 3, 4, 5, 6])(
    'is the best of all allocations that are far enough, by enumeration (seed %i)',
    async (seed) => {
      const random = seededRandom(seed);
      // Bits of weights: what widths share in the file is not part of the program.
      const budget = { kind: 'weight-bits', limit: 3.5 * 56 } as const;
      const problem = { ...sizedProblem(5, 0, seed % 2 === 0 ? [[1, 3]] : []), budget };
      const quadratic = randomQuadratic(15, random);
      const optimum = await allocate(problem, quadratic, solver.solve, LIMITS);
      const found = [optimum.variables];
      for (const leastLayers of [1, 2, 3]) {
        const next = await allocateApart(problem, quadratic, found, leastLayers, solver.solve, LIMITS);
        const rivals = allocationsOf(problem).filter(
          (variables) =>
            keepsLimits(problem, variables) && found.every((other) => distance(other, variables) >= leastLayers),
        );
        const best = Math.min(...rivals.map((variables) => objective(problem, quadratic, variables)));
        expect(rivals.length).toBeGreaterThan(0);
        expect(next!.solver.objective).toBeCloseTo(best, 9);
        expect(next!.solver.objective).toBeGreaterThanOrEqual(optimum.solver.objective - 1e-9);
        expect(keepsLimits(problem, next!.variables)).toBe(true);
        expect(found.every((other) => distance(other, next!.variables) >= leastLayers)).toBe(true);
        found.push(next!.variables);
      }
    },
  );

  it('is undefined where no allocation that fits is far enough', async () => {
    const problem = sizedProblem(3, 118);
    const smallest = [0, 3, 6];
    expect(keepsLimits(problem, smallest)).toBe(true);
    const apart = allocateApart(problem, new Float64Array(81), [smallest], 1, solver.solve, LIMITS);
    expect(await apart).toBeUndefined();
  });

  it('is undefined, without a solve, where fewer layers have a choice', async () => {
    const solve = async () => Promise.reject(new Error('solved'));
    expect(await allocateApart(sizedProblem(3, 200), new Float64Array(81), [], 4, solve, LIMITS)).toBeUndefined();
  });

  it('is undefined where the solver has no time, and throws what else goes wrong', async () => {
    const problem = sizedProblem(3, 200);
    const failed = { status: 'failed', reason: 'the time limit was reached', seconds: 0 } as const;
    const none = allocateApart(problem, new Float64Array(81), [], 1, async () => failed, LIMITS);
    expect(await none).toBeUndefined();
    const broken = allocateApart(
      problem,
      new Float64Array(81),
      [],
      1,
      () => Promise.reject(new Error('broken')),
      LIMITS,
    );
    await expect(broken).rejects.toThrow('broken');
  });
});
