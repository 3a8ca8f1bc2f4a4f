/** A shared model made ready for a sweep: candidates rounded to nearest, the float model run, the machine timed. */
import type { Batch } from '../src/dataset/sample-set.ts';
import { listLayers } from '../src/onnx/list-layers.ts';
import type { Model } from '../src/onnx/model.ts';
import { measureMachineTimes } from '../src/pipeline/machine-times.ts';
import { quantizeLayers } from '../src/pipeline/quantize-layers.ts';
import { openOnnxruntimeSession as openSession } from '../src/runtime/onnxruntime.ts';
import type { Candidate } from '../src/sensitivity/candidates.ts';
import type { MachineTimes } from '../src/sensitivity/forecast.ts';
import { type LayerCosts, measureLayerCosts } from '../src/sensitivity/layer-costs.ts';
import { type BatchLoss, createLosses, type LossName } from '../src/sensitivity/losses.ts';
import type { MeasureInput } from '../src/sensitivity/measure-sensitivities.ts';
import { measureReference } from '../src/sensitivity/reference.ts';
import { loadBatches, loadPrepared, MEMORY_LIMIT_BYTES, type SharedModel } from './shared-models.ts';

export type SweepData = { readonly loss: LossName; readonly samples: number; readonly batchSize: number };

export type PreparedCase = {
  readonly model: Model;
  readonly batches: readonly Batch[];
  readonly candidates: readonly Candidate[];
  readonly costs: LayerCosts;
  readonly lossName: LossName;
  readonly losses: readonly BatchLoss[];
  /** Found before anything is measured, as a run does it. */
  readonly times: MachineTimes;
};

export async function prepareSweepCase(
  shared: SharedModel,
  { loss, samples, batchSize }: SweepData,
): Promise<PreparedCase> {
  const model = await loadPrepared(shared);
  const layers = listLayers(model);
  const batches = await loadBatches(model, shared.calibration, shared.preprocess, { count: samples, batchSize });
  const candidates = await quantizeLayers({
    model,
    layers,
    batches,
    widths: layers.map(() => [2, 4, 8]),
    quantize: { method: 'rtn', correct: 'none', granularity: 'channel' },
    wantsMoments: false,
    memoryLimitBytes: MEMORY_LIMIT_BYTES,
    openSession,
    reportProgress: () => {},
  });
  const reference = await measureReference(model, batches, openSession);
  const costs = await measureLayerCosts(model, layers, batches[0]!, openSession);
  const losses = createLosses(loss, batches, reference.outputs, reference.outputNames);
  const times = await measureMachineTimes(model, batches[0]!, openSession, reference, losses, 1);
  return { model, batches, candidates, costs, lossName: loss, losses, times };
}

/** What `measureSensitivities` wants of it; nothing is kept. */
export function measureInput({ times: _, ...prepared }: PreparedCase): Omit<MeasureInput, 'method'> {
  return {
    ...prepared,
    openSession,
    memoryLimitBytes: MEMORY_LIMIT_BYTES,
    store: { find: () => undefined, keep: async () => {} },
    signal: new AbortController().signal,
    reportProgress: () => {},
  };
}
