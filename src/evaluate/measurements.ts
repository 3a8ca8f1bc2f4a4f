import type { Metric } from '../config/config.ts';

/** The float model and the artifact on the same samples. */
export type Measurements = {
  readonly metric: Metric;
  /** Absent where a command does not say. */
  readonly sampleCount?: number;
  /** The model's outputs that were read; none by a command, which reads what it likes. */
  readonly outputNames: readonly string[];
  readonly float: number;
  readonly quantized: number;
  /** How much worse the artifact is: float − quantized where more is better, quantized − float where less is. */
  readonly drop: number;
  /** Samples for which the artifact gives NaN or infinity: wrong for top1 and top5, and their divergence is NaN. */
  readonly nonFiniteCount?: number;
  /** Mean KL(float ‖ artifact) in nats over the same outputs. */
  readonly klToFloat?: number;
  /** KL(float ‖ artifact) of each sample in nats, shape [sampleCount]. */
  readonly divergences?: Float64Array;
  /** Share of distributions, one or more per sample, in which both models have the same class first. */
  readonly agreement?: number;
  /** Who was right on how many samples, for top1, top5, and a command that tells. */
  readonly pairedCounts?: PairedCounts;
  /** What a command gave for each sample, where it tells. */
  readonly pairedValues?: PairedValues;
};

/** One number per sample, of which a model's value is the mean; shapes [sampleCount]. */
export type PairedValues = {
  readonly quantized: Float64Array;
  /** How much worse the artifact is on each sample. */
  readonly drop: Float64Array;
};

/** The paired 2 × 2 table: samples by which of the two models is right on them. */
export type PairedCounts = {
  readonly both: number;
  readonly onlyFloat: number;
  readonly onlyArtifact: number;
  readonly neither: number;
};
