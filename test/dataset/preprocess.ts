import type { PreprocessConfig } from '../../src/config/config.ts';
import type { InputSpec } from '../../src/dataset/sample-set.ts';
import type { ElementType } from '../../src/tensor.ts';

/** What the config says when it says nothing. */
export const NO_CHANGE: PreprocessConfig = {
  scale: 1,
  mean: [0],
  std: [1],
  channelOrder: 'rgb',
  layout: 'nchw',
  crop: 'center',
};

export function preprocess(changes: Partial<PreprocessConfig> = {}): PreprocessConfig {
  return { ...NO_CHANGE, ...changes };
}

/** An input of the model; the dims of one sample, undefined where free, behind a free batch unless it is given. */
export function inputOf(
  sampleDims: readonly (number | undefined)[],
  { name = 'x', elementType = 'float32', batch }: { name?: string; elementType?: ElementType; batch?: number } = {},
): InputSpec {
  return { name, elementType, dims: [batch, ...sampleDims] };
}
