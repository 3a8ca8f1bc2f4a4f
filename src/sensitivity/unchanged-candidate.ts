import type { Granularity } from '../config/config.ts';
import { DATA_TYPE } from '../onnx/data-type.ts';
import type { Layer } from '../onnx/list-layers.ts';
import type { Model } from '../onnx/model.ts';
import { dimsOf, readFloats } from '../onnx/tensor-values.ts';
import { findExactGrid } from '../quantize/exact-grid.ts';
import type { QuantizedTensor } from '../quantize/quantized-tensor.ts';
import type { TensorProto } from '../wire/model-proto.ts';
import type { Candidate } from './candidates.ts';

/** A layer at a width that changes nothing: float, or one on whose grid its weights lie already; undefined for any other. */
export function unchangedCandidate(
  model: Model,
  layer: Layer,
  layerIndex: number,
  width: number | 'float',
  granularity: Granularity,
): Candidate | undefined {
  const unchanged = { layerIndex, localLoss: 0, perturbation: new Map() };
  if (width === 'float') return { ...unchanged, bitWidth: layer.floatBitWidth, content: width };
  const weight = model.graph.initializer.find(({ name }) => name === layer.weightName)!;
  const content = exactTensor(weight, layer.channelAxis, width, granularity, model.path);
  return content && { ...unchanged, bitWidth: width, content };
}

/** Of the widths, the one on whose grid all others lie. */
const FINEST_WIDTH = 8;

/** Whether a weight lies on a grid of some width. */
export function liesOnGrid(weight: TensorProto, channelAxis: number, granularity: Granularity, path: string): boolean {
  return exactTensor(weight, channelAxis, FINEST_WIDTH, granularity, path) !== undefined;
}

function exactTensor(
  weight: TensorProto,
  channelAxis: number,
  width: number,
  granularity: Granularity,
  path: string,
): QuantizedTensor | undefined {
  const storage = weight.dataType === DATA_TYPE.float16 ? 'float16' : 'float32';
  const values = readFloats(weight, path);
  return findExactGrid({ values, dims: dimsOf(weight), channelAxis }, width, granularity, storage);
}
