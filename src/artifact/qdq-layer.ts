/** The QDQ form of one layer: quantized initializers and the DequantizeLinear node that stands for the float weight. */
import { DATA_TYPE } from '../onnx/data-type.ts';
import type { Layer } from '../onnx/list-layers.ts';
import { castTo, integer, operator } from '../onnx/node-builders.ts';
import { floatTensor } from '../onnx/tensor-values.ts';
import { inputAxis, scaleDims } from '../quantize/granularity.ts';
import type { QuantizedTensor } from '../quantize/quantized-tensor.ts';
import { type AttributeProto, type NodeProto, newTensor, type TensorProto } from '../wire/model-proto.ts';
import { serializedSize } from './pack-layer.ts';
import { ELEMENT_TYPE, packElements } from './qdq-elements.ts';
import { type QdqForm, qdqForm } from './qdq-form.ts';

export type QdqParts = {
  /** The form that it is stored in; none for a weight that stays float. */
  readonly forms: readonly QdqForm[];
  readonly initializers: readonly TensorProto[];
  readonly nodes: readonly NodeProto[];
  /** Serialized bytes of initializers and nodes inside a graph. */
  readonly sizeBytes: number;
};

/** Names that one layer's parts have in the artifact; they do not depend on the bit-width. */
export type QdqNames = {
  readonly quantized: string;
  readonly scales: string;
  /** The weight in float32, before it is cast to float16. */
  readonly wide: string;
};

/** DequantizeLinear's axis when it is not given. */
const DEFAULT_AXIS = 1;

/** The parts make a value of the float weight's name, so that its readers stay as they are. The zero point is zero: absent. */
export function qdqLayer(layer: Layer, weight: QuantizedTensor, names: QdqNames): QdqParts {
  const form = qdqForm(layer, weight);
  const initializers = [quantizedTensor(weight, form, names.quantized), scaleTensor(weight, form, names.scales)];
  const nodes = dequantizeNodes(layer, weight, form, names);
  return { forms: [form], initializers, nodes, sizeBytes: serializedSize(initializers, nodes) };
}

function quantizedTensor({ values, dims }: QuantizedTensor, { elementWidth }: QdqForm, name: string): TensorProto {
  const rawData = packElements(values, elementWidth);
  return newTensor({ name, dataType: ELEMENT_TYPE[elementWidth], dims: dims.map(BigInt), rawData });
}

/** Shape [] for a tensor, [channelCount], or the weight's with one entry per block on the input axis. */
function scaleTensor(weight: QuantizedTensor, { isHalf }: QdqForm, name: string): TensorProto {
  const dataType = isHalf ? DATA_TYPE.float16 : DATA_TYPE.float32;
  return floatTensor(name, scaleDims(weight, weight.granularity), weight.scales, dataType);
}

function dequantizeNodes(layer: Layer, weight: QuantizedTensor, { isHalf }: QdqForm, names: QdqNames): NodeProto[] {
  const needsCast = layer.dataType === DATA_TYPE.float16 && !isHalf;
  const output = needsCast ? names.wide : layer.weightName;
  const inputs = [names.quantized, names.scales];
  const dequantize = operator('DequantizeLinear', inputs, output, ...granularityAttributes(weight));
  return needsCast ? [dequantize, castTo(DATA_TYPE.float16, output, layer.weightName)] : [dequantize];
}

function granularityAttributes(weight: QuantizedTensor): AttributeProto[] {
  const { granularity, channelAxis } = weight;
  if (granularity === 'tensor') return [];
  if (granularity === 'channel') return axisAttribute(channelAxis);
  return [...axisAttribute(inputAxis(weight)!), integer('block_size', granularity.block)];
}

function axisAttribute(axis: number): AttributeProto[] {
  return axis === DEFAULT_AXIS ? [] : [integer('axis', axis)];
}
