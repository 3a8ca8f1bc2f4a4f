/** Both data sets of a run: opened, chosen from, and checked against each other. */
import type { DataConfig, DataSourceConfig, PreprocessConfig } from '../config/config.ts';
import { assertDisjoint } from './assert-disjoint.ts';
import { batchSizeFor, fixedBatchSize, readBatches } from './batches.ts';
import type { DatasetFiles } from './dataset-files.ts';
import { openSampleSet } from './open-sample-set.ts';
import type { Batch, InputSpec, SampleSet } from './sample-set.ts';
import { selectSamples } from './select-samples.ts';

/** Samples of a set, and how to feed them. */
export type Selection = {
  readonly set: SampleSet;
  /** Ascending, shape [sampleCount]. */
  readonly indices: readonly number[];
  batches(): AsyncGenerator<Batch>;
};

/** Without evaluation samples where a command reads its own. */
export type Data = { readonly calibration: Selection; readonly evaluation?: Selection };

/** @throws UserError if a set cannot be read, is too small, does not fit the model, or shares samples with the other */
export async function openData(
  config: DataConfig,
  inputs: readonly InputSpec[],
  seed: number,
  files: DatasetFiles,
): Promise<Data> {
  const open = (source: DataSourceConfig) => openSelection(source, config.preprocess, inputs, seed, files);
  const calibration = await open(config.calibration);
  if (config.evaluation === undefined) return { calibration };
  const evaluation = await open(config.evaluation);
  await assertDisjoint(calibration.set, calibration.indices, evaluation.set, evaluation.indices);
  return { calibration, evaluation };
}

/** @throws UserError if the set cannot be read, is too small, or does not fit the model */
export async function openSelection(
  source: DataSourceConfig,
  preprocess: PreprocessConfig,
  inputs: readonly InputSpec[],
  seed: number,
  files: DatasetFiles,
): Promise<Selection> {
  const set = await openSampleSet(source, inputs, preprocess, files);
  const indices = selectSamples(set, source.sampleCount, seed);
  const batchSize = batchSizeFor(inputs, comfortableBatchSize(inputs));
  return { set, indices, batches: () => readBatches(set, indices, batchSize, fixedBatchSize(inputs)) };
}

export async function readAll(batches: AsyncIterable<Batch>): Promise<Batch[]> {
  const all: Batch[] = [];
  for await (const batch of batches) all.push(batch);
  return all;
}

/** Where larger batches no longer run faster per sample on a CPU, and activations of large pictures still fit in memory. */
const LARGEST_BATCH = 64;
const LARGEST_INPUT_ELEMENTS = 3 * 224 * 224 * 16;

/** A power of two; a free dim besides the batch counts as a picture's side. */
function comfortableBatchSize(inputs: readonly InputSpec[]): number {
  const sampleElements = inputs.map(({ dims }) =>
    dims.slice(1).reduce<number>((count, dim) => count * (dim ?? 224), 1),
  );
  const fitting = LARGEST_INPUT_ELEMENTS / Math.max(...sampleElements);
  return Math.max(1, Math.min(LARGEST_BATCH, 2 ** Math.floor(Math.log2(fitting))));
}
