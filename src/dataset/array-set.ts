/** Samples out of the arrays of a .npz or .npy file. */
import { createHash } from 'node:crypto';
import type { PreprocessConfig } from '../config/config.ts';
import { UserError } from '../errors.ts';
import { type Column, openColumn } from './array-column.ts';
import { readLabels } from './labels.ts';
import type { LoadedArrays } from './load-arrays.ts';
import type { InputSpec, SampleSet } from './sample-set.ts';

/** @throws UserError if the arrays do not fit the inputs or each other, or hold values that are no numbers */
export function arraySampleSet(
  arrays: LoadedArrays,
  path: string,
  inputs: readonly InputSpec[],
  preprocess: PreprocessConfig,
): SampleSet {
  const columns = inputs.map((input, index) => openColumn(arrays.inputs[index]!, input, preprocess, path));
  const sampleCount = commonSampleCount(columns, path);
  return {
    path,
    sampleCount,
    ...(arrays.labels === undefined ? {} : { labels: readLabels(arrays.labels, sampleCount, path) }),
    read: async (indices) => Object.fromEntries(columns.map(({ inputName, gather }) => [inputName, gather(indices)])),
    contentHashes: async (indices) => indices.map((index) => hashSample(columns, index)),
  };
}

function commonSampleCount(columns: readonly Column[], path: string): number {
  const [first, ...others] = columns as [Column, ...Column[]];
  const other = others.find(({ sampleCount }) => sampleCount !== first.sampleCount);
  if (other !== undefined) {
    throw new UserError({
      what: `${first.subject} has ${first.sampleCount} samples, ${other.subject} has ${other.sampleCount}`,
      where: path,
      fix: 'save as many samples for every input',
    });
  }
  if (first.sampleCount === 0) throw new UserError({ what: `${first.subject} has no samples`, where: path });
  return first.sampleCount;
}

function hashSample(columns: readonly Column[], index: number): string {
  const hash = createHash('sha256');
  for (const column of columns) hash.update(column.storedBytes(index));
  return hash.digest('hex');
}
