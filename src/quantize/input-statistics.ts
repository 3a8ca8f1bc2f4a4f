import type { WeightLayout } from './weight-layout.ts';

/**
 * The first two moments of a layer's unfolded input x over the calibration samples and all output positions: what every
 * output is a weight row's product with. A weight that several nodes share has the moments of all their inputs together.
 */
export type InputStatistics = {
  /** The layer's name, for messages. */
  readonly layerName: string;
  readonly layout: WeightLayout;
  /** How many unfolded inputs of each group were seen. */
  readonly positionCount: number;
  /** E[x], shape [groupCount, inputCount]. */
  readonly mean: Float64Array;
  /** The Gram matrix E[x xᵀ], symmetric, shape [groupCount, inputCount, inputCount]. */
  readonly gram: Float64Array;
};
