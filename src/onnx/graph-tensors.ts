import type { GraphProto, TensorProto } from '../wire/model-proto.ts';
import { describeNode, subgraphsOf } from './graph-index.ts';

/** A tensor stored in a graph, and what to call it in a message. */
export type StoredTensor = { readonly tensor: TensorProto; readonly label: string };

/** Every tensor that a graph stores: its initializers, its nodes' attributes, and the same of its subgraphs. */
export function storedTensors(graph: GraphProto): StoredTensor[] {
  const initializers = graph.initializer.map((tensor) => ({ tensor, label: `initializer '${tensor.name}'` }));
  const inNodes = graph.node.flatMap((node) => {
    const tensors = node.attribute.flatMap(({ t, tensors }) => (t === undefined ? tensors : [t, ...tensors]));
    const own = tensors.map((tensor) => ({ tensor, label: `the tensor of ${describeNode(node)}` }));
    return [...own, ...subgraphsOf(node).flatMap(storedTensors)];
  });
  return [...initializers, ...inNodes];
}
