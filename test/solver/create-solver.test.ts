import { afterAll, describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { isFeasible, objectiveOf } from '../../src/program/evaluate-assignment.ts';
import type { QuadraticProgram } from '../../src/program/quadratic-program.ts';
import { createSolver, type SolverOptions } from '../../src/solver/create-solver.ts';
import type { Solution, SolveLimits } from '../../src/solver/solution.ts';
import { enumerate, randomProgram } from './random-programs.ts';
import { hardProgram } from './small-programs.ts';

const WORKER = new URL('../../src/solver/highs-worker.ts', import.meta.url);
const LIMITS: SolveLimits = { timeLimitSeconds: 60, relativeGap: 0 };

const solver = createSolver({ workerFile: WORKER });
afterAll(() => solver.close());

function smallProgram(seed: number): QuadraticProgram {
  return randomProgram({ seed, groupCount: 5, largestGroup: 3, kind: 'indefinite', constraintCount: 1 });
}

/** One solve by a worker whose whole code is given. */
async function solveBy(code: string, limits: Partial<SolveLimits> = {}, options: Partial<SolverOptions> = {}) {
  const workerFile = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
  const stub = createSolver({ workerFile, graceSeconds: 0.1, ...options });
  const solution = await stub.solve(smallProgram(1), { ...LIMITS, ...limits });
  await stub.close();
  return solution;
}

const ON_MESSAGE = "import { parentPort } from 'node:worker_threads'; parentPort.on('message', (request) => {";
const PROGRESS =
  "parentPort.postMessage({ kind: 'progress', progress: { assignment: [0], objective: 3, bestBound: 1 } });";
/** A blocked thread: nothing but termination ends it. */
const HANG = 'for (;;) {}';

function expectSound(program: QuadraticProgram, solution: Solution): void {
  if (solution.status !== 'feasible') throw new Error(`ended ${solution.status}`);
  expect(isFeasible(program, solution.assignment)).toBe(true);
  expect(solution.objective).toBe(objectiveOf(program, solution.assignment));
  expect(Number.isFinite(solution.bestBound)).toBe(true);
  expect(solution.bestBound).toBeLessThan(solution.objective);
  expect(solution.relativeGap).toBeGreaterThan(0);
}

describe('createSolver', () => {
  it('solve: programs sent together are solved one after the other, each to its own optimum', async () => {
    const programs = [1, 2, 3, 4].map(smallProgram);
    const solutions = await Promise.all(programs.map((program) => solver.solve(program, LIMITS)));
    expect(solutions.map((solution) => solution.status)).toEqual(['optimal', 'optimal', 'optimal', 'optimal']);
    for (const [index, solution] of solutions.entries()) {
      if (solution.status !== 'optimal') continue;
      expect(solution.objective).toBeCloseTo(enumerate(programs[index]!)!.objective, 9);
      expect(solution.seconds).toBeGreaterThan(0);
    }
  });

  it('solve: the same program has the same assignment again', async () => {
    const program = randomProgram({ seed: 9, groupCount: 15, largestGroup: 4, kind: 'convex', constraintCount: 1 });
    const [first, second] = [await solver.solve(program, LIMITS), await solver.solve(program, LIMITS)];
    expect({ ...second, seconds: 0 }).toEqual({ ...first, seconds: 0 });
  });

  it('solve: leaves the caller’s thread free, and a cancelled solve returns its incumbent and bound', async () => {
    const program = hardProgram();
    const controller = new AbortController();
    let ticks = 0;
    const clock = setInterval(() => {
      ticks += 1;
      if (ticks === 20) controller.abort();
    }, 10);
    const solution = await solver.solve(program, { ...LIMITS, timeLimitSeconds: 3600, signal: controller.signal });
    clearInterval(clock);
    expect(ticks).toBeGreaterThanOrEqual(20);
    expectSound(program, solution);
  });

  it('solve: cancelled before its turn, it still returns an assignment and a bound', async () => {
    const program = hardProgram();
    expectSound(program, await solver.solve(program, { ...LIMITS, signal: AbortSignal.abort() }));
  });

  it('solve: the time limit ends it with incumbent and bound', async () => {
    const program = hardProgram();
    expectSound(program, await solver.solve(program, { timeLimitSeconds: 0.5, relativeGap: 0 }));
  });

  it('solve: an infeasible program has no assignment to read', async () => {
    const program = { ...smallProgram(1), constraints: [{ ...smallProgram(1).constraints[0]!, limit: -1 }] };
    const solution = await solver.solve(program, LIMITS);
    expect(solution).toMatchObject({ status: 'infeasible', contradictions: [{ constraints: [0] }] });
    expect(solution).not.toHaveProperty('assignment');
    expect(solution).not.toHaveProperty('objective');
  });
});

describe('createSolver, bad input', () => {
  it('solve: numbers that cannot be used are refused before anything is started', async () => {
    const program = smallProgram(1);
    const quadratic = program.quadratic.slice();
    quadratic[1] = Number.NaN;
    const solve = solver.solve({ ...program, quadratic }, LIMITS);
    await expect(solve).rejects.toThrow(UserError);
    await expect(solve).rejects.toThrow(
      /^the sensitivity of layer 0 candidate 0 with .* is not a finite number\n {2}fix: /,
    );
  });

  it('solve: an asymmetric matrix is refused', async () => {
    const program = smallProgram(1);
    const quadratic = program.quadratic.slice();
    quadratic[1]! += 1;
    await expect(solver.solve({ ...program, quadratic }, LIMITS)).rejects.toThrow(/in one order and .* in the other/);
  });

  it.each([
    [{ timeLimitSeconds: 0 }, 'the time limit is 0 s, expected more than 0'],
    [{ timeLimitSeconds: Number.NaN }, 'the time limit is NaN s, expected more than 0'],
    [{ relativeGap: -1 }, 'the relative gap is -1, expected 0 or more'],
    [{ relativeGap: Number.NaN }, 'the relative gap is NaN, expected 0 or more'],
  ])('solve: refuses the limits %j', async (limits, message) => {
    await expect(solver.solve(smallProgram(1), { ...LIMITS, ...limits })).rejects.toThrow(new RangeError(message));
  });

  it('solve: a closed solver says so', async () => {
    const closed = createSolver({ workerFile: WORKER });
    await closed.close();
    await expect(closed.solve(smallProgram(1), LIMITS)).rejects.toThrow('the solver was closed');
  });
});

describe('createSolver, a worker that fails', () => {
  it('solve: an error in the worker is a failed solution with its message', async () => {
    const solution = await solveBy(`${ON_MESSAGE} throw new Error('out of memory'); });`);
    expect(solution).toMatchObject({
      status: 'failed',
      reason: expect.stringMatching(/^the solver's worker failed: Error: out of memory\n/),
    });
  });

  it('solve: an error caught in the worker is a failed solution, and the worker goes on', async () => {
    const broken = createSolver({ workerFile: WORKER, highsSpecifier: 'no-such-package' });
    const toHighs = randomProgram({ seed: 5, groupCount: 30, largestGroup: 4, kind: 'indefinite', constraintCount: 1 });
    expect(await broken.solve(toHighs, { timeLimitSeconds: 4, relativeGap: 0 })).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining("Cannot find module 'no-such-package'"),
    });
    expect(await broken.solve(smallProgram(1), LIMITS)).toMatchObject({ status: 'optimal' });
    await broken.close();
  });

  it('solve: a worker that dies without a word leaves what it had reported', async () => {
    const solution = await solveBy(`${ON_MESSAGE} ${PROGRESS} setTimeout(() => process.exit(1), 50); });`);
    expect(solution).toMatchObject({ status: 'feasible', assignment: [0], objective: 3, bestBound: 1 });
    expect(solution).toHaveProperty('relativeGap', 2 / 3);
  });

  it('solve: a worker that hangs is ended after its time limit', async () => {
    const solution = await solveBy(`${ON_MESSAGE} ${PROGRESS} ${HANG} });`, { timeLimitSeconds: 0.3 });
    expect(solution).toMatchObject({ status: 'feasible', objective: 3, bestBound: 1 });
    expect(await solveBy(`${ON_MESSAGE} ${HANG} });`, { timeLimitSeconds: 0.3 })).toMatchObject({
      status: 'failed',
      reason: "the solver's worker was ended before it found an assignment",
    });
  });

  it('solve: a worker that hangs is ended after a cancellation', async () => {
    const signal = AbortSignal.timeout(100);
    const solution = await solveBy(`${ON_MESSAGE} ${PROGRESS} ${HANG} });`, { timeLimitSeconds: 3600, signal });
    expect(solution).toMatchObject({ status: 'feasible', objective: 3 });
  });

  it('solve: after a worker has died the next solve gets a new one', async () => {
    const once = `${ON_MESSAGE} if (request.relativeGap === 0) process.exit(1);
      parentPort.postMessage({ kind: 'solution', solution: { status: 'failed', reason: 'a new worker' } }); });`;
    const workerFile = new URL(`data:text/javascript,${encodeURIComponent(once)}`);
    const stub = createSolver({ workerFile });
    const solves = [0, 1].map((relativeGap) => stub.solve(smallProgram(1), { ...LIMITS, relativeGap }));
    const [first, second] = await Promise.all(solves);
    expect(first).toMatchObject({ reason: "the solver's worker was ended before it found an assignment" });
    expect(second).toMatchObject({ reason: 'a new worker' });
    await stub.close();
  });

  it('close: ends a solve that is under way with what it has', async () => {
    const workerFile = new URL(`data:text/javascript,${encodeURIComponent(`${ON_MESSAGE} ${PROGRESS} });`)}`);
    const stub = createSolver({ workerFile });
    const solving = stub.solve(smallProgram(1), LIMITS);
    setTimeout(() => void stub.close(), 300);
    expect(await solving).toMatchObject({ status: 'feasible', objective: 3 });
  });
});
