/** Copies of nodes under new value names, subgraphs included. */
import type { GraphProto, NodeProto } from '../wire/model-proto.ts';
import { subgraphsOf } from './graph-index.ts';

/** A copy of a node that reads and makes other values; names that are not in the map stay. */
export function renameNode(node: NodeProto, renamed: ReadonlyMap<string, string>): NodeProto {
  const rename = (name: string) => renamed.get(name) ?? name;
  // A node's name has no meaning, but some tools want it unique: copies go without.
  const { name: _name, ...unnamed } = node;
  const copy = { ...unnamed, input: node.input.map(rename), output: node.output.map(rename) };
  if (subgraphsOf(node).length === 0) return copy;
  const attribute = node.attribute.map(({ g, graphs, ...rest }) => ({
    ...rest,
    ...(g === undefined ? {} : { g: renameGraph(g, renamed) }),
    graphs: graphs.map((subgraph) => renameGraph(subgraph, renamed)),
  }));
  return { ...copy, attribute };
}

/** Inside a subgraph only captured names change. */
function renameGraph(graph: GraphProto, renamedOutside: ReadonlyMap<string, string>): GraphProto {
  const own = new Set([...graph.input, ...graph.initializer].map(({ name }) => name ?? ''));
  for (const node of graph.node) for (const name of node.output) own.add(name);
  // ONNX forbids a subgraph to reuse a name of the graph around it, but the runtime lets it shadow one.
  const renamed = new Map([...renamedOutside].filter(([name]) => !own.has(name)));
  const output = graph.output.map((info) => ({ ...info, name: renamed.get(info.name ?? '') ?? info.name }));
  return { ...graph, node: graph.node.map((node) => renameNode(node, renamed)), output } as GraphProto;
}
