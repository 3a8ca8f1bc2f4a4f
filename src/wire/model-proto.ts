/**
 * Protobuf wire format of an ONNX model (onnx.proto), through @bufbuild/protobuf: bytes are views, unknown fields are kept.
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  AttributeProtoSchema,
  type FunctionProto,
  FunctionProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  type StringStringEntryProto,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './onnx_pb.js';

export type { AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto };

/** Throws what the wire reader throws (a plain Error) when the bytes are not a protobuf message. */
export function decodeModelProto(bytes: Uint8Array): ModelProto {
  return fromBinary(ModelProtoSchema, bytes);
}

export function encodeModelProto(model: ModelProto): Uint8Array {
  return toBinary(ModelProtoSchema, model);
}

/** What the construction of a message takes: its fields, any of them left out. */
type Fields<T> = Partial<Omit<T, '$typeName' | '$unknown'>>;

export const newTensor = (fields: Fields<TensorProto>): TensorProto => create(TensorProtoSchema, fields);
export const newNode = (fields: Fields<NodeProto>): NodeProto => create(NodeProtoSchema, fields);
export const newAttribute = (fields: Fields<AttributeProto>): AttributeProto => create(AttributeProtoSchema, fields);
export const newFunction = (fields: Fields<FunctionProto>): FunctionProto => create(FunctionProtoSchema, fields);

export const newGraph = (fields: Fields<GraphProto>): GraphProto => create(GraphProtoSchema, fields);
export const newModel = (fields: Fields<ModelProto>): ModelProto => create(ModelProtoSchema, fields);

/** An input that is a tensor of any shape. */
export function newInput(name: string, elemType: number): ValueInfoProto {
  return create(ValueInfoProtoSchema, { name, type: { tensorType: { elemType } } });
}

/** An output whose type the runtime infers. */
export function newOutput(name: string): ValueInfoProto {
  return create(ValueInfoProtoSchema, { name });
}

export function newMetadata(key: string, value: string): StringStringEntryProto {
  return create(StringStringEntryProtoSchema, { key, value });
}

export function newOpset(domain: string, version: bigint) {
  return create(OperatorSetIdProtoSchema, domain === '' ? { version } : { domain, version });
}

/** Serialized bytes of an element of GraphProto.node. Field numbers below 16 have a one-byte tag. */
export function nodeFieldSize(node: NodeProto): number {
  return fieldSize(toBinary(NodeProtoSchema, node).length);
}

/** Serialized bytes of an element of GraphProto.initializer. */
export function initializerFieldSize(tensor: TensorProto): number {
  return fieldSize(toBinary(TensorProtoSchema, tensor).length);
}

/** Serialized bytes of an element of ModelProto.functions, whose field number 25 has a two-byte tag. */
export function functionFieldSize(definition: FunctionProto): number {
  return fieldSize(toBinary(FunctionProtoSchema, definition).length) + 1;
}

/** Bytes of the model around and inside its graph, apart, so that a change of the graph's size can be added up exactly. */
export function measureModel(model: ModelProto): { aroundGraph: number; insideGraph: number } {
  const insideGraph = model.graph === undefined ? 0 : toBinary(GraphProtoSchema, model.graph).length;
  return { aroundGraph: encodeModelProto(model).length - fieldSize(insideGraph), insideGraph };
}

/** Serialized bytes of a model with these parts (the inverse of measureModel). */
export function modelSize({ aroundGraph, insideGraph }: { aroundGraph: number; insideGraph: number }): number {
  return aroundGraph + fieldSize(insideGraph);
}

/** One-byte tag, length as a varint, content. */
function fieldSize(contentLength: number): number {
  return 1 + varintSize(contentLength) + contentLength;
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++;
  return size;
}
