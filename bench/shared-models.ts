/** The models and data beside the repository that benchmarks and some tests measure on; each is skipped where it is absent. */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PreprocessConfig } from '../src/config/config.ts';
import { batchSizeFor, fixedBatchSize, readBatches } from '../src/dataset/batches.ts';
import { openSampleSet } from '../src/dataset/open-sample-set.ts';
import type { Batch } from '../src/dataset/sample-set.ts';
import { nodeFiles } from '../src/entry/files.ts';
import { decodeModel, type Model } from '../src/onnx/model.ts';
import { modelInputs } from '../src/onnx/model-inputs.ts';
import { prepareModel } from '../src/onnx/prepare-model.ts';

export const SHARED = resolve(dirname(fileURLToPath(import.meta.url)), '../../shared');

/** What a session may take where a config says nothing. */
export const MEMORY_LIMIT_BYTES = 2e9;

export type SharedModel = {
  readonly name: string;
  readonly path: string;
  readonly calibration: string;
  readonly evaluation: string;
  readonly preprocess: PreprocessConfig;
};

const PLAIN = { scale: 1, mean: [0], std: [1], channelOrder: 'rgb', layout: 'nchw', crop: 'none' } as const;

const CIFAR: PreprocessConfig = { ...PLAIN, scale: 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

const MODELS: readonly SharedModel[] = [
  sharedModel('resnet20', 'resnet20-cifar10.onnx', 'cifar10-calibration.npz', 'cifar10-test-846.npz', CIFAR),
  sharedModel('resnet32', 'resnet32-cifar10.onnx', 'cifar10-calibration.npz', 'cifar10-test-846.npz', CIFAR),
  sharedModel('mobilenet', 'mobilenet-v1-075-imagenet.onnx', 'imagenet-500', 'imagenet-500', {
    ...PLAIN,
    scale: 127.5,
    mean: [1],
    resize: 224,
    crop: 'center',
  }),
  sharedModel('ultraface', 'ultraface-rfb-320.onnx', 'faces-27', 'faces-27', {
    ...PLAIN,
    mean: [127],
    std: [128],
  }),
];

function sharedModel(
  name: string,
  model: string,
  calibration: string,
  evaluation: string,
  preprocess: PreprocessConfig,
): SharedModel {
  return {
    name,
    path: `${SHARED}/models/${model}`,
    calibration: `${SHARED}/data/${calibration}`,
    evaluation: `${SHARED}/data/${evaluation}`,
    preprocess,
  };
}

/** The models of these names, there or not; all without names. */
export function sharedModels(...names: readonly string[]): SharedModel[] {
  return MODELS.filter(({ name }) => names.length === 0 || names.includes(name));
}

/** Those of them that are there. */
export function presentModels(...names: readonly string[]): SharedModel[] {
  return sharedModels(...names).filter(({ path }) => existsSync(path));
}

export async function loadPrepared({ path }: SharedModel): Promise<Model> {
  return prepareModel(await decodeModel(await nodeFiles.readFile(path), path, nodeFiles.externalDataOf(path)));
}

/** Samples from `start` on, in batches as a run makes them. */
export async function loadBatches(
  model: Model,
  path: string,
  preprocess: PreprocessConfig,
  { start = 0, count, batchSize }: { start?: number; count?: number; batchSize: number },
): Promise<Batch[]> {
  const inputs = modelInputs(model);
  const set = await openSampleSet({ path }, inputs, preprocess, nodeFiles);
  const end = Math.min(set.sampleCount, start + (count ?? set.sampleCount));
  const indices = Array.from({ length: end - start }, (_, index) => start + index);
  const batches: Batch[] = [];
  for await (const batch of readBatches(set, indices, batchSizeFor(inputs, batchSize), fixedBatchSize(inputs))) {
    batches.push(batch);
  }
  return batches;
}
