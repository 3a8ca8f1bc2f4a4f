/** The whole story: from a config to a verdict. Start reading here. */
import { offeredWidths, tiedLayers } from './allocate/offered-widths.ts';
import { assertFeasible, effectiveBits, totalWeights } from './allocate/smallest-allocation.ts';
import type { Config } from './config/config.ts';
import { openData, readAll } from './dataset/open-data.ts';
import type { Files } from './entry/files.ts';
import { decide } from './gate/decide.ts';
import { modelInputs } from './onnx/model-inputs.ts';
import { describeProblem } from './pipeline/allocation-problem.ts';
import { createWriter } from './pipeline/artifact-writer.ts';
import { buildReport, type Outcome } from './pipeline/build-report.ts';
import { chooseAllocation } from './pipeline/choose-allocation.ts';
import { type CostForecast, chooseMethod, forecastMethods } from './pipeline/choose-method.ts';
import { evaluateArtifact } from './pipeline/evaluate-artifact.ts';
import { findWarnings } from './pipeline/find-warnings.ts';
import { measureActivations } from './pipeline/measure-activations.ts';
import { checkNeededLabels } from './pipeline/needed-labels.ts';
import { describeProvenance } from './pipeline/provenance.ts';
import { quantizeLayers } from './pipeline/quantize-layers.ts';
import { readModel } from './pipeline/read-model.ts';
import { runFloatModel } from './pipeline/run-float-model.ts';
import { SESSION_MEMORY_BYTES } from './pipeline/session-memory.ts';
import { sizeCandidates } from './pipeline/size-candidates.ts';
import { splitBatches, splitSweep } from './pipeline/split-sweep.ts';
import { createStageClock } from './pipeline/stage-clock.ts';
import type { ReportProgress } from './progress.ts';
import type { OpenSession } from './runtime/session.ts';
import { measureLayerCosts } from './sensitivity/layer-costs.ts';
import { createLosses } from './sensitivity/losses.ts';
import { measureSensitivities } from './sensitivity/measure-sensitivities.ts';
import type { Solve } from './solver/solution.ts';

/** The world outside, injected. */
export type Effects = {
  readonly files: Files;
  readonly openSession: OpenSession;
  readonly solve: Solve;
  readonly reportProgress: ReportProgress;
  /** Aborted when the run is to end early. */
  readonly signal: AbortSignal;
  /** A clock in milliseconds. */
  now(): number;
};

/** The proof that an allocation is the best usually takes well under a second. */
const SOLVE_LIMITS = { timeLimitSeconds: 30, relativeGap: 1e-4 };

/** Quantize, measure and decide; the artifact is written whatever the verdict. */
export async function runGate(config: Config, effects: Effects): Promise<Outcome> {
  const { files, openSession, solve, reportProgress } = effects;
  const clock = createStageClock(effects.now);

  const loaded = await clock.time('read the model', () => readModel(config, files));
  const { original, model, layers } = loaded;
  const names = layers.map(({ name }) => name);
  const widths = offeredWidths(names, config.quantize, config.path);
  const ties = tiedLayers(names, widths, config.quantize.ties, config.path);
  const data = await clock.time('read the data', () => openData(config.data, modelInputs(model), config.seed, files));
  const batches = await clock.time('read the data', () => readAll(data.calibration.batches()));
  const split = splitBatches(batches.length, config.search);

  const provenance = await describeProvenance(original, data.calibration, config);
  const sizes = { layers, budget: config.budget, floatFileBytes: original.fileSizeBytes, ties };
  const { format, granularity, activations } = config.quantize;
  // A hopeless budget is refused before the model runs for the first time.
  const sizer = createWriter(format, model, layers, provenance);
  const sized = { writer: sizer, candidates: sizeCandidates(layers, widths, granularity) };
  assertFeasible(describeProblem({ ...sizes, ...sized }), config.gate.locations.size);

  const reference = await clock.time('run the float model', () => runFloatModel(loaded, batches, openSession));
  // So is what the metric and the loss cannot read, before anything takes long.
  checkNeededLabels(config, data, batches, reference);
  const losses = createLosses(config.sensitivity.loss, batches, reference.outputs, reference.outputNames);

  const memoryLimitBytes = SESSION_MEMORY_BYTES;
  const fitted = { batches: split.fitting(batches), memoryLimitBytes, openSession, reportProgress };
  const measuring = { model, layers, widths, ...fitted };
  const ranges = await clock.time('quantize', () => measureActivations(activations, measuring));
  const candidates = await clock.time('quantize', () =>
    quantizeLayers({ ...measuring, quantize: config.quantize, wantsMoments: wantsMoments(config) }),
  );
  const writer = createWriter(format, model, layers, provenance, ranges);
  const problem = describeProblem({ ...sizes, writer, candidates });
  assertFeasible(problem, config.gate.locations.size);

  const costs = await measureLayerCosts(model, layers, batches[0]!, openSession);
  const [fitting, choice] = splitSweep({ model, batches, losses, openSession }, split);
  const secondsPerForward = (reference.forwardSeconds * fitting.batches.length) / batches.length;
  const forecasts = forecastMethods({ model, candidates, costs, memoryLimitBytes, secondsPerForward });
  const sensitivities = await clock.time('measure sensitivities', () =>
    measureSensitivities({
      ...fitting,
      candidates,
      costs,
      method: chooseMethod(config.sensitivity, forecasts),
      lossName: config.sensitivity.loss,
      memoryLimitBytes,
      store: { find: () => undefined, keep: async () => {} },
      signal: effects.signal,
      reportProgress,
    }),
  );

  const builder = { layers, candidates, costs, problem, fitting, choice, solve, solveLimits: SOLVE_LIMITS };
  const chosen = await clock.time('choose the allocation', () =>
    chooseAllocation(
      { ...builder, correction: config.quantize.correct },
      sensitivities,
      config.sensitivity,
      { limitSeconds: config.search.timeLimitSeconds, secondsForMoves: secondsOf('diagonal', forecasts) },
      reportProgress,
    ),
  );
  const artifact = writer.build(chosen.best.biases, chosen.best.contents);
  await clock.time('write the artifact', () => files.writeFileAtomically(config.outputPath, artifact));

  const { measurements, speed } = await clock.time('evaluate', () =>
    evaluateArtifact(original, artifact, data.evaluation, config, effects),
  );
  const verdict = decide(measurements, {
    gate: config.gate,
    budget: problem.budget,
    artifactSizeBytes: artifact.length,
    effectiveBits: effectiveBits(problem, chosen.best.variables),
    weightCount: totalWeights(problem),
    seed: config.seed,
  });
  const warnings = findWarnings(config, chosen, measurements);
  const parts = {
    config,
    original,
    layers,
    problem,
    chosen,
    sensitivities,
    artifact,
    measurements,
    speed,
    verdict,
    warnings,
  };
  return buildReport({ ...parts, timings: clock.timings });
}

/** A round of moves runs what `diagonal` runs, over another base. */
function secondsOf(method: CostForecast['method'], forecasts: readonly CostForecast[]): number {
  return forecasts.find((forecast) => forecast.method === method)!.seconds;
}

/** Whether sensitivities may come from the moments of the layers' inputs. */
function wantsMoments({ sensitivity: { method } }: Config): boolean {
  return method === 'local' || method === 'auto';
}
