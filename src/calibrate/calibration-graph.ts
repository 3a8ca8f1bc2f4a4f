/** The graph that measures layers: the network as far as their inputs need it, and the moments of each unfolded input. */
import { allValueNames, freshName, readValues } from '../onnx/graph-index.ts';
import { type Model, withGraph } from '../onnx/model.ts';
import { operator } from '../onnx/node-builders.ts';
import { encodeModelProto, type GraphProto, type NodeProto, newOutput, type TensorProto } from '../wire/model-proto.ts';
import { canSlideRows, slideRows } from './slide-rows.ts';
import { add, type GraphParts, transpose, type UnfoldRequest, unfoldInput } from './unfold.ts';

/** The outputs for one node. The positions of its unfolded input x are in parts, not alike many for moments and shape. */
export type MomentOutputs = {
  /** Σ x xᵀ over the positions of a part, shape [partCount, groupCount, inputCount, inputCount]. */
  readonly products: string;
  /** The mean of x over the positions of a part, shape [partCount, groupCount · inputCount, …ones]. */
  readonly means: string;
  /** A shape, [partCount, …, positions of a part]. */
  readonly shape: string;
};

export type CalibrationGraph = {
  /** The encoded ONNX model. */
  readonly bytes: Uint8Array;
  /** One per request. */
  readonly outputs: readonly MomentOutputs[];
};

export function calibrationGraph(model: Model, requests: readonly UnfoldRequest[]): CalibrationGraph {
  const taken = allValueNames(model.graph);
  const parts: GraphParts = { nodes: [], initializers: [], fresh: (stem) => freshName(`calibrate_${stem}`, taken) };
  const outputs = requests.map((request) => measureMoments(request, parts));
  const names = outputs.flatMap(({ products, means, shape }) => [products, means, shape]);
  return { bytes: encodeModelProto(extendGraph(model, parts, names).proto), outputs };
}

function measureMoments(request: UnfoldRequest, parts: GraphParts): MomentOutputs {
  if (canSlideRows(request)) return slideRows(request, parts);
  const { matrices, channels } = unfoldInput(request, parts);
  const turned = transpose(parts, matrices, [0, 1, 3, 2]);
  return {
    products: add(parts, 'products', (to) => operator('MatMul', [matrices, turned], to)),
    // The mean over all axes but the first two, in every opset alike.
    means: add(parts, 'means', (to) => operator('GlobalAveragePool', [channels], to)),
    shape: add(parts, 'size', (to) => operator('Shape', [matrices], to)),
  };
}

/** The model with further nodes, cut down to what the named outputs need. */
export function extendGraph(
  model: Model,
  { nodes, initializers }: Pick<GraphParts, 'nodes' | 'initializers'>,
  outputs: readonly string[],
): Model {
  const needed = neededNodes([...model.graph.node, ...nodes], outputs);
  const read = new Set([...outputs, ...needed.flatMap((node) => [...readValues(node)])]);
  const kept = (tensor: TensorProto) => read.has(tensor.name ?? '');
  const graph: GraphProto = {
    ...model.graph,
    node: needed,
    initializer: [...model.graph.initializer, ...initializers].filter(kept),
    output: outputs.map(newOutput),
    valueInfo: [],
  };
  return withGraph(model, graph);
}

/** The nodes that some output depends on; `nodes` are in topological order. */
function neededNodes(nodes: readonly NodeProto[], outputs: readonly string[]): NodeProto[] {
  const read = new Set(outputs);
  const needed: NodeProto[] = [];
  for (const node of nodes.toReversed()) {
    if (!node.output.some((name) => read.has(name))) continue;
    needed.push(node);
    for (const name of readValues(node)) read.add(name);
  }
  return needed.reverse();
}
