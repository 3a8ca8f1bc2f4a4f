/** One run of the pipeline on a shared model, as a config would ask for it, with the artifact kept in memory. */
import type { BudgetConfig, Config, DataSourceConfig } from '../src/config/config.ts';
import { nodeFiles } from '../src/entry/files.ts';
import { createOpenCache } from '../src/entry/open-cache.ts';
import { createRunCommand } from '../src/entry/run-command.ts';
import { type Effects, runGate } from '../src/pipeline.ts';
import { openOnnxruntimeSession } from '../src/runtime/onnxruntime.ts';
import { ONNXRUNTIME_VERSION } from '../src/runtime/pinned-packages.ts';
import { createSolver } from '../src/solver/create-solver.ts';
import { MEMORY_LIMIT_BYTES, type SharedModel } from './shared-models.ts';

const openCache = createOpenCache(
  { environment: {}, isAction: false },
  new URL('../src/entry/actions-cache-process.ts', import.meta.url),
);

const solver = createSolver({ workerFile: new URL('../src/solver/highs-worker.ts', import.meta.url) });

export type RunSettings = {
  readonly quantize: Pick<Config['quantize'], 'bitWidths' | 'method' | 'correct'>;
  readonly sensitivity: Partial<Config['sensitivity']>;
  readonly budget: BudgetConfig;
  readonly calibration: Config['data']['calibration'];
  readonly evaluation: DataSourceConfig;
  readonly searchSeconds: number;
  /** Where measured losses are kept; nowhere when absent, so that every case is measured. */
  readonly cacheDirectory?: string;
};

export async function runShared(shared: SharedModel, settings: RunSettings) {
  return runGate(configOf(shared, settings), benchEffects());
}

/** What is measured is the file that would be written: the pipeline evaluates the very bytes. */
export function benchEffects(): Effects {
  const files = { ...nodeFiles, writeFileAtomically: async () => {} };
  const signal = new AbortController().signal;
  const device = { runtimeVersion: ONNXRUNTIME_VERSION, device: 'cpu' };
  const runCommand = createRunCommand(process.env);
  const world = {
    files,
    openSession: openOnnxruntimeSession,
    solve: solver.solve,
    runCommand,
    openCache,
    device,
    signal,
  };
  const silent = { reportProgress: () => {}, announceMeasurement: () => {}, note: () => {} };
  return { ...world, ...silent, now: () => performance.now() };
}

export async function closeSolver(): Promise<void> {
  await solver.close();
}

export function configOf(shared: SharedModel, settings: RunSettings): Config {
  const { quantize, sensitivity, budget, calibration, evaluation, searchSeconds, cacheDirectory } = settings;
  return {
    path: 'bench.yml',
    options: [],
    modelPath: shared.path,
    outputPath: 'bench.onnx',
    reportDirectory: 'bench',
    budget,
    constraints: [],
    quantize: { ...quantize, granularity: 'channel', format: 'packed', pins: [], ties: [] },
    data: { calibration, evaluation, preprocess: shared.preprocess },
    sensitivity: {
      method: 'pairwise',
      loss: 'kl',
      transform: 'none',
      psd: true,
      timeLimitSeconds: Number.POSITIVE_INFINITY,
      ...sensitivity,
    },
    search: { timeLimitSeconds: searchSeconds },
    gate: { metric: 'top1', inconclusive: 'fail', warn: {}, locations: {} },
    seed: 1,
    runtime: { device: 'cpu', allowsDownload: false },
    cache:
      cacheDirectory === undefined
        ? { setting: 'off', verifyCount: 0 }
        : { setting: 'local', directory: cacheDirectory, verifyCount: 0 },
    memoryLimitBytes: MEMORY_LIMIT_BYTES,
  };
}
