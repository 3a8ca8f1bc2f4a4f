/** The real world: the disk, the runtime, and the solver in its worker. */
import { openOnnxruntimeSession } from '../runtime/onnxruntime.ts';
import { createSolver } from '../solver/create-solver.ts';
import type { World } from './create-commands.ts';
import { nodeFiles } from './files.ts';

/** The bundle of the solver's worker, beside this file's own bundle; in a variable, or the bundler would copy it as an asset. */
const WORKER_BUNDLE = './highs-worker.mjs';

/** @param workerFile the solver's worker as source; its bundle when absent */
export function createWorld(workerFile: URL = new URL(WORKER_BUNDLE, import.meta.url)): World {
  const solver = createSolver({ workerFile });
  return {
    files: nodeFiles,
    openSession: openOnnxruntimeSession,
    solve: solver.solve,
    now: () => performance.now(),
    signal: new AbortController().signal,
  };
}
