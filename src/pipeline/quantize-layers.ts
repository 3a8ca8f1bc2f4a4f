/** Every layer's candidates, with the moments of its input where method, correction or sensitivities need them. */
import { type CalibrateInput, calibrate } from '../calibrate/calibrate.ts';
import { createMatrixProduct } from '../calibrate/matrix-product.ts';
import type { Config } from '../config/config.ts';
import type { InputStatistics } from '../quantize/input-statistics.ts';
import { type Candidate, type OfferedWidths, quantizeCandidates } from '../sensitivity/candidates.ts';

export type QuantizeInput = CalibrateInput & {
  readonly quantize: Pick<Config['quantize'], 'method' | 'correct' | 'granularity'>;
  /** Shape [layerCount]. */
  readonly widths: readonly OfferedWidths[];
  /** Whether the moments are wanted whatever the method: for `local` sensitivities. */
  readonly wantsMoments: boolean;
};

/** @returns candidates layer by layer, in the order of their widths */
export async function quantizeLayers(input: QuantizeInput): Promise<Candidate[]> {
  const { model, layers, widths, openSession, reportProgress } = input;
  const { method, correct, granularity } = input.quantize;
  const settings = { method, correct, granularity };
  const product = createMatrixProduct(openSession);
  const candidates: Candidate[] = [];
  const quantize = async (layerIndex: number, statistics: InputStatistics | undefined) => {
    reportProgress({ activity: 'quantizing', done: layerIndex, total: layers.length, unit: 'layers' });
    const layer = { model, layer: layers[layerIndex]!, layerIndex, widths: widths[layerIndex]! };
    candidates.push(...(await quantizeCandidates({ ...layer, settings, statistics, multiply: product.multiply })));
  };
  try {
    const needsMoments = input.wantsMoments || method !== 'rtn' || correct !== 'none';
    if (needsMoments) {
      for await (const { layerIndex, statistics } of calibrate(input)) await quantize(layerIndex, statistics);
    } else {
      for (const layerIndex of layers.keys()) await quantize(layerIndex, undefined);
    }
    reportProgress({ activity: 'quantizing', done: layers.length, total: layers.length, unit: 'layers' });
    return candidates;
  } finally {
    await product.release();
  }
}
