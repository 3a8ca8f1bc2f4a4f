/** Tensors and attributes that rewrites put in place of attributes. */
import { encodeFloat16 } from '../../float16.ts';
import { type AttributeProto, newAttribute, newTensor, type TensorProto } from '../../wire/model-proto.ts';
import { DATA_TYPE } from '../data-type.ts';
import { ATTRIBUTE_TYPE } from '../node-builders.ts';
import { bytesOf } from '../tensor-values.ts';

/** A list of int64, shape [values.length]. */
export function int64List(values: readonly (number | bigint)[]): TensorProto {
  const rawData = bytesOf(BigInt64Array.from(values, BigInt));
  return newTensor({ dataType: DATA_TYPE.int64, dims: [BigInt(values.length)], rawData });
}

/** A list of float32, shape [values.length]. */
export function floatList(values: readonly number[]): TensorProto {
  const rawData = bytesOf(Float32Array.from(values));
  return newTensor({ dataType: DATA_TYPE.float32, dims: [BigInt(values.length)], rawData });
}

/** A scalar in one of the three float types, or undefined for another type. */
export function floatScalar(value: number, dataType: number): TensorProto | undefined {
  const data = scalarData(value, dataType);
  return data === undefined ? undefined : newTensor({ dataType, dims: [], rawData: bytesOf(data) });
}

function scalarData(value: number, dataType: number): ArrayBufferView | undefined {
  if (dataType === DATA_TYPE.float32) return Float32Array.of(value);
  if (dataType === DATA_TYPE.float16) return Uint16Array.of(encodeFloat16(value));
  return dataType === DATA_TYPE.float64 ? Float64Array.of(value) : undefined;
}

export function stringAttribute(name: string, value: string): AttributeProto {
  return newAttribute({ name, s: new TextEncoder().encode(value), type: ATTRIBUTE_TYPE.string });
}

export function tensorAttribute(name: string, value: TensorProto): AttributeProto {
  return newAttribute({ name, t: value, type: ATTRIBUTE_TYPE.tensor });
}

/** A string attribute, or its default in the operator's specification. */
export function stringOf(attribute: AttributeProto | undefined, defaultValue: string): string {
  return attribute?.s === undefined ? defaultValue : new TextDecoder().decode(attribute.s);
}
