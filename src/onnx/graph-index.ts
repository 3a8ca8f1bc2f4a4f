/** Who makes and who reads each value of a graph, and the attributes of a node by name. */
import type { AttributeProto, GraphProto, NodeProto, TensorProto } from '../wire/model-proto.ts';

export type GraphIndex = {
  readonly initializers: ReadonlyMap<string, TensorProto>;
  readonly producers: ReadonlyMap<string, NodeProto>;
  /** Nodes that read a value, directly or inside a subgraph they own; each node once per value. */
  readonly consumers: ReadonlyMap<string, readonly NodeProto[]>;
  readonly outputNames: ReadonlySet<string>;
};

export function indexGraph(graph: GraphProto): GraphIndex {
  const producers = new Map<string, NodeProto>();
  const consumers = new Map<string, NodeProto[]>();
  for (const node of graph.node) {
    for (const output of node.output) if (output !== '') producers.set(output, node);
    for (const name of readValues(node)) {
      const readers = consumers.get(name);
      if (readers === undefined) consumers.set(name, [node]);
      else readers.push(node);
    }
  }
  return {
    initializers: new Map(graph.initializer.map((tensor) => [tensor.name ?? '', tensor])),
    producers,
    consumers,
    outputNames: new Set(graph.output.map(({ name }) => name ?? '')),
  };
}

/** The values of the surrounding graph that a node reads: its inputs, and what its subgraphs capture. */
export function readValues(node: NodeProto): Set<string> {
  const names = new Set(node.input.filter((name) => name !== ''));
  for (const subgraph of subgraphsOf(node)) for (const name of capturedValues(subgraph)) names.add(name);
  return names;
}

export function subgraphsOf(node: NodeProto): GraphProto[] {
  return node.attribute.flatMap(({ g, graphs }) => (g === undefined ? graphs : [g, ...graphs]));
}

/** Every value name that occurs in the graph, so that new names can keep clear of them. */
export function allValueNames(graph: GraphProto): Set<string> {
  const names = new Set<string>();
  for (const { name } of [...graph.input, ...graph.initializer]) names.add(name ?? '');
  for (const node of graph.node) {
    for (const name of [...node.input, ...node.output]) names.add(name);
    for (const subgraph of subgraphsOf(node)) for (const name of allValueNames(subgraph)) names.add(name);
  }
  return names;
}

/** `wanted`, or with a number behind it when it is taken; the name is then taken. */
export function freshName(wanted: string, taken: Set<string>): string {
  let name = wanted;
  for (let number = 2; taken.has(name); number++) name = `${wanted}_${number}`;
  taken.add(name);
  return name;
}

/** The initializer of that name, if exactly one node reads it and it is no output. */
export function privateInitializer(name: string | undefined, index: GraphIndex): TensorProto | undefined {
  if (name === undefined || index.consumers.get(name)?.length !== 1 || index.outputNames.has(name)) return undefined;
  return index.initializers.get(name);
}

export function attributeOf(node: NodeProto, name: string): AttributeProto | undefined {
  return node.attribute.find((attribute) => attribute.name === name);
}

/** An integer attribute, or its default in the operator's specification. */
export function integerAttribute(node: NodeProto, name: string, defaultValue: number): number {
  const value = attributeOf(node, name)?.i;
  return value === undefined ? defaultValue : Number(value);
}

/** A node in words, for messages: "Conv node 'conv1'" or, without a name, by what it makes. */
export function describeNode(node: NodeProto): string {
  const label = node.name === undefined || node.name === '' ? `that makes '${node.output[0]}'` : `'${node.name}'`;
  return `${node.opType} node ${label}`;
}

function capturedValues(graph: GraphProto): Set<string> {
  const own = new Set<string>();
  for (const { name } of [...graph.input, ...graph.initializer]) own.add(name ?? '');
  const captured = new Set<string>();
  for (const node of graph.node) {
    for (const name of readValues(node)) if (!own.has(name)) captured.add(name);
    for (const name of node.output) own.add(name);
  }
  for (const { name } of graph.output) if (name !== undefined && !own.has(name)) captured.add(name);
  return captured;
}
