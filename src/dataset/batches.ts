import { UnsupportedModelError } from '../errors.ts';
import type { Batch, InputSpec, SampleSet } from './sample-set.ts';

/**
 * The batch size that the model's inputs fix, if they do.
 *
 * @throws UnsupportedModelError if two inputs fix different ones
 */
export function fixedBatchSize(inputs: readonly InputSpec[]): number | undefined {
  const fixing = inputs.filter(({ dims }) => dims[0] !== undefined);
  const [first] = fixing;
  const other = fixing.find(({ dims }) => dims[0] !== first!.dims[0]);
  if (other !== undefined) {
    throw new UnsupportedModelError({
      what: `input '${first!.name}' takes ${first!.dims[0]} samples at once, input '${other.name}' ${other.dims[0]}`,
      fix: 'export the model with one batch size for all inputs, on the first axis',
    });
  }
  return first?.dims[0];
}

/** How many samples to feed at once: what the model fixes, else what is wanted. */
export function batchSizeFor(inputs: readonly InputSpec[], wanted: number): number {
  return fixedBatchSize(inputs) ?? wanted;
}

/**
 * The samples at `indices`, in that order, in batches.
 *
 * @param fixedBatch the model's own batch size; the last batch is then filled up with its last sample, and
 * `sampleCount` says how many count
 */
export async function* readBatches(
  set: SampleSet,
  indices: readonly number[],
  batchSize: number,
  fixedBatch?: number,
): AsyncGenerator<Batch> {
  const size = fixedBatch ?? batchSize;
  for (let start = 0; start < indices.length; start += size) {
    const chosen = indices.slice(start, start + size);
    const padding = fixedBatch === undefined ? 0 : size - chosen.length;
    const feeds = await set.read([...chosen, ...Array.from({ length: padding }, () => chosen.at(-1)!)]);
    const { labels } = set;
    yield {
      feeds,
      sampleCount: chosen.length,
      ...(labels === undefined ? {} : { labels: Int32Array.from(chosen, (index) => labels[index]!) }),
    };
  }
}
