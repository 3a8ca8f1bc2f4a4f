/** Candidates by rounding to nearest, without a correction and without a run of the model. */
import type { Layer } from '../../src/onnx/list-layers.ts';
import type { Model } from '../../src/onnx/model.ts';
import { type Candidate, type OfferedWidths, quantizeCandidates } from '../../src/sensitivity/candidates.ts';

const SETTINGS = { method: 'rtn', correct: 'none', granularity: 'channel' } as const;

/** @param widths shape [layerCount] */
export async function roundedCandidates(
  model: Model,
  layers: readonly Layer[],
  widths: readonly OfferedWidths[],
): Promise<Candidate[]> {
  const multiply = async () => {
    throw new Error('rounding to nearest multiplies no matrices');
  };
  const candidates: Candidate[] = [];
  for (const [layerIndex, layer] of layers.entries()) {
    const input = { model, layer, layerIndex, widths: widths[layerIndex]!, settings: SETTINGS };
    candidates.push(...(await quantizeCandidates({ ...input, statistics: undefined, multiply })));
  }
  return candidates;
}
