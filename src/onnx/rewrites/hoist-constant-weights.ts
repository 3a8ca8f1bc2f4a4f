import { elementCount } from '../../tensor.ts';
import { type NodeProto, newTensor, type TensorProto } from '../../wire/model-proto.ts';
import { attributeOf, type GraphIndex, indexGraph, readValues } from '../graph-index.ts';
import { weightInputOf } from '../list-layers.ts';
import { type Model, withGraph } from '../model.ts';
import { dimsOf, floatTensor, isFloatTensor, readFloats } from '../tensor-values.ts';

/**
 * **From** a layer or BatchNormalization that reads its parameters from a Constant node, or from an initializer or Constant
 * behind Identity and Transpose nodes.
 * **To** the same node reading initializers; what was the same tensor before is the same initializer after, so that a shared
 * weight stays one. Nodes and initializers that nobody reads any more are gone.
 * **Holds because** these operators compute the same tensor at every run.
 */
export function hoistConstantWeights(model: Model): Model {
  const index = indexGraph(model.graph);
  const hoisted = new Map<string, TensorProto>();
  const newNames = new Map<string, string>();
  const namesByKey = new Map<string, string>();
  for (const name of model.graph.node.flatMap(parametersOf)) {
    if (index.initializers.has(name) || newNames.has(name)) continue;
    const constant = traceConstant(name, index);
    if (constant === undefined) continue;
    const key = keyOf(constant);
    const newName = namesByKey.get(key) ?? (isTransposed(constant) ? name : constant.source);
    namesByKey.set(key, newName);
    newNames.set(name, newName);
    if (!index.initializers.has(newName) && !hoisted.has(newName)) {
      hoisted.set(newName, materialise(constant, newName, model.path));
    }
  }
  return newNames.size === 0 ? model : readHoisted(model, hoisted, newNames);
}

/** The inputs that are parameters and not data: weight and bias, or scale, B, mean and variance. */
function parametersOf(node: NodeProto): string[] {
  const isBatchNormalization = node.opType === 'BatchNormalization' && (node.domain ?? '') === '';
  const hasParameters = isBatchNormalization || weightInputOf(node) !== undefined;
  return hasParameters ? node.input.slice(1).filter((name) => name !== '') : [];
}

/** A float tensor, the name it has in the graph, and how its axes are permuted on the way to the reader. */
type Constant = { readonly source: string; readonly tensor: TensorProto; readonly permutation: readonly number[] };

/** What `name` always holds, or undefined when it is computed from more than one float tensor and permutations of it. */
function traceConstant(name: string, index: GraphIndex): Constant | undefined {
  const transposes: NodeProto[] = [];
  // The graph has no cycle (assertSorted), so the way upstream ends.
  for (let current = name; ; ) {
    const node = index.producers.get(current);
    const tensor = index.initializers.get(current) ?? constantOf(node);
    if (tensor !== undefined) {
      const permutation = isFloatTensor(tensor) ? composePermutation(transposes, tensor.dims.length) : undefined;
      return permutation && { source: current, tensor, permutation };
    }
    if (node === undefined || !isOperator(node, ['Identity', 'Transpose'])) return undefined;
    if (node.opType === 'Transpose') transposes.unshift(node);
    current = node.input[0] ?? '';
  }
}

function constantOf(node: NodeProto | undefined): TensorProto | undefined {
  return node !== undefined && isOperator(node, ['Constant']) ? attributeOf(node, 'value')?.t : undefined;
}

function isOperator({ opType, domain }: NodeProto, opTypes: readonly string[]): boolean {
  return (domain ?? '') === '' && opTypes.includes(opType ?? '');
}

/**
 * The one permutation that stands for Transpose nodes applied in turn: axis k of the result is axis permutation[k] of the
 * source. Undefined when an attribute `perm` does not permute the axes.
 */
function composePermutation(transposes: readonly NodeProto[], rank: number): number[] | undefined {
  let composed = Array.from({ length: rank }, (_, axis) => axis);
  for (const node of transposes) {
    // The operator's default reverses the axes.
    const permutation = attributeOf(node, 'perm')?.ints.map(Number) ?? composed.map((_, axis) => rank - 1 - axis);
    if (permutation.length !== rank || new Set(permutation).size !== rank) return undefined;
    if (permutation.some((axis) => !(axis >= 0 && axis < rank))) return undefined;
    composed = permutation.map((axis) => composed[axis]!);
  }
  return composed;
}

function isTransposed({ permutation }: Constant): boolean {
  return permutation.some((axis, position) => axis !== position);
}

function keyOf({ source, permutation }: Constant): string {
  return `${permutation.join()} ${source}`;
}

function materialise(constant: Constant, name: string, path: string): TensorProto {
  const tensor = isTransposed(constant) ? transpose(constant.tensor, constant.permutation, path) : constant.tensor;
  return newTensor({ ...tensor, name });
}

/** Row-major transposition: axis k of the result is axis permutation[k] of the source. */
function transpose(tensor: TensorProto, permutation: readonly number[], path: string): TensorProto {
  const values = readFloats(tensor, path);
  const dims = dimsOf(tensor);
  const strides = dims.map((_, axis) => elementCount(dims.slice(axis + 1)));
  const newDims = permutation.map((axis) => dims[axis]!);
  const newStrides = permutation.map((axis) => strides[axis]!);
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

function readHoisted(
  model: Model,
  hoisted: ReadonlyMap<string, TensorProto>,
  newNames: ReadonlyMap<string, string>,
): Model {
  const node = model.graph.node
    .filter(({ output }) => !output.some((name) => hoisted.has(name)))
    .map((reader) => {
      const parameters = new Set(parametersOf(reader));
      if (![...parameters].some((name) => newNames.has(name))) return reader;
      return {
        ...reader,
        input: reader.input.map((name) => (parameters.has(name) ? (newNames.get(name) ?? name) : name)),
      };
    });
  const initializer = [...model.graph.initializer, ...hoisted.values()];
  return withGraph(model, dropUnread({ ...model.graph, node, initializer }));
}

/** Without the Identity, Transpose and Constant nodes and the initializers that nothing reads any more. */
function dropUnread(graph: Model['graph']): Model['graph'] {
  const read = new Set(graph.output.map(({ name }) => name ?? ''));
  // A reader stands behind what it reads, so one pass from the end sees every reader first.
  const kept = graph.node.toReversed().filter((node) => {
    const isUnread =
      isOperator(node, ['Identity', 'Transpose', 'Constant']) && !node.output.some((name) => read.has(name));
    if (!isUnread) for (const name of readValues(node)) read.add(name);
    return !isUnread;
  });
  return { ...graph, node: kept.reverse(), initializer: graph.initializer.filter(({ name }) => read.has(name ?? '')) };
}
