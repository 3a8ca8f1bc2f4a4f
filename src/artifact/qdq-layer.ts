/** The QDQ form of one layer: quantized initializers and the DequantizeLinear node that stands for the float weight. */
import { DATA_TYPE } from '../onnx/data-type.ts';
import type { Layer } from '../onnx/list-layers.ts';
import { castTo, integer, operator } from '../onnx/node-builders.ts';
import { bytesOf, floatTensor } from '../onnx/tensor-values.ts';
import { inputAxis, scaleDims } from '../quantize/granularity.ts';
import type { QuantizedTensor } from '../quantize/quantized-tensor.ts';
import { roundHalfEven } from '../quantize/round-half-even.ts';
import { type AttributeProto, type NodeProto, newTensor, type TensorProto } from '../wire/model-proto.ts';
import { serializedSize } from './pack-layer.ts';
import { ELEMENT_TYPE, packElements } from './qdq-elements.ts';
import { type IntegerForm, type QdqForm, qdqForm } from './qdq-form.ts';
import type { IntegerKernel, KernelBias } from './qdq-kernels.ts';

export type QdqParts = {
  /** The form that it is stored in. */
  readonly forms: readonly [QdqForm];
  readonly initializers: readonly TensorProto[];
  readonly nodes: readonly NodeProto[];
  /** Serialized bytes of initializers and nodes inside a graph. */
  readonly sizeBytes: number;
};

/** Names that one layer's parts have in the artifact; they do not depend on the bit-width. */
export type QdqNames = {
  readonly quantized: string;
  readonly scales: string;
  readonly zeroPoints: string;
  readonly bias: string;
  readonly biasScales: string;
  /** The weight in float32, before it is cast to float16. */
  readonly wide: string;
};

type Parts = { readonly initializers: readonly TensorProto[]; readonly nodes: readonly NodeProto[] };

/** DequantizeLinear's axis when it is not given. */
const DEFAULT_AXIS = 1;

/**
 * The parts make a value of the float weight's name, so that its readers stay as they are.
 *
 * @param kernel the integer kernel that is to read the weight, if there is one; else the zero point, which is zero, stays away
 */
export function qdqLayer(
  layer: Layer,
  weight: QuantizedTensor,
  names: QdqNames,
  kernel: IntegerKernel | undefined,
): QdqParts {
  const form = qdqForm(layer, weight, kernel !== undefined);
  const ofWeight = weightParts(layer, weight, form, names, kernel?.needsZeroPoint ?? false);
  const ofBias = kernel?.bias === undefined ? NO_PARTS : biasParts(kernel.bias, weight, names);
  const initializers = [...ofWeight.initializers, ...ofBias.initializers];
  const nodes = [...ofWeight.nodes, ...ofBias.nodes];
  return { forms: [form], initializers, nodes, sizeBytes: serializedSize(initializers, nodes) };
}

const NO_PARTS: Parts = { initializers: [], nodes: [] };

function weightParts(
  layer: Layer,
  weight: QuantizedTensor,
  form: IntegerForm,
  names: QdqNames,
  needsZeroPoint: boolean,
): Parts {
  const needsCast = layer.dataType === DATA_TYPE.float16 && !form.isHalf;
  const output = needsCast ? names.wide : layer.weightName;
  const inputs = [names.quantized, names.scales, ...(needsZeroPoint ? [names.zeroPoints] : [])];
  const dequantize = operator('DequantizeLinear', inputs, output, ...granularityAttributes(weight));
  return {
    initializers: [
      quantizedTensor(weight, form, names.quantized),
      scaleTensor(weight, form, names.scales),
      ...(needsZeroPoint ? [zeroPointTensor(weight, names.zeroPoints)] : []),
    ],
    nodes: needsCast ? [dequantize, castTo(DATA_TYPE.float16, output, layer.weightName)] : [dequantize],
  };
}

function quantizedTensor({ values, dims }: QuantizedTensor, { elementWidth }: IntegerForm, name: string): TensorProto {
  const rawData = packElements(values, elementWidth);
  return newTensor({ name, dataType: ELEMENT_TYPE[elementWidth], dims: dims.map(BigInt), rawData });
}

/** Shape [] for a tensor, [channelCount], or the weight's with one entry per block on the input axis. */
function scaleTensor(weight: QuantizedTensor, { isHalf }: IntegerForm, name: string): TensorProto {
  const dataType = isHalf ? DATA_TYPE.float16 : DATA_TYPE.float32;
  return floatTensor(name, scaleDims(weight, weight.granularity), weight.scales, dataType);
}

/** Zeros in the shape of the scales, for a weight in INT8. */
function zeroPointTensor(weight: QuantizedTensor, name: string): TensorProto {
  const dims = scaleDims(weight, weight.granularity).map(BigInt);
  return newTensor({ name, dataType: DATA_TYPE.int8, dims, rawData: new Uint8Array(weight.scales.length) });
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

const LARGEST_INT32 = 2 ** 31 - 1;

/** The bias in int32 behind DequantizeLinear, or as it is where its scales are too fine for it or run along blocks. */
function biasParts({ tensor, values, inputScale }: KernelBias, weight: QuantizedTensor, names: QdqNames): Parts {
  const { granularity, scales } = weight;
  const perChannel = Float32Array.from(scales, (scale) => scale * inputScale);
  const levels = Array.from(values, (value, channel) =>
    roundHalfEven(value / perChannel[granularity === 'tensor' ? 0 : channel]!),
  );
  const fits = typeof granularity === 'string' && levels.every((level) => Math.abs(level) <= LARGEST_INT32);
  if (!fits) return { initializers: [tensor], nodes: [] };
  const scaleShape = scaleDims(weight, granularity);
  const attributes = granularity === 'channel' ? [integer('axis', 0)] : [];
  return {
    initializers: [
      newTensor({ name: names.bias, dataType: DATA_TYPE.int32, dims: tensor.dims, rawData: int32Bytes(levels) }),
      floatTensor(names.biasScales, scaleShape, perChannel),
    ],
    nodes: [operator('DequantizeLinear', [names.bias, names.biasScales], tensor.name ?? '', ...attributes)],
  };
}

function int32Bytes(levels: readonly number[]): Uint8Array {
  return bytesOf(Int32Array.from(levels));
}
