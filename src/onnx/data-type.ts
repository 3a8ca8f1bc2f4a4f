/** TensorProto.DataType of onnx.proto: the numbers, and what bitgate needs to know of each. */
import type { ElementType } from '../tensor.ts';

export const DATA_TYPE = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
} as const satisfies Record<ElementType, number>;

const NAMES: Readonly<Record<number, string>> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  4: 'uint16',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  8: 'string',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  12: 'uint32',
  13: 'uint64',
  14: 'complex64',
  15: 'complex128',
  16: 'bfloat16',
  17: 'float8e4m3fn',
  18: 'float8e4m3fnuz',
  19: 'float8e5m2',
  20: 'float8e5m2fnuz',
  21: 'uint4',
  22: 'int4',
  23: 'float4e2m1',
  24: 'float8e8m0',
  25: 'uint2',
  26: 'int2',
};

/** Bits of one element, by DataType number; strings have none. */
const BIT_WIDTHS: Readonly<Record<number, number>> = {
  1: 32,
  2: 8,
  3: 8,
  4: 16,
  5: 16,
  6: 32,
  7: 64,
  9: 8,
  10: 16,
  11: 64,
  12: 32,
  13: 64,
  14: 64,
  15: 128,
  16: 16,
  17: 8,
  18: 8,
  19: 8,
  20: 8,
  21: 4,
  22: 4,
  23: 4,
  24: 8,
  25: 2,
  26: 2,
};

/** A name for messages; an unknown number is named as such. */
export function dataTypeName(dataType: number | undefined): string {
  return NAMES[dataType ?? 0] ?? `data type ${dataType ?? 0}`;
}

/** The element type that bitgate can feed or read, or undefined. */
export function elementTypeOf(dataType: number | undefined): ElementType | undefined {
  const entry = Object.entries(DATA_TYPE).find(([, number]) => number === dataType);
  return entry?.[0] as ElementType | undefined;
}

/** Bytes of `count` elements in raw_data (sub-byte types are packed), or undefined for a type without a fixed width. */
export function rawDataSize(dataType: number | undefined, count: number): number | undefined {
  const bitWidth = BIT_WIDTHS[dataType ?? 0];
  return bitWidth === undefined ? undefined : Math.ceil((count * bitWidth) / 8);
}
