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
  const names = layers.flatMap(({ nodes }) => nodes.map(({ output }) => output[0]!));
  const declared = new Set(model.graph.output.map(({ name }) => name));
  const output = [...model.graph.output, ...names.filter((name) => !declared.has(name)).map(newOutput)];
  const session = await openSession(encodeModelProto({ ...model.proto, graph: { ...model.graph, output } }));
  try {
    const results = await session.run(batch.feeds, names);
    return new Map(
      layers.flatMap((layer) => layer.nodes.map((node) => [node, costOf(layer, results[node.output[0]!]!.dims)])),
    );
  } finally {
    await session.release();
  }
}

/** Every output element of a layer sums over one weight of its channel; of a ConvTranspose, at most. */
function costOf({ dims, weightCount, channelAxis }: Layer, outputDims: readonly number[]): NodeCost {
  const outputCount = elementCount(outputDims);
  return {
    operations: outputCount * (weightCount / dims[channelAxis]!),
    outputBytes: outputCount * BYTES_PER_FLOAT,
    weightBytes: weightCount * BYTES_PER_FLOAT,
  };
}

export function totalOperations(costs: LayerCosts): number {
  return [...costs.values()].reduce((sum, { operations }) => sum + operations, 0);
}
