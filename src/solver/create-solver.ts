/** Solves programs in a worker thread, one after the other, and keeps their time limits even if the worker does not. */
import { Worker } from 'node:worker_threads';
import type { QuadraticProgram } from '../program/quadratic-program.ts';
import { validateProgram } from '../program/validate-program.ts';
import type { Solution, Solve, SolveLimits } from './solution.ts';
import { rated, type SolveProgress, type TimelessSolution } from './solve-program.ts';
import type { SolveRequest, WorkerReply, WorkerSettings } from './worker-messages.ts';

export type SolverOptions = {
  /** `highs-worker`, as source or bundled. */
  readonly workerFile: URL;
  /** Where the worker finds HiGHS: a package name, or a path seen from the worker's file; 'highs' when absent. */
  readonly highsSpecifier?: string;
  /** A worker that has not answered this long after its deadline, or after it was cancelled, is ended; 5 when absent. */
  readonly graceSeconds?: number;
};

export type Solver = {
  /**
   * @throws UserError if a number of the program cannot be used
   * @throws RangeError if its shapes, or the limits, make no sense
   */
  readonly solve: Solve;
  /** End the worker. A solve that is under way resolves with what it has. */
  readonly close: () => Promise<void>;
};

const GRACE_SECONDS = 5;
/** Longer delays overflow the timer and fire at once. */
const MAX_TIMER_MILLISECONDS = 2 ** 31 - 1;

export function createSolver({
  workerFile,
  highsSpecifier = 'highs',
  graceSeconds = GRACE_SECONDS,
}: SolverOptions): Solver {
  let worker: Worker | undefined;
  let isClosed = false;
  let turn: Promise<unknown> = Promise.resolve();
  const settings: WorkerSettings = { highsSpecifier };
  const start = () => {
    if (isClosed) throw new Error('the solver was closed');
    worker ??= new Worker(workerFile, { workerData: settings }).once('exit', () => {
      worker = undefined;
    });
    return worker;
  };
  const solve: Solve = async (program, limits) => {
    validateProgram(program);
    assertLimits(limits);
    const solution = turn.then(() => solveIn(start(), program, limits, graceSeconds));
    turn = solution.catch(() => undefined);
    return solution;
  };
  const close = async () => {
    isClosed = true;
    await worker?.terminate();
  };
  return { solve, close };
}

function assertLimits({ timeLimitSeconds, relativeGap }: SolveLimits): void {
  if (!(timeLimitSeconds > 0)) throw new RangeError(`the time limit is ${timeLimitSeconds} s, expected more than 0`);
  if (!(relativeGap >= 0)) throw new RangeError(`the relative gap is ${relativeGap}, expected 0 or more`);
}

/** One solve from request to answer; every way that it can end resolves the promise exactly once. */
function solveIn(
  worker: Worker,
  program: QuadraticProgram,
  limits: SolveLimits,
  graceSeconds: number,
): Promise<Solution> {
  const { timeLimitSeconds, relativeGap, signal } = limits;
  const begun = performance.now();
  const cancelFlag = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  let latest: SolveProgress | undefined;
  return new Promise((resolve) => {
    let crash: Error | undefined;
    const end = (solution: TimelessSolution) => {
      clearTimeout(watchdog);
      signal?.removeEventListener('abort', cancel);
      worker.off('message', receive).off('error', noteCrash).off('exit', endWithout).unref();
      resolve({ ...solution, seconds: (performance.now() - begun) / 1000 });
    };
    const receive = (reply: WorkerReply) => {
      if (reply.kind === 'solution') end(reply.solution);
      else latest = reply.progress;
    };
    const noteCrash = (error: Error) => {
      crash = error;
    };
    // Only 'exit' ends a solve without an answer: before it, the next solve would be sent to the same dying worker.
    const endWithout = () => end(crash === undefined ? salvage(latest, relativeGap) : failedBy(crash));
    const abandon = () => void worker.terminate();
    const cancel = () => {
      Atomics.store(new Int32Array(cancelFlag), 0, 1);
      clearTimeout(watchdog);
      watchdog = startTimer(graceSeconds, abandon);
    };
    let watchdog = startTimer(timeLimitSeconds + graceSeconds, abandon);
    worker.on('message', receive).on('error', noteCrash).on('exit', endWithout).ref();
    signal?.addEventListener('abort', cancel);
    if (signal?.aborted === true) cancel();
    worker.postMessage({ program, relativeGap, timeLimitSeconds, cancelFlag } satisfies SolveRequest);
  });
}

/** What a solve whose worker was ended had found by then. */
function salvage(latest: SolveProgress | undefined, relativeGap: number): TimelessSolution {
  if (latest?.assignment === undefined || latest.objective === undefined) {
    return { status: 'failed', reason: "the solver's worker was ended before it found an assignment" };
  }
  return rated(latest.assignment, latest.objective, latest.bestBound, relativeGap);
}

function failedBy(crash: Error): TimelessSolution {
  return { status: 'failed', reason: `the solver's worker failed: ${crash.stack ?? crash.message}` };
}

function startTimer(seconds: number, action: () => void): NodeJS.Timeout {
  return setTimeout(action, Math.min(seconds * 1000, MAX_TIMER_MILLISECONDS));
}
