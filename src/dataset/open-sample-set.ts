import type { DataSourceConfig, PreprocessConfig } from '../config/config.ts';
import { UserError } from '../errors.ts';
import { arraySampleSet } from './array-set.ts';
import { type DatasetFiles, explainFailures } from './dataset-files.ts';
import { isFloatInput } from './float-feed.ts';
import { imageSampleSet } from './image-set.ts';
import { loadNpy, loadNpz } from './load-arrays.ts';
import { isIdentity } from './normalization.ts';
import type { InputSpec, SampleSet } from './sample-set.ts';

/** What a data file may make bitgate take into memory. */
export type DataLimits = {
  /** Of all arrays read from one file, inflated. */
  readonly arraySizeBytes: number;
};

/** 2 GiB: more than 14,000 pictures of 224×224 as bytes, or 3,500 as floats. */
const DEFAULT_LIMITS: DataLimits = { arraySizeBytes: 2 ** 31 };

/**
 * Open the samples of a .npz file, a .npy file or a folder of JPEG and PNG pictures.
 *
 * Arrays have the model's own layout and channel order; pixels (uint8) and floats are both preprocessed. Pictures are
 * resized, cropped and brought into that layout first; mean and std follow the model's channel order.
 *
 * @throws UserError if the source cannot be read or does not fit the model's inputs
 */
export async function openSampleSet(
  source: DataSourceConfig,
  inputs: readonly InputSpec[],
  preprocess: PreprocessConfig,
  disk: DatasetFiles,
  limits: DataLimits = DEFAULT_LIMITS,
): Promise<SampleSet> {
  const { path } = source;
  const files = explainFailures(disk);
  checkPreprocessing(inputs, preprocess, path);
  const kind = await files.kindOf(path);
  if (kind === 'folder') return imageSampleSet(path, inputs, preprocess, files);
  if (kind === 'missing') {
    throw new UserError({
      what: 'there is no such file or folder',
      where: path,
      fix: 'paths are relative to the config file',
    });
  }
  const format = /\.(npz|npy)$/i.exec(path)?.[1]?.toLowerCase();
  if (format === undefined) {
    throw new UserError({
      what: 'the data are in no format that is read',
      where: path,
      fix: 'give a .npz file, a .npy file or a folder of pictures',
    });
  }
  const bytes = await files.readFile(path);
  const arrays = format === 'npz' ? loadNpz(bytes, path, inputs, limits.arraySizeBytes) : loadNpy(bytes, path, inputs);
  return arraySampleSet(arrays, path, inputs, preprocess);
}

/** Integers are fed as they are, so preprocessing would be lost without a word. */
function checkPreprocessing(inputs: readonly InputSpec[], preprocess: PreprocessConfig, path: string): void {
  if (inputs.length === 0)
    throw new UserError({ what: 'the model has no inputs that samples could feed', where: path });
  if (isIdentity(preprocess) || inputs.some(isFloatInput)) return;
  throw new UserError({
    what: `data.preprocess changes the values, but input '${inputs[0]!.name}' takes ${inputs[0]!.elementType} as it is`,
    where: path,
    fix: 'remove scale, mean and std',
  });
}
