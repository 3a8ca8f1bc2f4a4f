/** The worker thread that solves: HiGHS and branch and bound block their thread, and the caller's must stay responsive. */
import { parentPort, workerData } from 'node:worker_threads';
import { type SolveMilp, solveMilp } from './highs-milp.ts';
import { loadHighs } from './load-highs.ts';
import { type SolveControl, solveProgram, type TimelessSolution } from './solve-program.ts';
import type { SolveRequest, WorkerReply, WorkerSettings } from './worker-messages.ts';

const port = parentPort;
if (port === null) throw new Error('highs-worker runs as a worker thread only');
const { highsSpecifier } = workerData as WorkerSettings;

let milp: Promise<SolveMilp> | undefined;

function loadMilp(): Promise<SolveMilp> {
  milp ??= loadHighs(highsSpecifier).then((highs) => (mip, start, limits) => solveMilp(highs, mip, start, limits));
  return milp;
}

function controlOf({ relativeGap, timeLimitSeconds, cancelFlag }: SolveRequest): SolveControl {
  const deadline = performance.now() + timeLimitSeconds * 1000;
  const flag = new Int32Array(cancelFlag);
  return {
    relativeGap,
    secondsLeft: () => (deadline - performance.now()) / 1000,
    isCancelled: () => Atomics.load(flag, 0) !== 0,
    report: (progress) => reply({ kind: 'progress', progress }),
    loadMilp,
  };
}

function reply(message: WorkerReply): void {
  port?.postMessage(message);
}

function failed(cause: unknown): TimelessSolution {
  return { status: 'failed', reason: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause) };
}

port.on('message', async (request: SolveRequest) => {
  const solution = await solveProgram(request.program, controlOf(request)).catch(failed);
  reply({ kind: 'solution', solution });
});
