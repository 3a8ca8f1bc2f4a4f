import type { NodeProto, TensorProto } from '../../wire/model-proto.ts';
import { allValueNames, freshName, indexGraph } from '../graph-index.ts';
import { type IsKept, keepsNone } from '../kept-weights.ts';
import { ownBias, takesBias } from '../layer-bias.ts';
import { channelAxisOf, channelCountOf, weightInputOf } from '../list-layers.ts';
import { type Model, withGraph } from '../model.ts';
import { dimsOf, floatTensor, isFloatTensor, readFloats } from '../tensor-values.ts';

/**
 * **From** a Conv, ConvTranspose or Gemm with a constant weight whose bias is missing, or is an initializer that others read.
 * **To** the same node with a bias of its own, zeros where there was none: room for the shift of an output correction. Biases that
 * are a layer's own already are stored as corrected ones will be, so that a correction does not change the file's size.
 * **Holds because** adding zero, or the same numbers under another name, changes nothing.
 */
export function giveOwnBiases(model: Model, isKept: IsKept = keepsNone): Model {
  const index = indexGraph(model.graph);
  const taken = allValueNames(model.graph);
  const biases = new Map<string, TensorProto>();
  const node = model.graph.node.map((old) => {
    const weight = index.initializers.get(weightInputOf(old) ?? '');
    if (weight === undefined || !isFloatTensor(weight)) return old;
    const dims = dimsOf(weight);
    const channelAxis = channelAxisOf(old, dims.length);
    if (isKept({ weight, channelAxis })) return old;
    const channelCount = channelCountOf(old, dims, channelAxis);
    const own = ownBias(old, channelCount, index);
    if (own !== undefined) {
      const name = own.name ?? '';
      biases.set(name, floatTensor(name, dimsOf(own), readFloats(own, model.path), own.dataType));
      return old;
    }
    const values = takesBias(old) ? biasValues(old, channelCount, index.initializers, model.path) : undefined;
    if (values === undefined) return old;
    const name = freshName(`${old.output[0]}.bias`, taken);
    biases.set(name, floatTensor(name, [channelCount], values, weight.dataType));
    return { ...old, input: [old.input[0]!, old.input[1]!, name] };
  });
  return withGraph(model, { ...model.graph, node, initializer: withBiases(model.graph.initializer, biases) });
}

/** The initializers with these in place of those of the same name, or behind them. */
function withBiases(initializers: readonly TensorProto[], biases: ReadonlyMap<string, TensorProto>): TensorProto[] {
  const known = new Set(initializers.map(({ name }) => name ?? ''));
  const added = [...biases.values()].filter(({ name }) => !known.has(name ?? ''));
  return [...initializers.map((tensor) => biases.get(tensor.name ?? '') ?? tensor), ...added];
}

/** Undefined for a bias that is computed. */
function biasValues(
  node: NodeProto,
  channelCount: number,
  initializers: ReadonlyMap<string, TensorProto>,
  path: string,
): Float32Array | undefined {
  const name = node.input[2] ?? '';
  if (name === '') return new Float32Array(channelCount);
  const shared = initializers.get(name);
  if (shared === undefined || !isFloatTensor(shared)) return undefined;
  const values = readFloats(shared, path);
  if (values.length === 1) return new Float32Array(channelCount).fill(values[0]!);
  return values.length === channelCount ? values : undefined;
}
