import { elementCount } from '../../tensor.ts';
import type { NodeProto, TensorProto } from '../../wire/model-proto.ts';
import {
  allValueNames,
  attributeOf,
  freshName,
  type GraphIndex,
  indexGraph,
  integerAttribute,
  privateInitializer,
} from '../graph-index.ts';
import { type IsKept, keepsNone } from '../kept-weights.ts';
import { weightInputOf } from '../list-layers.ts';
import { type Model, withGraph } from '../model.ts';
import { dimsOf, floatTensor, isFloatTensor, readFloats } from '../tensor-values.ts';

/**
 * **From** y = BatchNormalization(Conv(x, W) + b; γ, β, μ, σ², ε), with constant parameters.
 * **To** y = Conv(x, W·k) + (b − μ)·k + β, with k = γ / √(σ² + ε) per output channel.
 * **Holds because** at inference BatchNormalization is affine per channel, and so is a convolution's output in its weight
 * and bias. Only where nobody else reads the convolution's output or its weight; ConvTranspose likewise, without groups.
 */
export function foldBatchNormalization(model: Model, isKept: IsKept = keepsNone): Model {
  const index = indexGraph(model.graph);
  const replacedNodes = new Map<NodeProto, readonly NodeProto[]>();
  const folded = new Map<string, TensorProto>();
  const taken = allValueNames(model.graph);
  for (const batchNormalization of model.graph.node) {
    const pair = matchPair(batchNormalization, index);
    if (pair === undefined || isKept({ weight: pair.weight, channelAxis: channelAxisOf(pair.convolution) })) continue;
    const { convolution, weight, bias } = foldParameters(pair, taken, model.path);
    folded.set(weight.name ?? '', weight);
    folded.set(bias.name ?? '', bias);
    replacedNodes.set(pair.convolution, []);
    // The folded node stands where the second of the pair stood, so that the graph stays in topological order.
    replacedNodes.set(batchNormalization, [convolution]);
  }
  return replacedNodes.size === 0 ? model : rebuild(model, replacedNodes, folded);
}

type Pair = {
  readonly convolution: NodeProto;
  readonly batchNormalization: NodeProto;
  readonly weight: TensorProto;
  /** Absent when the convolution has none. */
  readonly bias: TensorProto | undefined;
  /** scale, B, input_mean, input_var of the operator's specification, each of shape [outChannels]. */
  readonly parameters: readonly TensorProto[];
};

function matchPair(node: NodeProto, index: GraphIndex): Pair | undefined {
  if (node.opType !== 'BatchNormalization' || (node.domain ?? '') !== '' || !isInference(node)) return undefined;
  const input = node.input[0] ?? '';
  const convolution = index.producers.get(input);
  if (convolution === undefined || !isFoldable(convolution)) return undefined;
  const isPrivate = (index.consumers.get(input)?.length ?? 0) === 1 && !index.outputNames.has(input);
  const weight = privateInitializer(weightInputOf(convolution), index);
  const biasName = convolution.input[2] ?? '';
  const bias = biasName === '' ? undefined : index.initializers.get(biasName);
  const parameters = node.input.slice(1, 5).flatMap((name) => index.initializers.get(name) ?? []);
  const isConstant = parameters.length === 4 && (biasName === '' || bias !== undefined);
  if (!isPrivate || !isConstant || weight === undefined) return undefined;
  if (![weight, ...parameters].every((tensor) => isFloatTensor(tensor))) return undefined;
  // Opset 7 and 8 also have a form with one parameter per element (attribute `spatial`).
  const channelCount = dimsOf(weight)[channelAxisOf(convolution)];
  if (!parameters.every((tensor) => elementCount(dimsOf(tensor)) === channelCount)) return undefined;
  return { convolution, batchNormalization: node, weight, bias, parameters };
}

/** The training form has more outputs (before opset 14) or says so (from 14). */
function isInference(node: NodeProto): boolean {
  const outputs = node.output.filter((name) => name !== '');
  return outputs.length === 1 && integerAttribute(node, 'training_mode', 0) === 0;
}

function isFoldable(node: NodeProto): boolean {
  if ((node.domain ?? '') !== '') return false;
  return node.opType === 'Conv' || (node.opType === 'ConvTranspose' && integerAttribute(node, 'group', 1) === 1);
}

/** The axis of the weight that counts output channels, of a node that is foldable. */
function channelAxisOf({ opType }: NodeProto): number {
  return opType === 'Conv' ? 0 : 1;
}

type FoldedPair = { readonly convolution: NodeProto; readonly weight: TensorProto; readonly bias: TensorProto };

function foldParameters(pair: Pair, taken: Set<string>, path: string): FoldedPair {
  const [scale, shift, mean, variance] = pair.parameters.map((tensor) => readFloats(tensor, path));
  // 1e-5 is the default of the operator's specification.
  const epsilon = attributeOf(pair.batchNormalization, 'epsilon')?.f ?? 1e-5;
  const factors = Float64Array.from(scale!, (gamma, channel) => gamma / Math.sqrt(variance![channel]! + epsilon));
  const oldBias = pair.bias === undefined ? undefined : readFloats(pair.bias, path);
  const bias = Float32Array.from(
    factors,
    (factor, channel) => ((oldBias?.[channel] ?? 0) - mean![channel]!) * factor + shift![channel]!,
  );
  const weightName = pair.weight.name ?? '';
  const output = pair.batchNormalization.output[0]!;
  const biasName = freshName(`${output}.bias`, taken);
  const input = [pair.convolution.input[0]!, weightName, biasName];
  return {
    convolution: { ...pair.convolution, input, output: [output] },
    weight: scaleChannels(pair.weight, factors, channelAxisOf(pair.convolution), path),
    bias: floatTensor(biasName, [bias.length], bias, pair.weight.dataType),
  };
}

/** Multiply every element by the factor of its channel along `axis`. */
function scaleChannels(weight: TensorProto, factors: Float64Array, axis: number, path: string): TensorProto {
  const dims = dimsOf(weight);
  const innerCount = elementCount(dims.slice(axis + 1));
  const values = readFloats(weight, path).map(
    (value, index) => value * factors[Math.floor(index / innerCount) % factors.length]!,
  );
  return floatTensor(weight.name ?? '', dims, values, weight.dataType);
}

function rebuild(
  model: Model,
  replacedNodes: ReadonlyMap<NodeProto, readonly NodeProto[]>,
  folded: ReadonlyMap<string, TensorProto>,
): Model {
  const node = model.graph.node.flatMap((old) => replacedNodes.get(old) ?? [old]);
  const { consumers, outputNames } = indexGraph({ ...model.graph, node });
  const kept = model.graph.initializer.filter(
    ({ name }) => !folded.has(name ?? '') && (consumers.has(name ?? '') || outputNames.has(name ?? '')),
  );
  return withGraph(model, { ...model.graph, node, initializer: [...kept, ...folded.values()] });
}
