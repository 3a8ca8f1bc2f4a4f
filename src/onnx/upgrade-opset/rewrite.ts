/** What a rewrite of one operator is, and what it may ask about the values around its node. */
import type { AttributeProto, NodeProto, TensorProto } from '../../wire/model-proto.ts';

/** A change of an operator's meaning, and the nodes that compute the same afterwards. */
export type OperatorRewrite = {
  readonly opTypes: readonly string[];
  /** The opset that changed the operator. */
  readonly version: number;
  /** The opset that the new nodes are written in, when that is not `version`. */
  readonly reaches?: number;
  readonly rewrite: RewriteNode;
};

/** Nodes in topological order that make the outputs of `node`; throws through `scope.refuse` where there are none. */
export type RewriteNode = (node: NodeProto, scope: RewriteScope) => readonly NodeProto[];

/** The surroundings of a node. */
export type RewriteScope = {
  /** The name of a constant with this content; equal content is stored once. */
  constant(tensor: TensorProto): string;
  /** A value name that the model does not use. */
  freshName(stem: string): string;
  /** TensorProto.DataType of a value, or undefined when the graph does not tell. */
  elementType(value: string): number | undefined;
  /** Number of axes of a value, or undefined when the graph does not tell. */
  rank(value: string): number | undefined;
  /** The tensor that a value always holds, or undefined. */
  constantTensor(value: string): TensorProto | undefined;
  /** Whether a node or the model's caller reads the value. */
  isRead(value: string): boolean;
  /** Throws UnsupportedModelError naming the node; the reason completes "cannot be upgraded because …". */
  refuse(node: NodeProto, reason: string): never;
};

/** The attributes of a node without those named. */
export function withoutAttributes(node: NodeProto, ...names: readonly string[]): AttributeProto[] {
  return node.attribute.filter(({ name }) => !names.includes(name ?? ''));
}

/** Inputs with the empty names at the end left out (onnx.proto: an empty name is an absent optional input). */
export function trimInputs(inputs: readonly string[]): string[] {
  const last = inputs.findLastIndex((name) => name !== '');
  return inputs.slice(0, last + 1);
}
