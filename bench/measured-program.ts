/** The program of a shared model as it is measured, without the projection that makes it convex. */
import type { ProgramFile } from '../src/entry/program-file.ts';
import { listLayers } from '../src/onnx/list-layers.ts';
import { quantizeLayers } from '../src/pipeline/quantize-layers.ts';
import { openOnnxruntimeSession as openSession } from '../src/runtime/onnxruntime.ts';
import { measureLayerCosts } from '../src/sensitivity/layer-costs.ts';
import { createLosses } from '../src/sensitivity/losses.ts';
import { measureSensitivities } from '../src/sensitivity/measure-sensitivities.ts';
import { quadraticTerms, type TermOptions } from '../src/sensitivity/pair-terms.ts';
import { measureReference } from '../src/sensitivity/reference.ts';
import type { Sensitivities } from '../src/sensitivity/sensitivities.ts';
import { loadBatches, loadPrepared, MEMORY_LIMIT_BYTES, type SharedModel } from './shared-models.ts';

const BITS = [2, 4, 8];
/** Few, for the sake of time: noise makes a program more indefinite, not less. */
const SAMPLE_COUNT = 64;

export type MeasuredModel = { readonly weights: readonly number[]; readonly sensitivities: Sensitivities };

/** KL of round to nearest, all pairs. */
export async function measureModel(shared: SharedModel): Promise<MeasuredModel> {
  const model = await loadPrepared(shared);
  const layers = listLayers(model);
  const settings = { count: SAMPLE_COUNT, batchSize: SAMPLE_COUNT };
  const batches = await loadBatches(model, shared.calibration, shared.preprocess, settings);
  const common = { model, batches, memoryLimitBytes: MEMORY_LIMIT_BYTES, openSession, reportProgress: () => {} };
  const candidates = await quantizeLayers({
    ...common,
    layers,
    widths: layers.map(() => BITS),
    quantize: { method: 'rtn', correct: 'none', granularity: 'channel' },
    wantsMoments: false,
  });
  const reference = await measureReference(model, batches, openSession);
  const sensitivities = await measureSensitivities({
    ...common,
    candidates,
    method: 'pairwise',
    lossName: 'kl',
    losses: createLosses('kl', batches, reference.outputs, reference.outputNames),
    costs: await measureLayerCosts(model, layers, batches[0]!, openSession),
    store: { find: () => undefined, keep: async () => {} },
    signal: new AbortController().signal,
  });
  return { weights: layers.map(({ weightCount }) => weightCount), sensitivities };
}

export function unprojectedProgram(
  { weights, sensitivities }: MeasuredModel,
  transform: TermOptions['transform'],
): ProgramFile {
  const { quadratic } = quadraticTerms(sensitivities, { transform, psd: false });
  const program = { groupSizes: weights.map(() => BITS.length), quadratic, constraints: [] };
  return { bits: BITS, weights, program, bestKnown: {} };
}
