/** The quantizable layers of a model: Conv, ConvTranspose, Gemm and MatMul with a constant weight. */
import { UserError } from '../errors.ts';
import { elementCount } from '../tensor.ts';
import type { NodeProto, TensorProto } from '../wire/model-proto.ts';
import { DATA_TYPE } from './data-type.ts';
import { describeNode, type GraphIndex, indexGraph, integerAttribute } from './graph-index.ts';
import { ownBias } from './layer-bias.ts';
import { nameLayers } from './layer-names.ts';
import type { Model } from './model.ts';
import { dimsOf, isFloatTensor, readFloats } from './tensor-values.ts';

export type LayerOpType = 'Conv' | 'ConvTranspose' | 'Gemm' | 'MatMul';

/** One weight and the nodes that use it. Layers are ordered as their first node stands in the graph. */
export type Layer = {
  /** Unique, readable, and stable under retraining. */
  readonly name: string;
  readonly opType: LayerOpType;
  /** More than one when nodes share the weight. */
  readonly nodes: readonly NodeProto[];
  /** Name of the weight's initializer. */
  readonly weightName: string;
  readonly dims: readonly number[];
  readonly weightCount: number;
  /** TensorProto.DataType of the weight: float32 or float16. */
  readonly dataType: number;
  /** Bits of one float weight: 32 or 16. */
  readonly floatBitWidth: number;
  /** The axis of `dims` that counts output channels. */
  readonly channelAxis: number;
  /** Name of the initializer that holds the layer's bias, if nothing else reads it; absent for a shared weight. */
  readonly biasName?: string;
};

const OP_TYPES: ReadonlySet<string> = new Set(['Conv', 'ConvTranspose', 'Gemm', 'MatMul']);

/**
 * List the layers in graph order; expects a model that `prepareModel` has been over.
 * @throws UserError if there is none, or a weight holds NaN or infinity
 */
export function listLayers(model: Model): Layer[] {
  const found = findWeights(model);
  if (found.size === 0) throw noLayers(model);
  const names = nameLayers([...found].map(([weightName, nodes]) => ({ weightName, node: nodes[0]! })));
  const graphIndex = indexGraph(model.graph);
  return [...found].map(([weightName, nodes], index) => {
    const weight = graphIndex.initializers.get(weightName)!;
    assertFinite(weight, names[index]!, model.path);
    return describeLayer(names[index]!, weight, nodes, graphIndex);
  });
}

/** Nodes with a constant float weight, by the weight's name. */
function findWeights(model: Model): Map<string, NodeProto[]> {
  const { initializers } = indexGraph(model.graph);
  const found = new Map<string, NodeProto[]>();
  for (const node of model.graph.node) {
    const weightName = weightInputOf(node);
    const weight = weightName === undefined ? undefined : initializers.get(weightName);
    if (weightName === undefined || weight === undefined || !isQuantizable(weight)) continue;
    found.set(weightName, [...(found.get(weightName) ?? []), node]);
  }
  return found;
}

/** The name of the input that holds the weight, for an operator of the default domain that has one. */
export function weightInputOf(node: NodeProto): string | undefined {
  if (!OP_TYPES.has(node.opType ?? '') || (node.domain ?? '') !== '') return undefined;
  return node.input[1];
}

/** A vector or scalar is no weight matrix, and an empty one has nothing to store. */
function isQuantizable(weight: TensorProto): boolean {
  return isFloatTensor(weight) && weight.dims.length >= 2 && elementCount(dimsOf(weight)) > 0;
}

function describeLayer(name: string, weight: TensorProto, nodes: readonly NodeProto[], index: GraphIndex): Layer {
  const dims = dimsOf(weight);
  const node = nodes[0]!;
  const channelAxis = channelAxisOf(node, dims.length);
  const bias = nodes.length === 1 ? ownBias(node, channelCountOf(node, dims, channelAxis), index) : undefined;
  return {
    name,
    opType: node.opType as LayerOpType,
    nodes,
    weightName: weight.name ?? '',
    dims,
    weightCount: elementCount(dims),
    dataType: weight.dataType ?? 0,
    floatBitWidth: weight.dataType === DATA_TYPE.float16 ? 16 : 32,
    channelAxis,
    ...(bias === undefined ? {} : { biasName: bias.name ?? '' }),
  };
}

/** Channels of the node's output; a grouped ConvTranspose has its weight's channels once per group. */
export function channelCountOf(node: NodeProto, dims: readonly number[], channelAxis: number): number {
  const groupCount = node.opType === 'ConvTranspose' ? integerAttribute(node, 'group', 1) : 1;
  return dims[channelAxis]! * groupCount;
}

/** Where the operator's specification puts the output channels. */
export function channelAxisOf(node: NodeProto, rank: number): number {
  if (node.opType === 'Conv') return 0;
  if (node.opType === 'ConvTranspose') return 1;
  if (node.opType === 'Gemm') return integerAttribute(node, 'transB', 0) === 1 ? 0 : 1;
  return rank - 1;
}

function assertFinite(weight: TensorProto, layer: string, path: string): void {
  const index = readFloats(weight, path).findIndex((value) => !Number.isFinite(value));
  if (index < 0) return;
  throw new UserError({
    what: `the weight '${weight.name}' of layer '${layer}' holds NaN or infinity (element ${index})`,
    where: path,
    fix: 'train or export the model again: a broken weight cannot be quantized or trusted',
  });
}

function noLayers(model: Model): UserError {
  const candidates = model.graph.node.filter(({ opType }) => OP_TYPES.has(opType ?? ''));
  const seen = candidates.slice(0, 3).map(describeNode).join(', ');
  const detail = seen === '' ? '' : `; these have no constant float weight: ${seen}`;
  return new UserError({
    what: `the model has no layer to quantize (Conv, ConvTranspose, Gemm or MatMul with a constant float weight)${detail}`,
    where: model.path,
    fix: 'export the float model, with its weights as initializers',
  });
}
