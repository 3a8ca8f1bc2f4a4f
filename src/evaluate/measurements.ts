import type { Metric } from '../config/config.ts';

/** The float model and the artifact on the same samples. */
export type Measurements = {
  readonly metric: Metric;
  readonly sampleCount: number;
  readonly float: number;
  readonly quantized: number;
  /** How much worse the artifact is: float − quantized where more is better, quantized − float where less is. */
  readonly drop: number;
  /** Mean KL(float ‖ artifact) in nats, reported with every metric when the output is a distribution. */
  readonly klToFloat?: number;
  /** Share of samples on which both models name the same class. */
  readonly agreement?: number;
};
