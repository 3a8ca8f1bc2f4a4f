import type { NamedTensors } from '../tensor.ts';
import type { Measurements } from './measurements.ts';

/** What both models gave for one batch, in the model's order of outputs. */
export type BatchOutputs = {
  readonly float: NamedTensors;
  readonly artifact: NamedTensors;
  /** Samples fed, padding included. */
  readonly batchSize: number;
  /** Samples that count: the first of the batch. */
  readonly sampleCount: number;
  /** Class indices, shape [sampleCount]. */
  readonly labels?: Int32Array;
};

/** One metric, fed batch by batch. */
export type Scorer = {
  /** The outputs that it reads of the next batch. */
  outputNames(): readonly string[];
  /** @throws UserError if the outputs or the data do not serve the metric */
  add(batch: BatchOutputs): void;
  /** Of all batches so far, at least one. */
  measurements(): Measurements;
};
