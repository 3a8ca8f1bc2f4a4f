/** What a run would work on and cost: the story of `bitgate inspect`. */
import { offeredWidths, tiedLayers } from './allocate/offered-widths.ts';
import { smallestUse } from './allocate/smallest-allocation.ts';
import type { Config } from './config/config.ts';
import { openData } from './dataset/open-data.ts';
import type { Batch } from './dataset/sample-set.ts';
import { modelInputs } from './onnx/model-inputs.ts';
import { describeProblem } from './pipeline/allocation-problem.ts';
import { createWriter } from './pipeline/artifact-writer.ts';
import { forecastMethods } from './pipeline/choose-method.ts';
import { describeProvenance } from './pipeline/provenance.ts';
import { readModel } from './pipeline/read-model.ts';
import { runFloatModel } from './pipeline/run-float-model.ts';
import { SESSION_MEMORY_BYTES } from './pipeline/session-memory.ts';
import { sizeCandidates } from './pipeline/size-candidates.ts';
import type { Effects } from './pipeline.ts';
import type { Inspection } from './report/inspection.ts';
import { measureLayerCosts } from './sensitivity/layer-costs.ts';

/** Nothing is written; the float model runs on one batch, for the forecast. */
export async function inspectRun(config: Config, { files, openSession }: Effects): Promise<Inspection> {
  const loaded = await readModel(config, files);
  const { original, model, layers } = loaded;
  const names = layers.map(({ name }) => name);
  const widths = offeredWidths(names, config.quantize, config.path);
  const ties = tiedLayers(names, widths, config.quantize.ties, config.path);
  const data = await openData(config.data, modelInputs(model), config.seed, files);
  const candidates = sizeCandidates(layers, widths, config.quantize.granularity);
  const provenance = await describeProvenance(original, data.calibration, config);
  const writer = createWriter(config.quantize.format, model, layers, provenance);
  const sizes = { writer, layers, budget: config.budget, floatFileBytes: original.fileSizeBytes, ties };
  const problem = describeProblem({ ...sizes, candidates });

  const batch = await firstBatch(data.calibration.batches());
  const { forwardSeconds } = await runFloatModel(loaded, [batch], openSession);
  const costs = await measureLayerCosts(model, layers, batch, openSession);
  const secondsPerForward = (forwardSeconds * data.calibration.indices.length) / batch.sampleCount;
  const memoryLimitBytes = SESSION_MEMORY_BYTES;
  const methods = forecastMethods({ model, candidates, costs, memoryLimitBytes, secondsPerForward });
  return {
    model: { path: config.modelPath, sizeBytes: original.fileSizeBytes, opsetVersion: original.opsetVersion },
    calibrationSamples: data.calibration.indices.length,
    evaluationSamples: data.evaluation.indices.length,
    layers: layers.map(({ name, opType, dims, weightCount }, layerIndex) => ({
      name,
      opType,
      dims,
      weightCount,
      bytesByWidth: problem.choices
        .filter((choice) => choice.layerIndex === layerIndex)
        .map(({ bitWidth, partBytes }) => ({ bitWidth, bytes: partBytes })),
    })),
    budget: problem.budget,
    smallest: smallestUse(problem),
    methods,
  };
}

async function firstBatch(batches: AsyncIterable<Batch>): Promise<Batch> {
  for await (const batch of batches) return batch;
  throw new Error('a selection has at least one sample');
}
