import type { Files } from '../entry/files.ts';
import { type Layer, listLayers } from '../onnx/list-layers.ts';
import { decodeModel, type Model } from '../onnx/model.ts';
import { prepareModel } from '../onnx/prepare-model.ts';

export type LoadedModel = {
  /** As it stands in the file. */
  readonly original: Model;
  /** The same with BatchNormalization folded and weights as initializers: what is quantized. */
  readonly model: Model;
  readonly layers: readonly Layer[];
};

export async function readModel(path: string, files: Pick<Files, 'readFile' | 'externalDataOf'>): Promise<LoadedModel> {
  const original = await decodeModel(await files.readFile(path), path, files.externalDataOf(path));
  const model = prepareModel(original);
  return { original, model, layers: listLayers(model) };
}
