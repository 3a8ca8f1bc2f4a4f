/** What sensitivities cost: the time of a sweep over the time that as many full forwards of the float model take. */
import { listLayers } from '../src/onnx/list-layers.ts';
import { quantizeLayers } from '../src/pipeline/quantize-layers.ts';
import { openOnnxruntimeSession as openSession } from '../src/runtime/onnxruntime.ts';
import { measureLayerCosts } from '../src/sensitivity/layer-costs.ts';
import { createLosses, type LossName } from '../src/sensitivity/losses.ts';
import { measureSensitivities } from '../src/sensitivity/measure-sensitivities.ts';
import type { SensitivityMethod } from '../src/sensitivity/method.ts';
import { measureReference } from '../src/sensitivity/reference.ts';
import { printCase } from './print-case.ts';
import { loadBatches, loadPrepared, MEMORY_LIMIT_BYTES, presentModels, type SharedModel } from './shared-models.ts';

type SweepCase = {
  readonly model: string;
  readonly method: SensitivityMethod;
  readonly loss: LossName;
  readonly samples: number;
  readonly batchSize: number;
};

const CASES: readonly SweepCase[] = [
  { model: 'resnet20', method: 'diagonal', loss: 'kl', samples: 512, batchSize: 64 },
  { model: 'resnet20', method: 'pairwise', loss: 'kl', samples: 512, batchSize: 64 },
  { model: 'resnet32', method: 'diagonal', loss: 'kl', samples: 512, batchSize: 64 },
  { model: 'mobilenet', method: 'diagonal', loss: 'kl', samples: 64, batchSize: 16 },
  { model: 'ultraface', method: 'diagonal', loss: 'mse', samples: 24, batchSize: 1 },
];

export async function benchSweep(): Promise<void> {
  for (const sweepCase of CASES) {
    const [model] = presentModels(sweepCase.model);
    if (model !== undefined) printCase(await measureCase(model, sweepCase));
  }
}

async function measureCase(shared: SharedModel, { model: name, method, loss, samples, batchSize }: SweepCase) {
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
  const before = await measureReference(model, batches, openSession);
  const sensitivities = await measureSensitivities({
    model,
    candidates,
    batches,
    openSession,
    method,
    lossName: loss,
    losses: createLosses(loss, batches, before.outputs, before.outputNames),
    costs: await measureLayerCosts(model, layers, batches[0]!, openSession),
    memoryLimitBytes: MEMORY_LIMIT_BYTES,
    store: { find: () => undefined, keep: async () => {} },
    signal: new AbortController().signal,
    reportProgress: () => {},
  });
  const after = await measureReference(model, batches, openSession);
  // The machine's speed drifts: the forward is measured on both sides of the sweep.
  const secondsPerForward = (before.forwardSeconds + after.forwardSeconds) / 2;
  const measured = method === 'diagonal' ? sensitivities.singleCount : sensitivities.pairCount;
  return {
    bench: 'sweep',
    model: name,
    method,
    samples,
    measured,
    secondsPerForward,
    secondsPerForwardBefore: before.forwardSeconds,
    secondsPerForwardAfter: after.forwardSeconds,
    seconds: sensitivities.seconds,
    forwardEquivalents: sensitivities.forwardEquivalents,
    ratio: sensitivities.seconds / (measured * secondsPerForward),
    peakMegabytes: process.resourceUsage().maxRSS / 1024,
  };
}
