/**
 * One graph that runs a network and many perturbed variants of it at once (docs/formulation.md, "Branch graphs").
 *
 * The network stands in it once, with the perturbation `base` baked in. Every branch replaces further initializers and holds
 * copies of only those nodes that depend on them by data flow; everything before is shared. All weights stay constants, so
 * the runtime optimises each branch as it would the model itself.
 */

import { readValues } from '../onnx/graph-index.ts';
import type { Model } from '../onnx/model.ts';
import { renameNode } from '../onnx/rename-values.ts';
import {
  encodeModelProto,
  type GraphProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from '../wire/model-proto.ts';

/** Replacements of initializers, by name. */
export type Perturbation = ReadonlyMap<string, TensorProto>;

export type BranchGraph = {
  /** The encoded ONNX model. */
  readonly bytes: Uint8Array;
  /** Output names of the base network in the model's order; empty unless asked for. */
  readonly baseOutputs: readonly string[];
  /** Output names of each branch in the model's order; an output that a branch does not touch is the base's. */
  readonly branchOutputs: readonly (readonly string[])[];
  /** The original of every node in the graph, once per copy: what one run computes. */
  readonly computedNodes: readonly NodeProto[];
};

export type BranchGraphOptions = {
  /** Whether the base network's own outputs are wanted too. */
  readonly withBaseOutputs: boolean;
};

/** Separates a value's name from the number of its branch. */
const BRANCH_MARK = '@branch';

export function branchGraph(
  model: Model,
  base: Perturbation,
  branches: readonly Perturbation[],
  { withBaseOutputs }: BranchGraphOptions,
): BranchGraph {
  const outputNames = model.graph.output.map(({ name }) => name ?? '');
  const copies = branches.map((branch, number) => copyBranch(model.graph, branch, number));
  const branchOutputs = copies.map(({ renamed }) => outputNames.map((name) => renamed.get(name) ?? name));
  const wanted = new Map<string, ValueInfoProto>();
  for (const names of [...(withBaseOutputs ? [outputNames] : []), ...branchOutputs]) {
    for (const [index, name] of names.entries()) wanted.set(name, { ...model.graph.output[index]!, name });
  }
  const needed = neededNodes(model.graph, copies, wanted);
  const graph = assemble(model.graph, base, copies, needed, wanted);
  return {
    bytes: encodeModelProto({ ...model.proto, graph }),
    baseOutputs: withBaseOutputs ? outputNames : [],
    branchOutputs,
    computedNodes: [...needed, ...copies.flatMap(({ originals }) => originals)],
  };
}

type BranchCopy = {
  /** New names of the values that differ from the base, by old name. */
  readonly renamed: ReadonlyMap<string, string>;
  readonly initializers: readonly TensorProto[];
  readonly nodes: readonly NodeProto[];
  readonly originals: readonly NodeProto[];
};

function copyBranch(graph: GraphProto, branch: Perturbation, number: number): BranchCopy {
  const rename = (name: string) => `${name}${BRANCH_MARK}${number}`;
  const originals = dependentNodes(graph, [...branch.keys()]);
  const made = originals.flatMap(({ output }) => output.filter((name) => name !== ''));
  const renamed = new Map([...branch.keys(), ...made].map((name) => [name, rename(name)]));
  const nodes = originals.map((node) => renameNode(node, renamed));
  const initializers = [...branch].map(([name, tensor]) => ({ ...tensor, name: rename(name) }));
  return { renamed, initializers, nodes, originals };
}

/**
 * The nodes that depend on some of these values by data flow, in graph order. Nodes are listed in topological order
 * (onnx.proto, GraphProto.node), so one pass finds them all.
 */
export function dependentNodes(graph: GraphProto, names: readonly string[]): NodeProto[] {
  const touched = new Set(names);
  return graph.node.filter((node) => {
    if (![...readValues(node)].some((name) => touched.has(name))) return false;
    for (const output of node.output) if (output !== '') touched.add(output);
    return true;
  });
}

/** The base nodes that some wanted output needs, in graph order: what lies behind the last branch is not computed. */
function neededNodes(
  graph: GraphProto,
  copies: readonly BranchCopy[],
  wanted: ReadonlyMap<string, ValueInfoProto>,
): NodeProto[] {
  const read = new Set(wanted.keys());
  for (const { nodes } of copies) for (const node of nodes) for (const name of readValues(node)) read.add(name);
  const needed: NodeProto[] = [];
  for (const node of graph.node.toReversed()) {
    if (!node.output.some((name) => read.has(name))) continue;
    needed.push(node);
    for (const name of readValues(node)) read.add(name);
  }
  return needed.reverse();
}

function assemble(
  graph: GraphProto,
  base: Perturbation,
  copies: readonly BranchCopy[],
  needed: readonly NodeProto[],
  wanted: ReadonlyMap<string, ValueInfoProto>,
): GraphProto {
  const node = [...needed, ...copies.flatMap(({ nodes }) => nodes)];
  const read = new Set([...wanted.keys(), ...node.flatMap((reader) => [...readValues(reader)])]);
  const initializer = [
    ...graph.initializer.map((tensor) => base.get(tensor.name ?? '') ?? tensor),
    ...copies.flatMap(({ initializers }) => initializers),
  ].filter(({ name }) => read.has(name ?? ''));
  return { ...graph, node, initializer, output: [...wanted.values()], valueInfo: [] };
}
