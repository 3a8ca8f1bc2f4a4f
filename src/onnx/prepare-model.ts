/** The rewrites that bring every model into the form the other stages expect. */
import { type IsKept, keepsNone } from './kept-weights.ts';
import type { Model } from './model.ts';
import { foldBatchNormalization } from './rewrites/fold-batch-normalization.ts';
import { hoistConstantWeights } from './rewrites/hoist-constant-weights.ts';
import { unlistInitializers } from './rewrites/unlist-initializers.ts';

/**
 * Make weights plain initializers of the layers that use them, with BatchNormalization folded in.
 *
 * The result computes what the given model computes (up to float rounding in folded layers).
 */
export function prepareModel(model: Model, isKept: IsKept = keepsNone): Model {
  return foldBatchNormalization(hoistConstantWeights(unlistInitializers(model)), isKept);
}
