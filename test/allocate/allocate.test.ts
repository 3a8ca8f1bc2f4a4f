import { afterAll, describe, expect, it } from 'vitest';
import { allocate, NoAllocationError } from '../../src/allocate/allocate.ts';
import type { AllocationProblem } from '../../src/allocate/allocation-problem.ts';
import { assertFeasible, effectiveBits, smallestUse } from '../../src/allocate/smallest-allocation.ts';
import { seededRandom } from '../../src/random.ts';
import { createSolver } from '../../src/solver/create-solver.ts';

const solver = createSolver({ workerFile: new URL('../../src/solver/highs-worker.ts', import.meta.url) });
afterAll(() => solver.close());

const LIMITS = { timeLimitSeconds: 20, relativeGap: 0 };

/** Layers of 8 weights at 2 and 4 bits: parts of 2 and 4 bytes, 100 bytes of file, and 10 for each width in use. */
function problemOf(
  budget: AllocationProblem['budget'],
  layerCount = 2,
  ties: AllocationProblem['ties'] = [],
): AllocationProblem {
  const choices = Array.from({ length: layerCount }, (_, layerIndex) =>
    [2, 4].map((bitWidth) => ({
      layerIndex,
      bitWidth,
      weightCount: 8,
      storedBits: bitWidth,
      partBytes: bitWidth,
      sharedPart: `Decode${bitWidth}`,
    })),
  ).flat();
  return {
    choices,
    layerNames: Array.from({ length: layerCount }, (_, layer) => `layer${layer}`),
    budget,
    ties,
    constraints: [],
    fileBytes: (partBytes, usable) => 100 + partBytes + 10 * new Set(usable.map((v) => choices[v]!.sharedPart)).size,
  };
}

/** Harm 2 and 0 for the two candidates of layer 0, 1 and 0 for those of layer 1, no pair terms. */
const HARM = diagonal([2, 0, 1, 0]);

function diagonal(harms: readonly number[]): Float64Array {
  const matrix = new Float64Array(harms.length ** 2);
  for (const [index, harm] of harms.entries()) matrix[index * (harms.length + 1)] = 2 * harm;
  return matrix;
}

function fileBytesOf(problem: AllocationProblem, variables: readonly number[]): number {
  return problem.fileBytes(
    variables.reduce((sum, variable) => sum + problem.choices[variable]!.partBytes, 0),
    variables,
  );
}

describe('smallestUse', () => {
  it('is the smallest file: the fewest parts and one width to decode', () => {
    expect(smallestUse(problemOf({ kind: 'file-bytes', limit: 0 }))).toBe(100 + 2 + 2 + 10);
  });

  it('is the fewest bits of all weights for a budget in bits', () => {
    expect(smallestUse(problemOf({ kind: 'weight-bits', limit: 0 }))).toBe(32);
  });
});

describe('assertFeasible', () => {
  it('accepts a budget that the smallest artifact just meets', () => {
    expect(() => assertFeasible(problemOf({ kind: 'file-bytes', limit: 114 }))).not.toThrow();
  });

  it('names the smallest feasible budget in bytes', () => {
    expect(() => assertFeasible(problemOf({ kind: 'file-bytes', limit: 113 }))).toThrow(
      'no allocation fits the budget of 113 bytes; the smallest artifact has 114 bytes\n  fix: raise the budget to 114 bytes or more',
    );
  });

  it('names the smallest feasible budget in bits per weight', () => {
    expect(() => assertFeasible(problemOf({ kind: 'weight-bits', limit: 31 }))).toThrow(
      'no allocation fits the budget of 1.9375 bits per weight; the smallest has 2',
    );
  });
});

describe('allocate', () => {
  it('gives the bits to the layer that needs them', async () => {
    const problem = problemOf({ kind: 'file-bytes', limit: 126 });
    const { variables, solver: outcome } = await allocate(problem, HARM, solver.solve, LIMITS);
    expect(variables).toEqual([1, 2]);
    expect(outcome).toMatchObject({ status: 'optimal', objective: 1, relativeGap: 0 });
  });

  it('uses the room that unused widths give back', async () => {
    // 118 bytes do not hold both functions and 4 + 4 bytes, but one function and 4 + 4 bytes exactly.
    const { variables } = await allocate(problemOf({ kind: 'file-bytes', limit: 118 }), HARM, solver.solve, LIMITS);
    expect(variables).toEqual([1, 3]);
  });

  it('finds what fits when the functions of all widths together do not', async () => {
    const { variables } = await allocate(problemOf({ kind: 'file-bytes', limit: 115 }), HARM, solver.solve, LIMITS);
    expect(variables).toEqual([0, 2]);
  });

  it('keeps a budget in bits per weight', async () => {
    const problem = problemOf({ kind: 'weight-bits', limit: 48 });
    const { variables } = await allocate(problem, HARM, solver.solve, LIMITS);
    expect(variables).toEqual([1, 2]);
    expect(effectiveBits(problem, variables)).toBe(3);
  });

  it('gives tied layers one width', async () => {
    const problem = problemOf({ kind: 'weight-bits', limit: 80 }, 3, [[0, 2]]);
    const { variables } = await allocate(problem, diagonal([2, 0, 1, 0, 0.5, 0]), solver.solve, LIMITS);
    expect(variables).toEqual([1, 2, 5]);
  });

  it('says by its error that a further limit leaves nothing, which may be no fault', async () => {
    const few = { name: 'few', costs: Float64Array.of(3, 1, 3, 1), limit: 3 };
    const problem = { ...problemOf({ kind: 'weight-bits', limit: 48 }), constraints: [few] };
    await expect(allocate(problem, HARM, solver.solve, LIMITS)).rejects.toThrow(NoAllocationError);
    const roomy = { ...problem, budget: { kind: 'weight-bits', limit: 64 } } as const;
    expect((await allocate(roomy, HARM, solver.solve, LIMITS)).variables).toEqual([1, 3]);
  });

  it('never exceeds the file size, on random programs at every budget', async () => {
    const random = seededRandom(11);
    for (let limit = 120; limit <= 160; limit += 3) {
      const problem = problemOf({ kind: 'file-bytes', limit }, 5);
      const harm = diagonal(problem.choices.map(({ bitWidth }) => random() / bitWidth));
      const { variables } = await allocate(problem, harm, solver.solve, LIMITS);
      expect(fileBytesOf(problem, variables)).toBeLessThanOrEqual(limit);
    }
  });
});
