import type { NodeProto, TensorProto } from '../../wire/model-proto.ts';
import { allValueNames, freshName, indexGraph } from '../graph-index.ts';
import { ownBias, takesBias } from '../layer-bias.ts';
import { channelAxisOf, channelCountOf, weightInputOf } from '../list-layers.ts';
import { type Model, withGraph } from '../model.ts';
import { dimsOf, floatTensor, isFloatTensor, readFloats } from '../tensor-values.ts';

/**
 * **From** a Conv, ConvTranspose or Gemm with a constant weight whose bias is missing, or is an initializer that others read.
 * **To** the same node with a bias of its own, zeros where there was none: room for the shift of an output correction.
 * **Holds because** adding zero, or the same numbers under another name, changes nothing.
 */
export function giveOwnBiases(model: Model): Model {
  const index = indexGraph(model.graph);
  const taken = allValueNames(model.graph);
  const added: TensorProto[] = [];
  const node = model.graph.node.map((old) => {
    const weight = index.initializers.get(weightInputOf(old) ?? '');
    if (weight === undefined || !isFloatTensor(weight) || !takesBias(old)) return old;
    const dims = dimsOf(weight);
    const channelCount = channelCountOf(old, dims, channelAxisOf(old, dims.length));
    if (ownBias(old, channelCount, index) !== undefined) return old;
    const values = biasValues(old, channelCount, index.initializers, model.path);
    if (values === undefined) return old;
    const bias = floatTensor(freshName(`${old.output[0]}.bias`, taken), [channelCount], values, weight.dataType);
    added.push(bias);
    return { ...old, input: [old.input[0]!, old.input[1]!, bias.name!] };
  });
  if (added.length === 0) return model;
  return withGraph(model, { ...model.graph, node, initializer: [...model.graph.initializer, ...added] });
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
