/** Where numbers that are not finite come from: the way back from an output to the node that made them of finite ones. */
import type { Batch } from '../dataset/sample-set.ts';
import { floatsOf } from '../distribution.ts';
import { describeNode, indexGraph, readValues } from '../onnx/graph-index.ts';
import type { Layer } from '../onnx/list-layers.ts';
import type { Model } from '../onnx/model.ts';
import { isFloatTensor, readFloats } from '../onnx/tensor-values.ts';
import type { OpenSession } from '../runtime/session.ts';
import type { Tensor } from '../tensor.ts';
import { encodeModelProto, type NodeProto, newOutput } from '../wire/model-proto.ts';

/** Whether a tensor of floats holds NaN or infinity. */
export function isNotFinite(tensor: Tensor): boolean {
  const isFloat =
    tensor.elementType === 'float32' || tensor.elementType === 'float16' || tensor.elementType === 'float64';
  return isFloat && !floatsOf(tensor).every(Number.isFinite);
}

/**
 * The rest of a sentence that says what makes `outputName` NaN or infinite for a batch: the first node whose inputs are
 * finite and whose output is not, or the weight that is not.
 */
export async function explainNonFinite(
  model: Model,
  layers: readonly Layer[],
  batch: Batch,
  outputName: string,
  openSession: OpenSession,
): Promise<string> {
  const index = indexGraph(model.graph);
  let [name, reader] = [outputName, 'the graph'];
  for (let node = index.producers.get(name); node !== undefined; node = index.producers.get(name)) {
    const broken = await findBrokenInput(model, node, batch, openSession);
    const layer = layers.find(({ nodes }) => nodes.includes(node!));
    reader = `${describeNode(node)}${layer === undefined ? '' : ` of layer '${layer.name}'`}`;
    if (broken === undefined) return `${reader} makes '${name}' so from finite inputs`;
    name = broken;
  }
  return `'${name}', which ${reader} reads, is so in the model itself`;
}

/** An input of the node, or a value that its subgraphs capture, that is not finite. */
async function findBrokenInput(
  model: Model,
  node: NodeProto,
  { feeds }: Batch,
  openSession: OpenSession,
): Promise<string | undefined> {
  const { initializers, producers } = indexGraph(model.graph);
  const names = [...readValues(node)];
  const constant = names.find((name) => {
    const tensor = initializers.get(name);
    return tensor !== undefined && isFloatTensor(tensor) && !readFloats(tensor, model.path).every(Number.isFinite);
  });
  const made = names.filter((name) => producers.has(name));
  if (constant !== undefined || made.length === 0) return constant;
  const graph = { ...model.graph, output: made.map(newOutput) };
  const session = await openSession(encodeModelProto({ ...model.proto, graph }));
  try {
    const results = await session.run(feeds, made);
    return made.find((name) => isNotFinite(results[name]!));
  } finally {
    await session.release();
  }
}
