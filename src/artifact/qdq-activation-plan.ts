/**
 * Which values of a graph get a QuantizeLinear–DequantizeLinear pair, so that a runtime finds integer kernels on both sides of
 * every pair: the inputs and outputs of layers, and of what stands between layers where it has an integer kernel itself.
 */
import { UnsupportedModelError } from '../errors.ts';
import { type GraphIndex, indexGraph, integerAttribute } from '../onnx/graph-index.ts';
import type { Layer } from '../onnx/list-layers.ts';
import type { Model } from '../onnx/model.ts';
import { isFloatTensor, readFloats } from '../onnx/tensor-values.ts';
import type { NodeProto } from '../wire/model-proto.ts';
import { type LayerUnit, layerUnits, outputOf } from './qdq-units.ts';

export type QuantizedActivation = {
  readonly name: string;
  /** The value whose range it has: itself, or the one that an operator which only moves values has moved. */
  readonly rangeOf: string;
};

export type ActivationPlan = {
  /** In graph order. */
  readonly values: readonly QuantizedActivation[];
  readonly units: readonly LayerUnit[];
};

/**
 * Values whose quantization an integer kernel needs: a layer's input, a convolution's output, and whatever leads to a layer's
 * input through operators with integer kernels. A model's last values stay float.
 *
 * @param model as `prepareModel` leaves it
 * @param layers all of the model's
 * @param floatLayers indices of those that stay float whatever the allocation
 * @throws UnsupportedModelError if no layer has an integer kernel
 */
export function planActivations(
  model: Model,
  layers: readonly Layer[],
  floatLayers: ReadonlySet<number> = new Set(),
): ActivationPlan {
  const index = indexGraph(model.graph);
  const units = layerUnits(layers, index).filter(({ layerIndex }) => !floatLayers.has(layerIndex));
  if (units.length === 0) throw noUnits(model);
  const followers = findFollowers(model, units, index);
  const wanted = new Set(
    units.flatMap(({ input, output, node }) => (node.opType === 'Conv' ? [input, output] : [input])),
  );
  for (const { inputs, output } of followers.toReversed()) {
    if (wanted.has(output)) for (const name of inputs) wanted.add(name);
  }
  return { values: namesInOrder(model).flatMap((name) => activation(name, wanted, followers)), units };
}

function activation(name: string, wanted: ReadonlySet<string>, followers: readonly Follower[]): QuantizedActivation[] {
  if (!wanted.has(name)) return [];
  return [{ name, rangeOf: followers.find(({ output }) => output === name)?.rangeOf ?? name }];
}

function namesInOrder({ graph }: Model): string[] {
  return [...graph.input.map(({ name }) => name ?? ''), ...graph.node.flatMap(({ output }) => output)];
}

/** An operator with an integer kernel that stands between layers. */
type Follower = { readonly inputs: readonly string[]; readonly output: string; readonly rangeOf: string };

/** Operators whose output has a range of its own. */
const COMPUTES: ReadonlySet<string> = new Set(['Add', 'AveragePool', 'GlobalAveragePool', 'Concat']);

/** Operators that move values, or choose among them, so that the output is on its input's grid. */
const MOVES: ReadonlySet<string> = new Set([
  'Flatten',
  'Identity',
  'MaxPool',
  'Pad',
  'Reshape',
  'Slice',
  'Squeeze',
  'Transpose',
  'Unsqueeze',
]);

function findFollowers(model: Model, units: readonly LayerUnit[], index: GraphIndex): Follower[] {
  const ranges = new Map(units.flatMap(({ input, output }) => [input, output].map((name) => [name, name])));
  const followers: Follower[] = [];
  for (const node of model.graph.node) {
    const follower = followerOf(node, ranges, index, model.path);
    if (follower === undefined) continue;
    followers.push(follower);
    ranges.set(follower.output, follower.rangeOf);
  }
  return followers;
}

/** @param ranges the value whose range each quantizable value has, by name */
function followerOf(
  node: NodeProto,
  ranges: ReadonlyMap<string, string>,
  index: GraphIndex,
  path: string,
): Follower | undefined {
  const [input = ''] = node.input;
  if ((node.domain ?? '') !== '') return undefined;
  if (COMPUTES.has(node.opType ?? '')) {
    const output = outputOf(node, index);
    return canCompute(node, ranges, index) ? { inputs: node.input, output, rangeOf: output } : undefined;
  }
  if (!MOVES.has(node.opType ?? '') || !canMove(node, index, path)) return undefined;
  const rangeOf = ranges.get(input);
  return rangeOf === undefined ? undefined : { inputs: [input], output: node.output[0] ?? '', rangeOf };
}

/** An addition may bring in a side that nothing else quantizes; the others take only what is quantized. */
function canCompute(node: NodeProto, ranges: ReadonlyMap<string, string>, index: GraphIndex): boolean {
  if (node.input.some((name) => index.initializers.has(name))) return false;
  return node.opType === 'Add'
    ? node.input.some((name) => ranges.has(name))
    : node.input.every((name) => ranges.has(name));
}

function canMove(node: NodeProto, index: GraphIndex, path: string): boolean {
  if (node.opType === 'MaxPool') return node.output.length === 1 && integerAttribute(node, 'storage_order', 0) === 0;
  return node.opType !== 'Pad' || padsWithZero(node, index, path);
}

/** Zero is on every grid. */
function padsWithZero(node: NodeProto, index: GraphIndex, path: string): boolean {
  const name = node.input[2] ?? '';
  if (name === '') return true;
  const padding = index.initializers.get(name);
  return padding !== undefined && isFloatTensor(padding) && readFloats(padding, path).every((value) => value === 0);
}

function noUnits(model: Model): UnsupportedModelError {
  return new UnsupportedModelError({
    what: 'no layer has an integer kernel: that takes a Conv, Gemm or MatMul in float32 that is not pinned to float',
    where: model.path,
    fix: 'remove "quantize.activations"',
  });
}
