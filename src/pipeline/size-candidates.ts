import type { Granularity } from '../config/config.ts';
import type { Layer } from '../onnx/list-layers.ts';
import { granularityOf, scaleDims } from '../quantize/granularity.ts';
import { signedGrid } from '../quantize/grid.ts';
import type { Candidate, OfferedWidths } from '../sensitivity/candidates.ts';
import { elementCount } from '../tensor.ts';
import { newTensor } from '../wire/model-proto.ts';

/**
 * Stand-ins with the size and the place of candidates and no numbers, so that a budget can be refused, and a sweep forecast,
 * before the model runs. Scales are
 * taken to fit half precision, as they almost always do; the sizes of the candidates themselves are checked again.
 *
 * @param widths shape [layerCount]
 */
export function sizeCandidates(
  layers: readonly Layer[],
  widths: readonly OfferedWidths[],
  wanted: Granularity,
): Candidate[] {
  return layers.flatMap((layer, layerIndex) =>
    widths[layerIndex]!.map((width) => {
      const localLoss = 0;
      if (width === 'float') {
        return { layerIndex, bitWidth: layer.floatBitWidth, content: width, localLoss, perturbation: new Map() };
      }
      const { dims, channelAxis, weightCount } = layer;
      const granularity = granularityOf(layer, wanted);
      const scales = new Float32Array(elementCount(scaleDims(layer, granularity))).fill(1);
      const values = new Int8Array(weightCount);
      const shape = { dims, channelAxis, grid: signedGrid(width), granularity };
      const content = { ...shape, scaleType: 'float16' as const, scales, values };
      const perturbation = new Map([[layer.weightName, newTensor({ name: layer.weightName })]]);
      return { layerIndex, bitWidth: width, content, localLoss, perturbation };
    }),
  );
}
