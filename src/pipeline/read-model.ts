import { assertNotArtifact } from '../artifact/artifact-metadata.ts';
import type { Config } from '../config/config.ts';
import type { Files } from '../entry/files.ts';
import type { LayerWeight } from '../onnx/kept-weights.ts';
import { type Layer, listLayers } from '../onnx/list-layers.ts';
import { decodeModel, type Model } from '../onnx/model.ts';
import { prepareModel } from '../onnx/prepare-model.ts';
import { giveOwnBiases } from '../onnx/rewrites/give-own-biases.ts';
import { liesOnGrid } from '../sensitivity/unchanged-candidate.ts';

export type LoadedModel = {
  /** As it stands in the file. */
  readonly original: Model;
  /** The same with BatchNormalization folded, weights as initializers and, for corrections, biases: what is quantized. */
  readonly model: Model;
  readonly layers: readonly Layer[];
};

/** Nothing of it is changed. */
export async function readOriginal(path: string, files: Pick<Files, 'readFile' | 'externalDataOf'>): Promise<Model> {
  return decodeModel(await files.readFile(path), path, files.externalDataOf(path));
}

type ModelSettings = Pick<Config, 'modelPath'> & {
  readonly quantize: Pick<Config['quantize'], 'correct' | 'granularity' | 'allocationPath'>;
};

export async function readModel(
  { modelPath, quantize }: ModelSettings,
  files: Pick<Files, 'readFile' | 'externalDataOf'>,
): Promise<LoadedModel> {
  const original = await readOriginal(modelPath, files);
  // Before its layers are looked for: none of them has a plain weight any more.
  assertNotArtifact(original);
  const isKept = ({ weight, channelAxis }: LayerWeight) =>
    quantize.allocationPath !== undefined && liesOnGrid(weight, channelAxis, quantize.granularity, modelPath);
  const prepared = prepareModel(original, isKept);
  const model = quantize.correct === 'none' ? prepared : giveOwnBiases(prepared, isKept);
  return { original, model, layers: listLayers(model) };
}
