/**
 * The two promises of onnx.proto (GraphProto.node) that every stage builds on: nodes are topologically sorted, and every
 * value is made once. A graph that keeps the first has no cycle.
 */
import { UserError } from '../errors.ts';
import type { GraphProto, NodeProto } from '../wire/model-proto.ts';
import { describeNode, indexGraph, readValues, subgraphsOf } from './graph-index.ts';

/** The values that exist where a node stands: those of its graph so far, and those of the graphs around it. */
type Scope = { readonly own: Set<string>; readonly outer: Scope | undefined };

/**
 * @throws UserError naming the first node, also of a subgraph, that reads a value before it is made, that reads what nothing
 * makes, or that makes a value a second time
 */
export function assertSorted(graph: GraphProto, path: string): void {
  const fault = findFault(graph, undefined);
  if (fault === undefined) return;
  throw new UserError({
    what: fault,
    where: path,
    fix: 'export the model again; onnx.checker.check_model of the Python package onnx finds such faults too',
  });
}

function findFault(graph: GraphProto, outer: Scope | undefined): string | undefined {
  const own = new Set([...graph.input, ...graph.initializer].map(({ name }) => name ?? ''));
  const scope = { own, outer };
  const hasUnlistedValues = hasSparseInitializers(graph);
  for (const node of graph.node) {
    const missing = node.input.find((name) => name !== '' && !exists(name, scope));
    if (missing !== undefined) {
      const fault = describeMissing(missing, node, graph);
      if (fault !== undefined || !hasUnlistedValues) return fault ?? nobodyMakes(missing, describeNode(node));
    }
    for (const subgraph of subgraphsOf(node)) {
      const fault = findFault(subgraph, scope);
      if (fault !== undefined) return fault;
    }
    for (const output of node.output) {
      if (own.has(output)) return `the value '${output}' is made twice, the second time by ${describeNode(node)}`;
      if (output !== '') own.add(output);
    }
  }
  const missing = graph.output.find(({ name }) => !exists(name ?? '', scope));
  return missing === undefined || hasUnlistedValues ? undefined : nobodyMakes(missing.name ?? '', 'the output list');
}

function exists(name: string, scope: Scope | undefined): boolean {
  return scope !== undefined && (scope.own.has(name) || exists(name, scope.outer));
}

/** GraphProto.sparse_initializer, whose names the schema in `wire/` does not read. */
const SPARSE_INITIALIZER_FIELD = 15;

function hasSparseInitializers(graph: GraphProto): boolean {
  return graph.$unknown?.some(({ no }) => no === SPARSE_INITIALIZER_FIELD) ?? false;
}

/** What is wrong with a value that does not exist yet where `reader` stands; undefined when no node of the graph makes it. */
function describeMissing(name: string, reader: NodeProto, graph: GraphProto): string | undefined {
  const { producers } = indexGraph(graph);
  const maker = producers.get(name);
  if (maker === undefined) return undefined;
  if (dependsOn(maker, reader, producers)) {
    return `the graph has a cycle: ${describeNode(reader)} reads '${name}', which depends on what that node makes`;
  }
  return `the nodes are not in topological order: ${describeNode(reader)} reads '${name}' before ${describeNode(maker)} makes it`;
}

function dependsOn(node: NodeProto, source: NodeProto, producers: ReadonlyMap<string, NodeProto>): boolean {
  const seen = new Set([node]);
  for (const current of seen) {
    if (current === source) return true;
    for (const name of readValues(current)) {
      const maker = producers.get(name);
      // A Set grows while it is walked: this visits everything upstream once.
      if (maker !== undefined) seen.add(maker);
    }
  }
  return false;
}

function nobodyMakes(name: string, reader: string): string {
  return `${reader} names the value '${name}', which nothing before it makes`;
}
