/** Raise the opset of a model without changing what it computes, operator by operator and version by version. */
import { UnsupportedModelError } from '../../errors.ts';
import type {
  AttributeProto,
  FunctionProto,
  GraphProto,
  ModelProto,
  NodeProto,
  TensorProto,
} from '../../wire/model-proto.ts';
import { allValueNames, describeNode, freshName, readValues, subgraphsOf } from '../graph-index.ts';
import type { Model } from '../model.ts';
import { operator } from '../node-builders.ts';
import { tensorAttribute } from './constants.ts';
import { NewConstants } from './new-constants.ts';
import { irVersionOf, NEWEST_UNDERSTOOD_OPSET, OPERATOR_VERSIONS } from './operator-versions.ts';
import type { RewriteScope } from './rewrite.ts';
import { rewritesOf } from './rewrites.ts';
import { type FactSources, type ValueFacts, valueFacts } from './value-facts.ts';

/**
 * The model at opset `targetVersion` of the default domain, its subgraphs and functions too; the model itself when it is not older.
 * Other domains stay as they are.
 *
 * @throws UnsupportedModelError naming the node, if an operator is not understood or has changed in a way that cannot be undone
 */
export function upgradeOpset(model: Model, targetVersion: number): Model {
  if (model.opsetVersion >= targetVersion) return model;
  if (targetVersion > NEWEST_UNDERSTOOD_OPSET) throw new RangeError(`no upgrade to opset ${targetVersion}`);
  const upgrade: Upgrade = {
    path: model.path,
    sourceVersion: model.opsetVersion,
    targetVersion,
    taken: allNames(model.proto, model.graph),
  };
  const graph = upgradeGraph(model.graph, upgrade, undefined);
  const functions = model.proto.functions.map((definition) => upgradeFunction(definition, upgrade));
  const opsetImport = raiseImport(model.proto.opsetImport, targetVersion);
  const irVersion = max(model.proto.irVersion ?? 0n, irVersionOf(targetVersion));
  return {
    ...model,
    graph,
    opsetVersion: targetVersion,
    proto: { ...model.proto, graph, functions, opsetImport, irVersion },
  };
}

type Upgrade = {
  readonly path: string;
  readonly sourceVersion: number;
  readonly targetVersion: number;
  /** Names of values anywhere in the model. */
  readonly taken: Set<string>;
};

function allNames(proto: ModelProto, graph: GraphProto): Set<string> {
  const inFunctions = proto.functions.flatMap(({ input, output, node }) => [
    ...input,
    ...output,
    ...node.flatMap((inner) => [...inner.input, ...inner.output]),
  ]);
  return new Set([...allValueNames(graph), ...inFunctions]);
}

function isDefaultDomain(domain: string | undefined): boolean {
  return domain === undefined || domain === '' || domain === 'ai.onnx';
}

function raiseImport(imports: ModelProto['opsetImport'], version: number): ModelProto['opsetImport'] {
  return imports.map((entry) => (isDefaultDomain(entry.domain) ? { ...entry, version: BigInt(version) } : entry));
}

function upgradeGraph(graph: GraphProto, upgrade: Upgrade, outer: ValueFacts | undefined): GraphProto {
  const declarations = [...graph.input, ...graph.output, ...graph.valueInfo];
  const sources = { nodes: graph.node, declarations, initializers: graph.initializer, outer };
  const constants = new NewConstants(upgrade.taken);
  const outputs = graph.output.map(({ name }) => name ?? '');
  const node = upgradeNodes(sources, outputs, constants, upgrade);
  return { ...graph, node, initializer: [...graph.initializer, ...constants.tensors] };
}

/** A function imports its own opset, so that it is raised from there; it has no initializers, but Constant nodes. */
function upgradeFunction(definition: FunctionProto, upgrade: Upgrade): FunctionProto {
  const entry = definition.opsetImport.find(({ domain }) => isDefaultDomain(domain));
  const sourceVersion = Number(entry?.version ?? 0);
  if (entry === undefined || sourceVersion >= upgrade.targetVersion) return definition;
  const constants = new NewConstants(upgrade.taken);
  const sources = { nodes: definition.node, declarations: [], initializers: [], outer: undefined };
  const node = upgradeNodes(sources, definition.output, constants, { ...upgrade, sourceVersion });
  const opsetImport = raiseImport(definition.opsetImport, upgrade.targetVersion);
  return { ...definition, node: [...constants.tensors.map(constantNode), ...node], opsetImport };
}

function constantNode({ name = '', ...tensor }: TensorProto): NodeProto {
  return operator('Constant', [], name, tensorAttribute('value', { ...tensor }));
}

function upgradeNodes(
  sources: FactSources,
  outputs: readonly string[],
  constants: NewConstants,
  upgrade: Upgrade,
): NodeProto[] {
  const facts = valueFacts(sources);
  const read = new Set([...outputs, ...sources.nodes.flatMap((node) => [...readValues(node)])]);
  const scope: RewriteScope = {
    ...facts,
    constant: (tensor) => constants.nameOf(tensor),
    constantTensor: (value) => constants.tensorOf(value) ?? facts.constantTensor(value),
    freshName: (stem) => freshName(stem, upgrade.taken),
    isRead: (value) => read.has(value),
    refuse: (node, reason) => {
      throw refusal(node, `cannot be upgraded to opset ${upgrade.targetVersion}: ${reason}`, upgrade);
    },
  };
  return sources.nodes.flatMap((node) => {
    const inside = withSubgraphs(node, (graph) => upgradeGraph(graph, upgrade, facts));
    return isDefaultDomain(node.domain) ? upgradeNode(inside, upgrade.sourceVersion, upgrade, scope) : [inside];
  });
}

/** The nodes that stand for a node written in opset `version`. */
function upgradeNode(node: NodeProto, version: number, upgrade: Upgrade, scope: RewriteScope): NodeProto[] {
  const opType = node.opType ?? '';
  if (!OPERATOR_VERSIONS.has(opType)) throw refusal(node, 'is not known to the opset upgrade', upgrade);
  const next = rewritesOf(opType).find(
    (rewrite) => rewrite.version > version && rewrite.version <= upgrade.targetVersion,
  );
  if (next === undefined) return [node];
  const reached = next.reaches ?? next.version;
  if (reached > upgrade.targetVersion) scope.refuse(node, `its rewrite reaches opset ${reached}`);
  if (node.attribute.some(({ refAttrName }) => (refAttrName ?? '') !== '')) {
    scope.refuse(node, 'its attributes are those of the function around it');
  }
  return next.rewrite(node, scope).flatMap((made) => upgradeNode(made, reached, upgrade, scope));
}

function withSubgraphs(node: NodeProto, change: (graph: GraphProto) => GraphProto): NodeProto {
  if (subgraphsOf(node).length === 0) return node;
  const attribute = node.attribute.map(
    (held): AttributeProto => ({
      ...held,
      ...(held.g === undefined ? {} : { g: change(held.g) }),
      graphs: held.graphs.map(change),
    }),
  );
  return { ...node, attribute };
}

function refusal(
  node: NodeProto,
  what: string,
  { path, sourceVersion, targetVersion }: Upgrade,
): UnsupportedModelError {
  return new UnsupportedModelError({
    what: `the ${describeNode(node)} (domain ai.onnx, opset ${sourceVersion}) ${what}`,
    where: path,
    fix: `export the model with opset ${targetVersion}, or use "quantize.format: packed", which needs no upgrade`,
  });
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
