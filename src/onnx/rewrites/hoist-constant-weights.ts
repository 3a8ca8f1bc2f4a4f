import { type NodeProto, newTensor, type TensorProto } from '../../wire/model-proto.ts';
import { attributeOf, type GraphIndex, indexGraph, readValues } from '../graph-index.ts';
import { weightInputOf } from '../list-layers.ts';
import { type Model, withGraph } from '../model.ts';
import { assertTensorIsComplete, dimsOf, floatTensor, isFloatTensor, readFloats } from '../tensor-values.ts';

/**
 * **From** a layer whose weight is a Constant node, or an initializer behind Identity and Transpose nodes.
 * **To** the same layer whose weight is an initializer of the value's own name; nodes that nobody reads any more are gone.
 * **Holds because** these operators compute the same tensor at every run.
 */
export function hoistConstantWeights(model: Model): Model {
  const index = indexGraph(model.graph);
  const hoisted = new Map<string, TensorProto>();
  for (const node of model.graph.node) {
    const name = weightInputOf(node);
    if (name === undefined || index.initializers.has(name) || hoisted.has(name)) continue;
    const value = constantValue(name, index, model.path);
    if (value !== undefined && isFloatTensor(value)) hoisted.set(name, { ...value, name });
  }
  return hoisted.size === 0 ? model : replaceProducers(model, hoisted);
}

/** The tensor that `name` always holds, or undefined when it is computed from more than constants. */
function constantValue(name: string, index: GraphIndex, path: string): TensorProto | undefined {
  const initializer = index.initializers.get(name);
  if (initializer !== undefined) return initializer;
  const node = index.producers.get(name);
  if (node === undefined) return undefined;
  if (node.opType === 'Constant') return constantOf(node, path);
  if (node.opType !== 'Identity' && node.opType !== 'Transpose') return undefined;
  const source = constantValue(node.input[0] ?? '', index, path);
  if (source === undefined || node.opType === 'Identity') return source;
  return isFloatTensor(source) ? transpose(source, permutationOf(node, source), path) : undefined;
}

function constantOf(node: NodeProto, path: string): TensorProto | undefined {
  const value = attributeOf(node, 'value')?.t;
  if (value !== undefined) assertTensorIsComplete({ ...value, name: node.output[0] ?? '' }, path);
  return value;
}

/** The attribute `perm`; the operator's default reverses the axes. */
function permutationOf(node: NodeProto, tensor: TensorProto): number[] {
  const permutation = attributeOf(node, 'perm')?.ints.map(Number) ?? [];
  return permutation.length > 0 ? permutation : tensor.dims.map((_, axis) => tensor.dims.length - 1 - axis);
}

/** Row-major transposition: axis k of the result is axis permutation[k] of the source. */
function transpose(tensor: TensorProto, permutation: readonly number[], path: string): TensorProto {
  const values = readFloats(tensor, path);
  const dims = dimsOf(tensor);
  const strides = dims.map((_, axis) => dims.slice(axis + 1).reduce((product, dim) => product * dim, 1));
  const newDims = permutation.map((axis) => dims[axis] ?? 0);
  const newStrides = permutation.map((axis) => strides[axis] ?? 0);
  const result = new Float32Array(values.length);
  const position = new Array<number>(dims.length).fill(0);
  let source = 0;
  for (let target = 0; target < result.length; target++) {
    result[target] = values[source]!;
    for (let axis = position.length - 1; axis >= 0; axis--) {
      position[axis]!++;
      source += newStrides[axis]!;
      if (position[axis]! < newDims[axis]!) break;
      source -= newDims[axis]! * newStrides[axis]!;
      position[axis] = 0;
    }
  }
  return floatTensor(tensor.name ?? '', newDims, result, tensor.dataType);
}

function replaceProducers(model: Model, hoisted: ReadonlyMap<string, TensorProto>): Model {
  const kept = model.graph.node.filter(({ output }) => !hoisted.has(output[0] ?? ''));
  const initializer = [...model.graph.initializer, ...[...hoisted.values()].map((tensor) => newTensor(tensor))];
  return withGraph(model, dropUnread({ ...model.graph, node: kept, initializer }));
}

/** Without the Identity, Transpose and Constant nodes and the initializers that nothing reads any more. */
function dropUnread(graph: Model['graph']): Model['graph'] {
  const outputs = new Set(graph.output.map(({ name }) => name ?? ''));
  const isRead = (names: readonly string[], readers: ReadonlySet<string>) =>
    names.some((name) => readers.has(name) || outputs.has(name));
  let node = graph.node;
  for (;;) {
    const read = new Set(node.flatMap((reader) => [...readValues(reader)]));
    const kept = node.filter(({ opType, output }) => !isPassThrough(opType) || isRead(output, read));
    if (kept.length === node.length) {
      return { ...graph, node, initializer: graph.initializer.filter(({ name }) => isRead([name ?? ''], read)) };
    }
    node = kept;
  }
}

function isPassThrough(opType: string | undefined): boolean {
  return opType === 'Identity' || opType === 'Transpose' || opType === 'Constant';
}
