import type { SensitivityOrigin } from './method.ts';

/**
 * The measured harm of every candidate and, for `block` and `pairwise`, of pairs. Variables are the candidates layer by layer.
 * Losses are means over the calibration samples, minus the float model's loss.
 */
export type Sensitivities = {
  readonly method: SensitivityOrigin;
  /** What the losses are; of a file, as it says. */
  readonly loss: string;
  /** 0 for a file, which does not say. */
  readonly sampleCount: number;
  /** Number of candidates of each layer, shape [layerCount]. */
  readonly candidateCounts: readonly number[];
  /** L({i:b}), shape [variableCount]. */
  readonly singles: Float64Array;
  /** L({i:b, j:c}) for i ≠ j, symmetric, NaN where not measured, shape [variableCount, variableCount]; absent where none are measured. */
  readonly pairs?: Float64Array;
  readonly singleCount: number;
  readonly pairCount: number;
  /** Model work in units of one forward of the whole float model over the whole calibration set, now or when it was done. */
  readonly forwardEquivalents: number;
  /** What this run took. */
  readonly seconds: number;
};
