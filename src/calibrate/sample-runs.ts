/** The runs whose weighted sum covers exactly the samples of a batch that count. */
import type { Batch } from '../dataset/sample-set.ts';
import type { NamedTensors, Tensor } from '../tensor.ts';

export type SampleRun = {
  readonly feeds: NamedTensors;
  /** What this run's sums count for. */
  readonly weight: number;
};

/** @param runSize samples per run where their number is free; undefined where the model fixes the batch */
export function sampleRuns({ feeds, sampleCount }: Batch, runSize: number | undefined): SampleRun[] {
  const fedCount = Object.values(feeds)[0]?.dims[0] ?? sampleCount;
  if (runSize !== undefined) return slices(feeds, sampleCount, runSize);
  if (sampleCount === fedCount) return [{ feeds, weight: 1 }];
  return withoutPadding(feeds, sampleCount, fedCount);
}

function slices(feeds: NamedTensors, sampleCount: number, runSize: number): SampleRun[] {
  const starts = Array.from({ length: Math.ceil(sampleCount / runSize) }, (_, index) => index * runSize);
  return starts.map((start) => {
    const end = Math.min(start + runSize, sampleCount);
    return { feeds: mapTensors(feeds, (tensor) => pickSamples(tensor, range(start, end))), weight: 1 };
  });
}

/**
 * A padded batch repeats its last sample that counts, and a second run of that sample alone tells how much to take away.
 * This needs no knowledge of which axis counts samples inside the network.
 */
function withoutPadding(feeds: NamedTensors, sampleCount: number, fedCount: number): SampleRun[] {
  const last = sampleCount - 1;
  const padded = Array.from({ length: fedCount }, (_, index) => Math.min(index, last));
  const repeated = padded.map(() => last);
  return [
    { feeds: mapTensors(feeds, (tensor) => pickSamples(tensor, padded)), weight: 1 },
    {
      feeds: mapTensors(feeds, (tensor) => pickSamples(tensor, repeated)),
      weight: (sampleCount - fedCount) / fedCount,
    },
  ];
}

function mapTensors(feeds: NamedTensors, change: (tensor: Tensor) => Tensor): NamedTensors {
  return Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, change(tensor)]));
}

function pickSamples({ elementType, dims, data }: Tensor, samples: readonly number[]): Tensor {
  const size = data.length / dims[0]!;
  const picked = data.slice(0, samples.length * size);
  for (const [index, sample] of samples.entries()) {
    picked.set(data.subarray(sample * size, (sample + 1) * size) as never, index * size);
  }
  return { elementType, dims: [samples.length, ...dims.slice(1)], data: picked };
}

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index);
}
