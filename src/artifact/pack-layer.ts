/** The packed form of one layer: the initializers and nodes that stand for its float weight in the artifact. */
import { DATA_TYPE } from '../onnx/data-type.ts';
import type { Layer } from '../onnx/list-layers.ts';
import { castTo, integers } from '../onnx/node-builders.ts';
import { bytesOf } from '../onnx/tensor-values.ts';
import { chunksOf, packChunk } from '../quantize/pack-bits.ts';
import type { QuantizedTensor } from '../quantize/quantized-tensor.ts';
import {
  initializerFieldSize,
  type NodeProto,
  newNode,
  newTensor,
  nodeFieldSize,
  type TensorProto,
} from '../wire/model-proto.ts';
import { type DecodeForm, FUNCTION_DOMAIN, functionName, int64, slicesByInput } from './decode-functions.ts';
import { type BlockNames, packScales } from './pack-scales.ts';

export type PackedLayer = {
  readonly forms: readonly [DecodeForm];
  readonly initializers: readonly TensorProto[];
  readonly nodes: readonly NodeProto[];
  /** Serialized bytes of both inside a graph. */
  readonly sizeBytes: number;
};

/** Names that one layer's parts have in the artifact; they do not depend on the bit-width. */
export type PackedNames = {
  /** Three, for the chunks of a width of up to seven bits. */
  readonly packed: readonly [string, string, string];
  readonly scales: string;
  readonly blocks: BlockNames;
  /** The initializer that holds the weight's shape, shared by layers of one shape. */
  readonly shape: string;
  readonly count: string;
  /** The weight in float32, before it is cast to float16. */
  readonly wide: string;
};

/** Pack a layer's weight; the nodes make a value of the float weight's name, so that its readers stay as they are. */
export function packLayer(
  layer: Layer,
  weight: QuantizedTensor,
  names: PackedNames,
  opsetVersion: number,
): PackedLayer {
  const isByte = weight.grid.bitWidth === 8;
  const form = { bitWidth: weight.grid.bitWidth, isPadded: !isByte && layer.weightCount % 8 !== 0 };
  const packed = isByte ? [bytesTensor(weight, names)] : chunkTensors(weight, names);
  const scales = packScales(weight, names.scales, names.blocks, opsetVersion);
  const needsCount = form.isPadded && slicesByInput(opsetVersion);
  const initializers = [
    ...packed,
    ...scales.initializers,
    ...(needsCount ? [int64([layer.weightCount], names.count)] : []),
  ];
  const input = [
    ...packed.map(({ name }) => name ?? ''),
    scales.name,
    ...(isByte ? [] : [names.shape]),
    ...(needsCount ? [names.count] : []),
  ];
  const nodes = [...scales.nodes, ...decodeNodes(layer, form, input, names, opsetVersion)];
  return { forms: [form], initializers, nodes, sizeBytes: serializedSize(initializers, nodes) };
}

export function serializedSize(initializers: readonly TensorProto[], nodes: readonly NodeProto[]): number {
  const initializerBytes = initializers.reduce((sum, tensor) => sum + initializerFieldSize(tensor), 0);
  return nodes.reduce((sum, node) => sum + nodeFieldSize(node), initializerBytes);
}

function bytesTensor({ values, dims }: QuantizedTensor, names: PackedNames): TensorProto {
  return newTensor({
    name: names.packed[0],
    dataType: DATA_TYPE.int8,
    dims: dims.map(BigInt),
    rawData: bytesOf(values),
  });
}

function chunkTensors({ values, grid }: QuantizedTensor, names: PackedNames): TensorProto[] {
  return chunksOf(grid.bitWidth).map((chunk, index) => {
    const rawData = packChunk(values, grid, chunk);
    return newTensor({
      name: names.packed[index]!,
      dataType: DATA_TYPE.uint8,
      dims: [BigInt(rawData.length)],
      rawData,
    });
  });
}

function decodeNodes(
  layer: Layer,
  form: DecodeForm,
  input: string[],
  names: PackedNames,
  opsetVersion: number,
): NodeProto[] {
  const isHalf = layer.dataType === DATA_TYPE.float16;
  const hasCountAttribute = form.isPadded && !slicesByInput(opsetVersion);
  const decode = newNode({
    opType: functionName(form),
    domain: FUNCTION_DOMAIN,
    input,
    output: [isHalf ? names.wide : layer.weightName],
    attribute: hasCountAttribute ? [integers('count', [layer.weightCount])] : [],
  });
  if (!isHalf) return [decode];
  return [decode, castTo(DATA_TYPE.float16, names.wide, layer.weightName)];
}
