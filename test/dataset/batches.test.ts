import { describe, expect, it } from 'vitest';
import { batchSizeFor, fixedBatchSize, readBatches } from '../../src/dataset/batches.ts';
import type { Batch, SampleSet } from '../../src/dataset/sample-set.ts';
import { UnsupportedModelError } from '../../src/errors.ts';
import { inputOf } from './preprocess.ts';

/** Sample i is the number i; its label is i + 100. */
function numbers(sampleCount: number, hasLabels = true): SampleSet {
  return {
    path: 'd.npz',
    sampleCount,
    ...(hasLabels ? { labels: Int32Array.from({ length: sampleCount }, (_, index) => index + 100) } : {}),
    read: async (indices) => ({
      x: { elementType: 'float32', dims: [indices.length], data: Float32Array.from(indices) },
    }),
    contentHashes: async () => [],
  };
}

async function collect(batches: AsyncIterable<Batch>) {
  const all: { fed: number[]; sampleCount: number; labels: number[] | undefined }[] = [];
  for await (const { feeds, sampleCount, labels } of batches) {
    const fed = Array.from(feeds.x!.data, Number);
    all.push({ fed, sampleCount, labels: labels === undefined ? undefined : Array.from(labels) });
  }
  return all;
}

describe('readBatches', () => {
  it('readBatches: a free batch size leaves the last batch short', async () => {
    expect(await collect(readBatches(numbers(9), [1, 3, 4, 8, 6], 2))).toEqual([
      { fed: [1, 3], sampleCount: 2, labels: [101, 103] },
      { fed: [4, 8], sampleCount: 2, labels: [104, 108] },
      { fed: [6], sampleCount: 1, labels: [106] },
    ]);
  });

  it("readBatches: the model's own batch size is filled up with the last sample, which does not count twice", async () => {
    expect(await collect(readBatches(numbers(9), [1, 3, 4, 8, 6], 64, 4))).toEqual([
      { fed: [1, 3, 4, 8], sampleCount: 4, labels: [101, 103, 104, 108] },
      { fed: [6, 6, 6, 6], sampleCount: 1, labels: [106] },
    ]);
  });

  it('readBatches: a model that takes one sample at a time', async () => {
    const batches = await collect(readBatches(numbers(3), [0, 2], 64, 1));
    expect(batches.map(({ fed }) => fed)).toEqual([[0], [2]]);
  });

  it('readBatches: without labels, and without samples', async () => {
    const [only] = await collect(readBatches(numbers(2, false), [1], 4));
    expect(only).toEqual({ fed: [1], sampleCount: 1, labels: undefined });
    expect(await collect(readBatches(numbers(2), [], 4, 4))).toEqual([]);
  });
});

describe('fixedBatchSize and batchSizeFor', () => {
  it.each([
    [[undefined], undefined, 64],
    [[1], 1, 1],
    [[undefined, 8, undefined, 8], 8, 8],
    [[], undefined, 64],
  ])('fixedBatchSize: inputs that take %j samples fix %j', (batches, fixed, size) => {
    const inputs = batches.map((batch) => inputOf([3], batch === undefined ? {} : { batch }));
    expect(fixedBatchSize(inputs)).toBe(fixed);
    expect(batchSizeFor(inputs, 64)).toBe(size);
  });

  it('fixedBatchSize: inputs that contradict each other are refused', () => {
    const inputs = [inputOf([3], { batch: 1 }), inputOf([3], { name: 'y', batch: 2 })];
    const message =
      "input 'x' takes 1 samples at once, input 'y' 2\n" +
      '  fix: export the model with one batch size for all inputs, on the first axis';
    expect(() => fixedBatchSize(inputs)).toThrow(message);
    expect(() => fixedBatchSize(inputs)).toThrow(UnsupportedModelError);
  });
});
