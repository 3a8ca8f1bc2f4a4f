import { allValueNames, freshName } from '../onnx/graph-index.ts';
import type { Layer } from '../onnx/list-layers.ts';
import type { Model } from '../onnx/model.ts';
import { operator } from '../onnx/node-builders.ts';
import type { OpenSession } from '../runtime/session.ts';
import type { NamedTensors } from '../tensor.ts';
import { encodeModelProto, type NodeProto } from '../wire/model-proto.ts';
import { extendGraph } from './calibration-graph.ts';

/** The shapes of a layer's data input and output for some samples. */
export type NodeShapes = { readonly input: readonly number[]; readonly output: readonly number[] };

/** Run some samples for the shapes alone: a model need not declare them, and they may depend on the input's. */
export async function measureShapes(
  model: Model,
  layers: readonly Layer[],
  feeds: NamedTensors,
  openSession: OpenSession,
): Promise<ReadonlyMap<NodeProto, NodeShapes>> {
  const nodes = layers.flatMap((layer) => layer.nodes);
  const values = [...new Set(nodes.flatMap(({ input, output }) => [input[0]!, output[0]!]))];
  const taken = allValueNames(model.graph);
  const shapeNames = new Map(values.map((value) => [value, freshName('calibrate_shape', taken)]));
  const probes = [...shapeNames].map(([value, name]) => operator('Shape', [value], name));
  const probed = extendGraph(model, { nodes: probes, initializers: [] }, [...shapeNames.values()]);
  const session = await openSession(encodeModelProto(probed.proto));
  try {
    const results = await session.run(feeds);
    const shapeOf = (value: string) => Array.from(results[shapeNames.get(value)!]!.data, Number);
    return new Map(nodes.map((node) => [node, { input: shapeOf(node.input[0]!), output: shapeOf(node.output[0]!) }]));
  } finally {
    await session.release();
  }
}
