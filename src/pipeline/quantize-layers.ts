/** Every layer's candidates, with the moments of its input where method, correction or sensitivities need them. */
import { type CalibrateInput, calibrate } from '../calibrate/calibrate.ts';
import { createMatrixProduct } from '../calibrate/matrix-product.ts';
import type { Config } from '../config/config.ts';
import type { InputStatistics } from '../quantize/input-statistics.ts';
import { type Candidate, type OfferedWidths, quantizeCandidates } from '../sensitivity/candidates.ts';
import { unchangedCandidate } from '../sensitivity/unchanged-candidate.ts';

export type QuantizeInput = CalibrateInput & {
  readonly quantize: Pick<Config['quantize'], 'method' | 'correct' | 'granularity' | 'allocationPath'>;
  /** Shape [layerCount]. */
  readonly widths: readonly OfferedWidths[];
  /** Whether the moments are wanted whatever the method: for `local` sensitivities. */
  readonly wantsMoments: boolean;
};

/** @returns candidates layer by layer, in the order of their widths */
export async function quantizeLayers(input: QuantizeInput): Promise<Candidate[]> {
  const { model, layers, widths, openSession, reportProgress } = input;
  const { method, correct, granularity, allocationPath } = input.quantize;
  const settings = { method, correct, granularity };
  const product = createMatrixProduct(openSession);
  const candidates: Candidate[] = [];
  // Widths that were chosen elsewhere may be those that the weights were trained for.
  const unchanged = layers.map((layer, index) =>
    allocationPath === undefined ? undefined : unchangedCandidate(model, layer, index, widths[index]![0]!, granularity),
  );
  const quantize = async (layerIndex: number, statistics: InputStatistics | undefined) => {
    reportProgress({ activity: 'quantizing', done: layerIndex, total: layers.length, unit: 'layers' });
    const layer = { model, layer: layers[layerIndex]!, layerIndex, widths: widths[layerIndex]! };
    const known = unchanged[layerIndex];
    if (known !== undefined) candidates.push(known);
    else candidates.push(...(await quantizeCandidates({ ...layer, settings, statistics, multiply: product.multiply })));
  };
  try {
    const isRounded = unchanged.includes(undefined);
    const needsMoments = input.wantsMoments || method !== 'rtn' || correct !== 'none';
    if (isRounded && needsMoments) {
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
