/**
 * The unfolded input of a layer as nodes: a column for every position of the output, that holds the numbers which the layer's
 * outputs there are products with.
 */
import { UnsupportedModelError } from '../errors.ts';
import { DATA_TYPE } from '../onnx/data-type.ts';
import { attributeOf, describeNode, integerAttribute } from '../onnx/graph-index.ts';
import type { Layer } from '../onnx/list-layers.ts';
import { castTo, int64Vector, integer, integers, operator } from '../onnx/node-builders.ts';
import { floatTensor } from '../onnx/tensor-values.ts';
import type { WeightLayout } from '../quantize/weight-layout.ts';
import { elementCount } from '../tensor.ts';
import type { AttributeProto, NodeProto, TensorProto } from '../wire/model-proto.ts';

export type UnfoldRequest = {
  readonly layer: Layer;
  readonly node: NodeProto;
  readonly layout: WeightLayout;
  /** Shapes of the node's data input and of its output, for some batch. */
  readonly inputDims: readonly number[];
  readonly outputDims: readonly number[];
  readonly opsetVersion: number;
  /** The model's path, for messages. */
  readonly path: string;
};

/** Collects the nodes and constants of a graph that is being made; every `fresh` name is new to the graph. */
export type GraphParts = {
  readonly nodes: NodeProto[];
  readonly initializers: TensorProto[];
  fresh(stem: string): string;
};

/** Values that hold the same unfolded input; how many parts the positions are in may differ between the two. */
export type Unfolded = {
  /** Shape [partCount, groupCount, inputCount, positions of a part]. */
  readonly matrices: string;
  /** Shape [partCount, groupCount · inputCount, …positions of a part]. */
  readonly channels: string;
};

/** Add the nodes that unfold the input. */
export function unfoldInput(request: UnfoldRequest, parts: GraphParts): Unfolded {
  const { node, layout } = request;
  const { groupCount, inputCount } = layout;
  const input = wideInput(request, parts);
  if (node.opType === 'Conv' || node.opType === 'ConvTranspose') return unfoldConvolution(request, input, parts);
  const channels =
    node.opType === 'Gemm' && integerAttribute(node, 'transA', 0) === 1
      ? reshape(parts, input, [1, inputCount, -1])
      : reshape(parts, turnRows(request, input, parts), [1, groupCount * inputCount, -1]);
  return { channels, matrices: reshape(parts, channels, [1, groupCount, inputCount, -1]) };
}

/** The node's data input in single precision. */
export function wideInput({ layer, node }: UnfoldRequest, parts: GraphParts): string {
  const name = node.input[0] ?? '';
  return layer.dataType === DATA_TYPE.float16 ? add(parts, 'wide', (to) => castTo(DATA_TYPE.float32, name, to)) : name;
}

/** The rows that each matrix is multiplied with as columns: shape [groupCount, inputCount, positions]. */
function turnRows(request: UnfoldRequest, input: string, parts: GraphParts): string {
  const { groupCount, inputCount } = request.layout;
  const rows = groupCount === 1 ? input : gatherMatrices(request, input, parts);
  return transpose(parts, reshape(parts, rows, [groupCount, -1, inputCount]), [0, 2, 1]);
}

/**
 * Unfold with a depthwise convolution of one-hot kernels: input channel c and kernel position k make channel
 * c · kernelCount + k, which at each output position is the number that the layer multiplies with its weight there.
 */
function unfoldConvolution(request: UnfoldRequest, input: string, parts: GraphParts): Unfolded {
  const { layer, node, layout, outputDims } = request;
  const { groupCount, inputCount } = layout;
  const channels = isPointwise(layer, node) ? input : convolveOneHot(layer, node, layout, input, parts);
  // Reshape takes 0 for "as it is".
  const matrices = reshape(parts, channels, [0, groupCount, inputCount, -1]);
  // A product per sample saves copying the samples side by side, but is as large as the sum of all samples' products.
  if (inputCount <= elementCount(outputDims.slice(2))) return { channels, matrices };
  const sideBySide = reshape(parts, transpose(parts, matrices, [1, 2, 0, 3]), [1, groupCount, inputCount, -1]);
  return { channels, matrices: sideBySide };
}

function convolveOneHot(layer: Layer, node: NodeProto, layout: WeightLayout, input: string, parts: GraphParts): string {
  const kernel = layer.dims.slice(2);
  const kernelCount = elementCount(kernel);
  const channelCount = (layout.groupCount * layout.inputCount) / kernelCount;
  const isConv = node.opType === 'Conv';
  const dims = isConv ? [channelCount * kernelCount, 1, ...kernel] : [channelCount, kernelCount, ...kernel];
  const kernels = oneHotKernels(dims, kernelCount, parts);
  const attributes = [...node.attribute.filter(({ name }) => name !== 'group'), integer('group', channelCount)];
  return add(parts, 'unfolded', (to) => operator(node.opType!, [input, kernels], to, ...attributes));
}

/** Kernels of `kernelCount` elements, each with a one where the one before it has its next. */
export function oneHotKernels(dims: readonly number[], kernelCount: number, parts: GraphParts): string {
  const oneHot = new Float32Array(elementCount(dims));
  for (let index = 0; index < oneHot.length / kernelCount; index++) {
    oneHot[index * kernelCount + (index % kernelCount)] = 1;
  }
  return constant(parts, 'kernels', (name) => floatTensor(name, dims, oneHot));
}

/** Whether the convolution's input is its own unfolding: a kernel of one element that visits every position once. */
function isPointwise({ dims }: Layer, node: NodeProto): boolean {
  if (node.opType !== 'Conv' || elementCount(dims.slice(2)) !== 1) return false;
  const all = (name: string, value: bigint) => listOf(attributeOf(node, name)).every((entry) => entry === value);
  return all('strides', 1n) && all('pads', 0n);
}

function listOf(attribute: AttributeProto | undefined): readonly bigint[] {
  return attribute?.ints ?? [];
}

/**
 * The rows that each matrix of a stack is multiplied with: the input is broadcast over the stack as MatMul does it, and the
 * axes that count matrices are brought to the front.
 */
function gatherMatrices(request: UnfoldRequest, input: string, parts: GraphParts): string {
  const { layer, node, inputDims, opsetVersion, path } = request;
  if (opsetVersion < FIRST_EXPAND) {
    throw new UnsupportedModelError({
      what: `${describeNode(node)} of layer '${layer.name}' multiplies with a stack of matrices at opset ${opsetVersion}`,
      where: path,
      fix: `export the model with opset ${FIRST_EXPAND} or newer`,
    });
  }
  const stack = layer.dims.slice(0, -2);
  const shape = constant(parts, 'shape', (name) => int64Vector([...stack, 1, 1], name));
  const expanded = add(parts, 'expanded', (to) => operator('Expand', [input, shape], to));
  const rank = Math.max(inputDims.length, layer.dims.length);
  const countsMatrices = (axis: number) => (stack[axis - (rank - layer.dims.length)] ?? 1) > 1;
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  const permutation = [...axes.filter(countsMatrices), ...axes.filter((axis) => !countsMatrices(axis))];
  return transpose(parts, expanded, permutation);
}

/** Expand came with opset 8. */
const FIRST_EXPAND = 8;

export function reshape(parts: GraphParts, input: string, dims: readonly number[]): string {
  const shape = constant(parts, 'shape', (name) => int64Vector(dims, name));
  return add(parts, 'reshaped', (to) => operator('Reshape', [input, shape], to));
}

export function transpose(parts: GraphParts, input: string, permutation: readonly number[]): string {
  return add(parts, 'transposed', (to) => operator('Transpose', [input], to, integers('perm', permutation)));
}

/** Add a node whose output gets a fresh name, and return the name. */
export function add(parts: GraphParts, stem: string, make: (output: string) => NodeProto): string {
  const output = parts.fresh(stem);
  parts.nodes.push(make(output));
  return output;
}

export function constant(parts: GraphParts, stem: string, make: (name: string) => TensorProto): string {
  const name = parts.fresh(stem);
  parts.initializers.push(make(name));
  return name;
}
