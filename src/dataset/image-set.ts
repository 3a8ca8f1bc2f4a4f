/** Samples out of a folder of pictures, decoded when they are read. */
import { createHash } from 'node:crypto';
import type { PreprocessConfig } from '../config/config.ts';
import { UnsupportedModelError, UserError } from '../errors.ts';
import { elementCount, type Tensor } from '../tensor.ts';
import type { DatasetFiles } from './dataset-files.ts';
import { allocateFeed, floatTensor, isFloatInput } from './float-feed.ts';
import { decodeFile } from './format-error.ts';
import { decodeImage } from './image/decode-image.ts';
import { arrangePixels, fitImage, type ImageLayout, imageLayout } from './image-layout.ts';
import { listImages } from './list-images.ts';
import { pixelWriter, planNormalization } from './normalization.ts';
import type { InputSpec, SampleSet } from './sample-set.ts';

/** @throws UserError if the folder has no pictures or the model takes none */
export async function imageSampleSet(
  path: string,
  inputs: readonly InputSpec[],
  preprocess: PreprocessConfig,
  files: DatasetFiles,
): Promise<SampleSet> {
  const input = pictureInput(inputs, path);
  const layout = imageLayout(input, preprocess, path);
  const gather = pixelGatherer(input, layout, preprocess);
  const { names, labels } = await listImages(path, files);
  const pathOf = (index: number): string => `${path}/${names[index]}`;
  const readPixels = async (index: number): Promise<Uint8Array> => {
    const file = pathOf(index);
    const bytes = await files.readFile(file);
    return decodeFile('the picture', file, 'replace the file or remove it', () =>
      arrangePixels(fitImage(decodeImage(bytes), layout, preprocess), layout, preprocess),
    );
  };
  return {
    path,
    sampleCount: names.length,
    sampleNames: names,
    ...(labels === undefined ? {} : { labels }),
    read: async (indices) => ({ [input.name]: await gather(indices, readPixels) }),
    contentHashes: (indices) => hashFiles(indices.map(pathOf), files),
  };
}

function pictureInput(inputs: readonly InputSpec[], path: string): InputSpec {
  const [input, ...others] = inputs;
  if (input !== undefined && others.length === 0) return input;
  throw new UserError({
    what: `the data are a folder of pictures, but the model has ${inputs.length} inputs`,
    where: path,
    fix: 'give the data as a .npz file with one array per input',
  });
}

type ReadPixels = (index: number) => Promise<Uint8Array>;

/** Bytes for an input of bytes, else preprocessed floats; shape [indices.length, …sampleDims]. */
function pixelGatherer(input: InputSpec, { sampleDims }: ImageLayout, preprocess: PreprocessConfig) {
  const sampleLength = elementCount(sampleDims);
  if (isFloatInput(input)) {
    const writePixels = pixelWriter(planNormalization(preprocess, sampleDims, input.name), input);
    return async (indices: readonly number[], readPixels: ReadPixels): Promise<Tensor> => {
      const values = allocateFeed(input, indices.length * sampleLength);
      for (const [slot, index] of indices.entries()) writePixels(await readPixels(index), values, slot * sampleLength);
      return floatTensor(input, [indices.length, ...sampleDims], values);
    };
  }
  if (input.elementType !== 'uint8') {
    throw new UnsupportedModelError({
      what: `input '${input.name}' takes ${input.elementType}; pictures can be fed as floats or uint8`,
      fix: 'give the data as a .npz file',
    });
  }
  return async (indices: readonly number[], readPixels: ReadPixels): Promise<Tensor> => {
    const data = new Uint8Array(indices.length * sampleLength);
    for (const [slot, index] of indices.entries()) data.set(await readPixels(index), slot * sampleLength);
    return { elementType: 'uint8', dims: [indices.length, ...sampleDims], data };
  };
}

async function hashFiles(paths: readonly string[], files: DatasetFiles): Promise<string[]> {
  const hashes: string[] = [];
  for (const path of paths) {
    const content = await files.readFile(path);
    hashes.push(createHash('sha256').update(content).digest('hex'));
  }
  return hashes;
}
