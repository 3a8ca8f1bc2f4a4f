/** How each operator's specification lays a weight out, as one matrix per group. */
import { UnsupportedModelError } from '../errors.ts';
import { describeNode, integerAttribute } from '../onnx/graph-index.ts';
import type { Layer } from '../onnx/list-layers.ts';
import type { WeightLayout } from '../quantize/weight-layout.ts';
import { elementCount } from '../tensor.ts';
import type { NodeProto } from '../wire/model-proto.ts';

/**
 * The layout by which all of the layer's nodes read the weight.
 *
 * @throws UnsupportedModelError naming the layer if nodes that share the weight read it differently, or if its channels do
 * not divide into the groups
 */
export function layerLayout(layer: Layer, path: string): WeightLayout {
  const [first, ...others] = layer.nodes.map((node) => nodeLayout(layer, node, path));
  const other = others.findIndex((layout) => JSON.stringify(layout) !== JSON.stringify(first));
  if (other < 0) return first!;
  throw new UnsupportedModelError({
    what: `layer '${layer.name}' is one weight that ${describeNode(layer.nodes[0]!)} and ${describeNode(layer.nodes[other + 1]!)} read differently`,
    where: path,
    fix: 'export the model with a weight for each of them, or quantize with method rtn and without a correction',
  });
}

function nodeLayout(layer: Layer, node: NodeProto, path: string): WeightLayout {
  const { dims } = layer;
  switch (node.opType) {
    case 'Conv':
      return convolutionLayout(dims, groupsOf(layer, node, dims[0]!, path));
    case 'ConvTranspose':
      return transposedLayout(dims, groupsOf(layer, node, dims[0]!, path));
    case 'Gemm':
      return integerAttribute(node, 'transB', 0) === 1 ? convolutionLayout(dims, 1) : matrixLayout(dims);
    default:
      return matrixLayout(dims);
  }
}

/** [outChannels, inChannels / groups, …kernel]. */
function convolutionLayout([channelCount, ...rest]: readonly number[], groupCount: number): WeightLayout {
  const inputCount = elementCount(rest);
  const outputCount = channelCount! / groupCount;
  return {
    groupCount,
    outputCount,
    inputCount,
    groupStride: outputCount * inputCount,
    outputStride: inputCount,
    runLength: inputCount,
    runStride: inputCount,
  };
}

/** [inChannels, outChannels / groups, …kernel]. */
function transposedLayout([channelCount, outputCount, ...kernel]: readonly number[], groupCount: number): WeightLayout {
  const kernelCount = elementCount(kernel);
  const inChannels = channelCount! / groupCount;
  return {
    groupCount,
    outputCount: outputCount!,
    inputCount: inChannels * kernelCount,
    groupStride: inChannels * outputCount! * kernelCount,
    outputStride: kernelCount,
    runLength: kernelCount,
    runStride: outputCount! * kernelCount,
  };
}

/** […groups, inputs, outputs]. */
function matrixLayout(dims: readonly number[]): WeightLayout {
  const [inputCount, outputCount] = dims.slice(-2);
  return {
    groupCount: elementCount(dims.slice(0, -2)),
    outputCount: outputCount!,
    inputCount: inputCount!,
    groupStride: inputCount! * outputCount!,
    outputStride: 1,
    runLength: 1,
    runStride: outputCount!,
  };
}

function groupsOf({ name }: Layer, node: NodeProto, channelCount: number, path: string): number {
  const groupCount = integerAttribute(node, 'group', 1);
  if (groupCount >= 1 && channelCount % groupCount === 0) return groupCount;
  throw new UnsupportedModelError({
    what: `${describeNode(node)} of layer '${name}' divides ${channelCount} channels into ${groupCount} groups`,
    where: path,
    fix: 'export the model again: no runtime can run it',
  });
}
