/** What the layers' nodes cost, found by running the network once: work for the forecast, memory for the size of a unit. */
import type { Batch } from '../dataset/sample-set.ts';
import type { Layer } from '../onnx/list-layers.ts';
import type { Model } from '../onnx/model.ts';
import type { OpenSession } from '../runtime/session.ts';
import { elementCount } from '../tensor.ts';
import { encodeModelProto, type NodeProto, newOutput } from '../wire/model-proto.ts';

export type NodeCost = {
  /** Multiply-accumulate operations for one batch. */
  readonly operations: number;
  /** Bytes of the node's output for one batch. */
  readonly outputBytes: number;
  /** Bytes of its weight. */
  readonly weightBytes: number;
};

/** By node; nodes that are no layer cost next to nothing and are absent. */
export type LayerCosts = ReadonlyMap<NodeProto, NodeCost>;

const BYTES_PER_FLOAT = 4;

export async function measureLayerCosts(
  model: Model,
  layers: readonly Layer[],
  batch: Batch,
  openSession: OpenSession,
): Promise<LayerCosts> {
  const names = [...new Set(layers.flatMap((layer) => layer.nodes.flatMap((node) => valuesOf(layer, node))))];
  const computed = names.filter((name) => batch.feeds[name] === undefined);
  const declared = new Set(model.graph.output.map(({ name }) => name));
  const output = [...model.graph.output, ...computed.filter((name) => !declared.has(name)).map(newOutput)];
  const session = await openSession(encodeModelProto({ ...model.proto, graph: { ...model.graph, output } }));
  try {
    const results = { ...batch.feeds, ...(await session.run(batch.feeds, computed)) };
    const countOf = (name: string) => elementCount(results[name]!.dims);
    return new Map(layers.flatMap((layer) => layer.nodes.map((node) => [node, costOf(layer, node, countOf)])));
  } finally {
    await session.release();
  }
}

/** What a layer's work is counted by: its output, or the input that a ConvTranspose spreads. */
function valuesOf({ opType }: Layer, node: NodeProto): string[] {
  return [node.output[0]!, ...(opType === 'ConvTranspose' ? [node.input[0]!] : [])];
}

/** Every output element of a layer sums over the weights of its channel; every input element of a ConvTranspose goes into as many. */
function costOf(layer: Layer, node: NodeProto, countOf: (value: string) => number): NodeCost {
  const { opType, dims, weightCount, channelAxis } = layer;
  const outputCount = countOf(node.output[0]!);
  const operations =
    opType === 'ConvTranspose'
      ? countOf(node.input[0]!) * (weightCount / dims[0]!)
      : outputCount * (weightCount / dims[channelAxis]!);
  return { operations, outputBytes: outputCount * BYTES_PER_FLOAT, weightBytes: weightCount * BYTES_PER_FLOAT };
}

export function totalOperations(costs: LayerCosts): number {
  return [...costs.values()].reduce((sum, { operations }) => sum + operations, 0);
}
