/** The whole story: from a config to a verdict. Start reading here. */
import { allocate } from './allocate/allocate.ts';
import { offeredWidths } from './allocate/offered-widths.ts';
import { assertFeasible } from './allocate/smallest-allocation.ts';
import { buildArtifact, planArtifact } from './artifact/packed-artifact.ts';
import type { Config } from './config/config.ts';
import { openData, readAll } from './dataset/open-data.ts';
import type { Files } from './entry/files.ts';
import { evaluate } from './evaluate/evaluate.ts';
import { decide } from './gate/decide.ts';
import { modelInputs } from './onnx/model-inputs.ts';
import { describeProblem } from './pipeline/allocation-problem.ts';
import { buildReport } from './pipeline/build-report.ts';
import { checkNeededLabels } from './pipeline/needed-labels.ts';
import { describeProvenance } from './pipeline/provenance.ts';
import { readModel } from './pipeline/read-model.ts';
import { SESSION_MEMORY_BYTES } from './pipeline/session-memory.ts';
import { createStageClock } from './pipeline/stage-clock.ts';
import type { ReportProgress } from './progress.ts';
import type { GateReport } from './report/gate-report.ts';
import type { OpenSession } from './runtime/session.ts';
import { quantizeCandidates } from './sensitivity/candidates.ts';
import { measureLayerCosts } from './sensitivity/layer-costs.ts';
import { createLosses } from './sensitivity/losses.ts';
import { measureSensitivities } from './sensitivity/measure-sensitivities.ts';
import { quadraticTerms } from './sensitivity/pair-terms.ts';
import { measureReference } from './sensitivity/reference.ts';
import type { Solve } from './solver/solution.ts';
import { encodeModelProto } from './wire/model-proto.ts';

/** The world outside, injected. */
export type Effects = {
  readonly files: Files;
  readonly openSession: OpenSession;
  readonly solve: Solve;
  readonly reportProgress: ReportProgress;
  /** A clock in milliseconds. */
  now(): number;
};

/** The proof that an allocation is the best usually takes well under a second. */
const SOLVE_LIMITS = { timeLimitSeconds: 30, relativeGap: 1e-4 };

/** Quantize, measure and decide; the artifact is written whatever the verdict. */
export async function runGate(
  config: Config,
  effects: Effects,
): Promise<Omit<GateReport, 'environment' | 'reproduce'>> {
  const { files, openSession, solve, reportProgress } = effects;
  const clock = createStageClock(effects.now);

  const { original, model, layers } = await clock.time('read the model', () => readModel(config.modelPath, files));
  const widths = offeredWidths(
    layers.map(({ name }) => name),
    config.quantize,
    config.path,
  );
  const data = await clock.time('read the data', () => openData(config.data, modelInputs(model), config.seed, files));
  const batches = await clock.time('read the data', () => readAll(data.calibration.batches()));

  const candidates = await clock.time('quantize', () => quantizeCandidates(model, layers, widths));
  const plan = planArtifact(model, layers, await describeProvenance(original, data.calibration, config));
  const problem = describeProblem(plan, candidates, config.budget);
  assertFeasible(problem);

  const reference = await clock.time('run the float model', () => measureReference(model, batches, openSession));
  checkNeededLabels(config, data, reference);
  const sensitivities = await clock.time('measure sensitivities', async () =>
    measureSensitivities({
      model,
      candidates,
      batches,
      openSession,
      reportProgress,
      method: config.sensitivity.method,
      lossName: config.sensitivity.loss,
      losses: createLosses(config.sensitivity.loss, batches, reference.outputs, reference.outputNames),
      costs: await measureLayerCosts(model, layers, batches[0]!, openSession),
      memoryLimitBytes: SESSION_MEMORY_BYTES,
    }),
  );

  const { quadratic } = quadraticTerms(sensitivities, config.sensitivity);
  const allocation = await clock.time('allocate', () => allocate(problem, quadratic, solve, SOLVE_LIMITS));
  const artifact = await clock.time('write the artifact', async () => {
    const bytes = buildArtifact(
      plan,
      allocation.variables.map((variable) => candidates[variable]!.content),
    );
    await files.writeFileAtomically(config.outputPath, bytes);
    return bytes;
  });

  const measurements = await clock.time('evaluate', () =>
    evaluate({
      floatModel: encodeModelProto(original.proto),
      artifact,
      batches: data.evaluation.batches(),
      sampleCount: data.evaluation.indices.length,
      metric: config.gate.metric,
      openSession,
      reportProgress,
    }),
  );
  const verdict = decide(measurements, {
    gate: config.gate,
    budget: problem.budget,
    artifactSizeBytes: artifact.length,
  });
  return buildReport({
    config,
    original,
    layers,
    problem,
    allocation,
    sensitivities,
    artifact,
    measurements,
    verdict,
    timings: clock.timings,
  });
}
