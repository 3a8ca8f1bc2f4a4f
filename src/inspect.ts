/** What a run would work on and cost: the story of `bitgate inspect`. */
import { explainNoAllocation, smallestAgreeingUse } from './allocate/agreeing-limits.ts';
import type { AllocationProblem } from './allocate/allocation-problem.ts';
import { smallestSum, smallestUse } from './allocate/smallest-allocation.ts';
import type { Config } from './config/config.ts';
import { openData } from './dataset/open-data.ts';
import type { Batch } from './dataset/sample-set.ts';
import { modelInputs } from './onnx/model-inputs.ts';
import { describeProblem } from './pipeline/allocation-problem.ts';
import { createWriter } from './pipeline/artifact-writer.ts';
import { chooseMethod, forecastMethods, planMethods } from './pipeline/choose-method.ts';
import { describeLimits, readConstraints } from './pipeline/further-limits.ts';
import { readLayerChoices } from './pipeline/layer-choices.ts';
import { measureMachineTimes } from './pipeline/machine-times.ts';
import { checkNeededLabels } from './pipeline/needed-labels.ts';
import { describeProvenance } from './pipeline/provenance.ts';
import { readModel } from './pipeline/read-model.ts';
import { runFloatModel } from './pipeline/run-float-model.ts';
import { sizeCandidates } from './pipeline/size-candidates.ts';
import { fittingSampleCount } from './pipeline/split-sweep.ts';
import type { Effects } from './pipeline.ts';
import type { Inspection } from './report/inspection.ts';
import { measureLayerCosts } from './sensitivity/layer-costs.ts';
import { createLosses } from './sensitivity/losses.ts';
import { sampleCountOf } from './sensitivity/measure-units.ts';
import type { Solve } from './solver/solution.ts';

/** Batches that the forecast is timed on: the time of one alone is a matter of luck. */
const TIMED_BATCHES = 4;

/** Nothing is written; the float model runs on some batches, for the forecast. */
export async function inspectRun(config: Config, { files, openSession, solve }: Effects): Promise<Inspection> {
  const constraints = await readConstraints(config.constraints, files);
  const loaded = await readModel(config, files);
  const { original, model, layers } = loaded;
  const { widths, ties, given } = await readLayerChoices(config, loaded, files);
  const data = await openData(config.data, modelInputs(model), config.seed, files);
  const candidates = sizeCandidates(layers, widths, config.quantize.granularity);
  const provenance = await describeProvenance(original, data.calibration, config, constraints, given?.source);
  const writer = createWriter(config.quantize.format, model, layers, provenance);

  const batches = await firstOf(data.calibration.batches(), TIMED_BATCHES);
  const reference = await runFloatModel(loaded, batches, openSession);
  checkNeededLabels(config, data, batches, reference);
  const losses = createLosses(config.sensitivity.loss, batches, reference.outputs, reference.outputNames);
  const costs = await measureLayerCosts(model, layers, batches[0]!, openSession);
  const layerCosts = async () => costs;
  const { quantize, budget } = config;
  const limits = await describeLimits(constraints, { layers, widths, quantize, batch: batches[0]!, layerCosts });
  const sizes = { writer, layers, budget, floatFileBytes: original.contentSizeBytes, ties, limits };
  const problem = describeProblem({ ...sizes, candidates });
  const plans = planMethods({ model, candidates, costs, memoryLimitBytes: config.memoryLimitBytes });
  const measuredSamples = fittingSampleCount(data.calibration.indices.length, batches[0]!.sampleCount, config.search);
  const ratio = measuredSamples / sampleCountOf(batches);
  const times = await measureMachineTimes(model, batches[0]!, openSession, reference, losses, ratio);
  const methods = forecastMethods(plans, times);
  const { method: configured, timeLimitSeconds } = config.sensitivity;
  return {
    model: { path: config.modelPath, sizeBytes: original.contentSizeBytes, opsetVersion: original.opsetVersion },
    calibrationSamples: data.calibration.indices.length,
    ...(data.evaluation && { evaluationSamples: data.evaluation.indices.length }),
    layers: layers.map(({ name, opType, dims, weightCount }, layerIndex) => ({
      name,
      opType,
      dims,
      weightCount,
      bytesByWidth: problem.choices
        .filter((choice) => choice.layerIndex === layerIndex)
        .map(({ bitWidth, partBytes }) => ({ bitWidth, bytes: partBytes })),
    })),
    ...(config.budget.kind === 'none' ? {} : { budget: problem.budget }),
    ...(await inspectLimits(problem, solve)),
    measuredSamples,
    methods,
    choice: {
      configured,
      chosen: given?.sensitivities.method ?? chooseMethod(config.sensitivity, methods),
      timeLimitSeconds,
    },
  };
}

/** What is possible within the budget and the further limits. */
async function inspectLimits(
  problem: AllocationProblem,
  solve: Solve,
): Promise<Pick<Inspection, 'smallest' | 'limits' | 'problems'>> {
  return {
    smallest: (await smallestAgreeingUse(problem, solve)) ?? smallestUse(problem),
    limits: problem.constraints.map(({ costs: costsOfChoices, ...limit }) => ({
      ...limit,
      smallest: smallestSum(problem, (variable) => costsOfChoices[variable]!),
    })),
    problems: await explainNoAllocation(problem, solve),
  };
}

async function firstOf(batches: AsyncIterable<Batch>, count: number): Promise<Batch[]> {
  const first: Batch[] = [];
  for await (const batch of batches) {
    first.push(batch);
    if (first.length === count) break;
  }
  return first;
}
