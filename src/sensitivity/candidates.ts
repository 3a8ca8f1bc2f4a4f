import type { Layer } from '../onnx/list-layers.ts';
import type { Model } from '../onnx/model.ts';
import { floatTensor, readFloats } from '../onnx/tensor-values.ts';
import { dequantize, type QuantizedTensor } from '../quantize/quantized-tensor.ts';
import { quantizeToNearest } from '../quantize/round-to-nearest.ts';
import type { Perturbation } from './branch-graph.ts';

/** A layer at one precision. */
export type Candidate = {
  readonly layerIndex: number;
  /** 32 or 16 for a layer that stays float. */
  readonly bitWidth: number;
  readonly content: QuantizedTensor | 'float';
  /** tr(Δ H Δᵀ): the mean squared change of the layer's outputs; zero for float. */
  readonly localLoss: number;
  /** The layer's weight as this candidate has it; empty for float. */
  readonly perturbation: Perturbation;
};

/** Which widths a layer may take. */
export type OfferedWidths = readonly (number | 'float')[];

/**
 * Quantize every layer at every offered width.
 *
 * @param offered ascending widths of each layer, shape [layerCount]
 * @returns candidates layer by layer, in the order of their widths
 */
export function quantizeCandidates(
  model: Model,
  layers: readonly Layer[],
  offered: readonly OfferedWidths[],
): Candidate[] {
  const initializers = new Map(model.graph.initializer.map((tensor) => [tensor.name, tensor]));
  return layers.flatMap((layer, layerIndex) => {
    const values = readFloats(initializers.get(layer.weightName)!, model.path);
    return offered[layerIndex]!.map((width) => quantizeCandidate(layer, layerIndex, values, width));
  });
}

function quantizeCandidate(layer: Layer, layerIndex: number, values: Float32Array, width: number | 'float'): Candidate {
  if (width === 'float')
    return { layerIndex, bitWidth: layer.floatBitWidth, content: 'float', perturbation: new Map() };
  const content = quantizeToNearest({ values, dims: layer.dims, channelAxis: layer.channelAxis }, width);
  const weight = floatTensor(layer.weightName, layer.dims, dequantize(content), layer.dataType);
  return { layerIndex, bitWidth: width, content, perturbation: new Map([[layer.weightName, weight]]) };
}
