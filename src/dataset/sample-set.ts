import type { ElementType, NamedTensors } from '../tensor.ts';

/** Samples that can be read in any order, already preprocessed to what the model takes. */
export type SampleSet = {
  /** The path in the config, for messages. */
  readonly path: string;
  readonly sampleCount: number;
  /** Class index of each sample, shape [sampleCount]; absent when the source has none. */
  readonly labels?: Int32Array;
  /** Where each sample comes from, for messages: files relative to `path`; absent for arrays. */
  readonly sampleNames?: readonly string[];
  /**
   * Feeds for the samples at `indices`, in that order, batched on axis 0.
   * @returns one tensor per model input, shape [indices.length, …]
   */
  read(indices: readonly number[]): Promise<NamedTensors>;
  /**
   * sha256 in hex of the stored content (before preprocessing) of the samples at `indices`, in that order, to find
   * samples shared by two sets.
   */
  contentHashes(indices: readonly number[]): Promise<readonly string[]>;
};

/** The model's declared input, as the dataset must fill it. Dims that are free are undefined; dims[0] is the batch. */
export type InputSpec = {
  readonly name: string;
  readonly elementType: ElementType;
  readonly dims: readonly (number | undefined)[];
};

/**
 * One feed of a session. `sampleCount` may be less than the fed batch when the last batch is padded to a fixed size.
 */
export type Batch = {
  readonly feeds: NamedTensors;
  readonly sampleCount: number;
  /** Class indices, shape [sampleCount]. */
  readonly labels?: Int32Array;
};
