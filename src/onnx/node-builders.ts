/** Nodes, attributes and small tensors in one line each, for graphs that are made rather than read. */
import {
  type AttributeProto,
  type NodeProto,
  newAttribute,
  newNode,
  newTensor,
  type TensorProto,
} from '../wire/model-proto.ts';
import { DATA_TYPE } from './data-type.ts';
import { bytesOf, floatTensor } from './tensor-values.ts';

/** AttributeProto.AttributeType of onnx.proto. */
export const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, tensor: 4, ints: 7 } as const;

/** A node of the default domain with one output. */
export function operator(opType: string, input: string[], output: string, ...attribute: AttributeProto[]): NodeProto {
  return newNode({ opType, input, output: [output], attribute });
}

export function castTo(dataType: number, input: string, output: string): NodeProto {
  return operator('Cast', [input], output, integer('to', dataType));
}

export function integer(name: string, value: number): AttributeProto {
  return newAttribute({ name, i: BigInt(value), type: ATTRIBUTE_TYPE.int });
}

export function integers(name: string, values: readonly number[]): AttributeProto {
  return newAttribute({ name, ints: values.map(BigInt), type: ATTRIBUTE_TYPE.ints });
}

/** A vector of integers, shape [values.length]. */
export function int64Vector(values: readonly number[], name: string): TensorProto {
  const rawData = bytesOf(BigInt64Array.from(values, BigInt));
  return newTensor({ name, dataType: DATA_TYPE.int64, dims: [BigInt(values.length)], rawData });
}

export function scalar(value: number, name: string): TensorProto {
  return floatTensor(name, [], Float32Array.of(value));
}
