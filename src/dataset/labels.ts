/** Class indices of samples: what a file may hold, and what a metric needs. */
import { UserError } from '../errors.ts';
import type { NamedArray } from './load-arrays.ts';
import type { SampleSet } from './sample-set.ts';

const LARGEST_LABEL = 2 ** 31 - 1;

/**
 * Labels as stored: any numeric type, whole numbers, one per sample.
 *
 * @returns shape [sampleCount]
 */
export function readLabels({ subject, array }: NamedArray, sampleCount: number, path: string): Int32Array {
  const { dims, dataType, data } = array;
  if (dims.length !== 1 || dims[0] !== sampleCount) {
    throw new UserError({
      what: `${subject} has shape [${dims.join(', ')}], but there are ${sampleCount} samples`,
      where: path,
      fix: `save one class index per sample, shape [${sampleCount}]`,
    });
  }
  if (dataType === 'float16' || dataType === 'bool') {
    throw new UserError({ what: `${subject} is ${dataType}`, where: path, fix: "save labels.astype('int64')" });
  }
  const labels = new Int32Array(sampleCount);
  for (let index = 0; index < sampleCount; index++) {
    const label = Number(data[index]);
    if (!Number.isInteger(label) || Math.abs(label) > LARGEST_LABEL) {
      throw new UserError({
        what: `the label of sample ${index} is ${data[index]}, which is no class index`,
        where: path,
        fix: "save whole numbers from 0 on: labels.astype('int64')",
      });
    }
    labels[index] = label;
  }
  return labels;
}

/**
 * The labels of a set, every one a class that the model has.
 *
 * @param classCount classes that the model distinguishes
 * @returns shape [sampleCount]
 * @throws UserError if the set has none, or one is outside 0 … classCount − 1
 */
export function checkLabels(set: SampleSet, classCount: number): Int32Array {
  const { labels, path } = set;
  if (labels === undefined) {
    throw new UserError({
      what: 'the data have no labels, which the metric or the loss needs',
      where: path,
      fix: "add an array 'labels' to the .npz file, or one sub-folder of pictures per class; or use kl, which needs none",
    });
  }
  const index = labels.findIndex((label) => label < 0 || label >= classCount);
  if (index < 0) return labels;
  const name = set.sampleNames?.[index];
  const sample = name === undefined ? `sample ${index}` : `sample ${index} (${name})`;
  throw new UserError({
    what: `the label of ${sample} is ${labels[index]}, but the model's classes are 0 to ${classCount - 1}`,
    where: path,
    fix: 'number the classes as the model does, from 0 on',
  });
}
