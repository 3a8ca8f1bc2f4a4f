import { assertNotArtifact } from '../artifact/artifact-metadata.ts';
import type { Config } from '../config/config.ts';
import type { Files } from '../entry/files.ts';
import { type Layer, listLayers } from '../onnx/list-layers.ts';
import { decodeModel, type Model } from '../onnx/model.ts';
import { prepareModel } from '../onnx/prepare-model.ts';
import { giveOwnBiases } from '../onnx/rewrites/give-own-biases.ts';

export type LoadedModel = {
  /** As it stands in the file. */
  readonly original: Model;
  /** The same with BatchNormalization folded, weights as initializers and, for corrections, biases: what is quantized. */
  readonly model: Model;
  readonly layers: readonly Layer[];
};

export async function readModel(
  { modelPath, quantize }: { readonly modelPath: string; readonly quantize: Pick<Config['quantize'], 'correct'> },
  files: Pick<Files, 'readFile' | 'externalDataOf'>,
): Promise<LoadedModel> {
  const original = await decodeModel(await files.readFile(modelPath), modelPath, files.externalDataOf(modelPath));
  // Before its layers are looked for: none of them has a plain weight any more.
  assertNotArtifact(original);
  const prepared = prepareModel(original);
  const model = quantize.correct === 'none' ? prepared : giveOwnBiases(prepared);
  return { original, model, layers: listLayers(model) };
}
