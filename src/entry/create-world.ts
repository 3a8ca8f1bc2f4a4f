/** The real world: the disk, the runtime, and the solver in its worker. */
import { join } from 'node:path';
import { PINNED_PACKAGES } from '../runtime/pinned-packages.ts';
import { createSolver } from '../solver/create-solver.ts';
import { findHighs } from '../solver/find-highs.ts';
import type { World } from './create-commands.ts';
import { nameDevice } from './device-name.ts';
import { downloadRuntime } from './download-runtime.ts';
import { type Files, nodeFiles } from './files.ts';
import { cacheDirectory, cacheHome, createOpenCache, storeAt } from './open-cache.ts';
import { openRuntime } from './open-runtime.ts';
import { createProbe } from './probe-in-child.ts';
import { createRunCommand } from './run-command.ts';

/** Beside this file, or beside its bundle; in variables, or the bundler would copy them as assets. */
const SOURCES = { worker: '../solver/highs-worker.ts', probe: './probe.ts', cache: './actions-cache-process.ts' };
const BUNDLES = { worker: './highs-worker.mjs', probe: './probe.mjs', cache: './actions-cache-process.mjs' };

const NPM_REGISTRY = 'https://registry.npmjs.org';

export type WorldSettings = {
  readonly environment: NodeJS.ProcessEnv;
  /** Takes one line for the log. */
  note(line: string): void;
  /** Aborted when the run is to end early. */
  readonly signal: AbortSignal;
  readonly files?: Files;
  /** Whether this is the action, which alone reaches the Actions cache. */
  readonly isAction?: boolean;
  /** Told before anything is measured. */
  readonly announceMeasurement?: World['announceMeasurement'];
};

export function createWorld(settings: WorldSettings): World {
  const { environment, note, signal, files = nodeFiles, isAction = false, announceMeasurement = () => {} } = settings;
  const programs = import.meta.url.endsWith('.ts') ? SOURCES : BUNDLES;
  const registry = environment.npm_config_registry ?? NPM_REGISTRY;
  const solver = createSolver({ workerFile: new URL(programs.worker, import.meta.url), highsSpecifier: findHighs() });
  return {
    files,
    openRuntime: (config) =>
      openRuntime(config, {
        toolCache: environment.RUNNER_TOOL_CACHE ?? join(cacheHome(environment), 'bitgate', 'tools'),
        probeWith: (folder) => createProbe(folder, new URL(programs.probe, import.meta.url), environment),
        download: (folder) => downloadRuntime({ registry, packages: PINNED_PACKAGES, folder }),
        nameDevice,
        note,
      }),
    solve: solver.solve,
    runCommand: createRunCommand(environment),
    openCache: createOpenCache({ environment, isAction }, new URL(programs.cache, import.meta.url)),
    keptMeasurements: (folder) => {
      const setting = folder === undefined ? {} : { directory: folder };
      const directory = cacheDirectory('local', setting, { environment, isAction });
      return { directory, store: storeAt(directory) };
    },
    announceMeasurement,
    note,
    signal,
    now: () => performance.now(),
  };
}
