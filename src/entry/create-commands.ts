/** The composition: stages and the world put together behind the two faces. */
import { join, relative } from 'node:path';
import type { BudgetConfig, Config, RuntimeConfig } from '../config/config.ts';
import { evaluateModel } from '../evaluate-model.ts';
import { inspectRun } from '../inspect.ts';
import { modelInputs } from '../onnx/model-inputs.ts';
import { drawPareto } from '../pareto.ts';
import { readModel } from '../pipeline/read-model.ts';
import { type Effects, runGate } from '../pipeline.ts';
import type { ReportProgress } from '../progress.ts';
import type { EvaluationReport } from '../report/evaluation-report.ts';
import type { GateReport } from '../report/gate-report.ts';
import type { ParetoReport } from '../report/pareto-report.ts';
import { renderHtml } from '../report/render-html.ts';
import { renderInspection } from '../report/render-inspection.ts';
import { renderParetoHtml } from '../report/render-pareto-html.ts';
import { renderParetoJson } from '../report/render-pareto-json.ts';
import { renderResult } from '../report/render-result.ts';
import { renderSummary } from '../report/render-summary.ts';
import { renderTerminal } from '../report/render-terminal.ts';
import { measureShard, planMeasurement } from '../shards.ts';
import { shellLine } from '../shell-line.ts';
import { solveKept } from '../solve-kept.ts';
import { BITGATE_VERSION } from '../version.ts';
import { type KeptMeasurements, runCacheCommand } from './cache-command.ts';
import type { Commands, GateExtras } from './commands.ts';
import type { Runtime } from './open-runtime.ts';
import { solveProgramFile } from './solve-program-file.ts';

/** Everything outside, but for progress, which each run is given, and for the runtime, which its config decides. */
export type World = Omit<Effects, 'reportProgress' | 'openSession' | 'device'> & {
  openRuntime(config: RuntimeConfig): Promise<Runtime>;
  /** In the folder, or where they are kept by default. */
  keptMeasurements(directory?: string): KeptMeasurements;
};

export function createCommands(world: World): Commands {
  return {
    runGate: (config, reportProgress, extras = {}) => runAndWrite(config, world, reportProgress, extras),
    planMeasurement: async (config, count, reportProgress) =>
      planMeasurement(config, count, await openEffects(config, world, reportProgress)),
    measureShard: async (config, task, reportProgress) =>
      measureShard(config, task, await openEffects(config, world, reportProgress)),
    inspect: (config, reportProgress) => inspect(config, world, reportProgress),
    describeModel: (path) => describeModel(path, world),
    solveProgram: (options) => solveProgramFile(options, world),
    solveKept: async (config, budgets, reportProgress) =>
      solveKept(config, budgets, await openEffects(config, world, reportProgress)),
    pareto: (config, budgets, reportProgress) => paretoAndWrite(config, budgets, world, reportProgress),
    evaluate: (config, modelPath, reportProgress) => evaluate(config, modelPath, world, reportProgress),
    cache: (action, directory) => runCacheCommand(action, world.keptMeasurements(directory), Date.now()),
    renderTerminal,
    renderSummary,
  };
}

async function inspect(config: Config, world: World, reportProgress: ReportProgress): Promise<string> {
  return renderInspection(await inspectRun(config, await openEffects(config, world, reportProgress)));
}

/** What the stages may do, with the runtime that the config wants. */
async function openEffects(
  { runtime }: Config,
  world: World,
  reportProgress: ReportProgress,
): Promise<Effects & { readonly runtime: Runtime }> {
  const opened = await world.openRuntime(runtime);
  return {
    ...world,
    runtime: opened,
    openSession: opened.openSession,
    device: { runtimeVersion: opened.version, device: describeDevice(opened) },
    // Every stage tells how far it is, and so ends soon when it is told to.
    reportProgress: (event) => {
      world.signal.throwIfAborted();
      reportProgress(event);
    },
  };
}

async function runAndWrite(
  config: Config,
  world: World,
  reportProgress: ReportProgress,
  { warnings = [], shares }: GateExtras,
): Promise<GateReport> {
  const effects = await openEffects(config, world, reportProgress);
  const outcome = await runGate(config, effects, shares);
  const report: GateReport = {
    ...outcome,
    warnings: [...warnings, ...outcome.warnings],
    environment: describeEnvironment(effects.runtime),
    reproduce: reproduceLine(config),
  };
  const forms = {
    'result.json': renderResult(report),
    'summary.md': renderSummary(report),
    'report.html': renderHtml(report),
  };
  for (const [name, text] of Object.entries(forms)) {
    await world.files.writeFileAtomically(join(config.reportDirectory, name), text);
  }
  return report;
}

async function paretoAndWrite(
  config: Config,
  budgets: readonly BudgetConfig[] | undefined,
  world: World,
  reportProgress: ReportProgress,
): Promise<ParetoReport> {
  const effects = await openEffects(config, world, reportProgress);
  const drawn = await drawPareto(config, budgets, effects);
  const report: ParetoReport = { ...drawn, environment: describeEnvironment(effects.runtime) };
  const forms = { 'pareto.json': renderParetoJson(report), 'pareto.html': renderParetoHtml(report) };
  for (const [name, text] of Object.entries(forms)) {
    await world.files.writeFileAtomically(join(config.reportDirectory, name), text);
  }
  return report;
}

async function evaluate(
  config: Config,
  modelPath: string,
  world: World,
  reportProgress: ReportProgress,
): Promise<EvaluationReport> {
  const effects = await openEffects(config, world, reportProgress);
  const evaluated = await evaluateModel(config, modelPath, effects);
  return { ...evaluated, environment: describeEnvironment(effects.runtime) };
}

function describeDevice({ executionProvider, deviceName }: Runtime): string {
  return deviceName === undefined ? executionProvider : `${executionProvider} (${deviceName})`;
}

function describeEnvironment(runtime: Runtime): GateReport['environment'] {
  return {
    bitgate: BITGATE_VERSION,
    onnxruntime: runtime.version,
    executionProvider: describeDevice(runtime),
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
  };
}

/** One line for a shell in the current directory. */
function reproduceLine({ path, options }: Config): string {
  return shellLine(['bitgate', 'run', relative(process.cwd(), path), ...options]);
}

async function describeModel(path: string, { files }: World) {
  const { original, model, layers } = await readModel(
    { modelPath: path, quantize: { correct: 'none', granularity: 'channel' } },
    files,
  );
  return {
    sizeBytes: original.contentSizeBytes,
    inputs: modelInputs(model),
    layerCount: layers.length,
    weightCount: layers.reduce((sum, { weightCount }) => sum + weightCount, 0),
  };
}
