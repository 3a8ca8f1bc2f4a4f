/** Numbers in and out of a TensorProto (onnx.proto: raw_data is little-endian; otherwise the typed data fields). */
import { UserError } from '../errors.ts';
import { decodeFloat16, encodeFloat16 } from '../float16.ts';
import { elementCount } from '../tensor.ts';
import { newTensor, type TensorProto } from '../wire/model-proto.ts';
import { DATA_TYPE, dataTypeName, rawDataSize } from './data-type.ts';

/** The dims as numbers, shape [rank]. */
export function dimsOf(tensor: TensorProto): number[] {
  return tensor.dims.map(Number);
}

/** Whether the tensor holds numbers that layers are made of: float32 or float16. */
export function isFloatTensor(tensor: TensorProto): boolean {
  return tensor.dataType === DATA_TYPE.float32 || tensor.dataType === DATA_TYPE.float16;
}

/**
 * The numbers of a float32 or float16 tensor, row-major.
 * @throws UserError for any other data type
 */
export function readFloats(tensor: TensorProto, path: string): Float32Array {
  const raw = tensor.rawData;
  if (tensor.dataType === DATA_TYPE.float32) {
    return raw === undefined ? Float32Array.from(tensor.floatData) : floatsFromBytes(raw);
  }
  if (tensor.dataType === DATA_TYPE.float16) {
    const bits = raw === undefined ? Uint16Array.from(tensor.int32Data) : wordsFromBytes(raw);
    return Float32Array.from(bits, decodeFloat16);
  }
  throw new UserError({
    what: `initializer '${tensor.name}' is ${dataTypeName(tensor.dataType)}, not float`,
    where: path,
  });
}

/** A tensor of `values` in `dataType` (float32 or float16), stored as raw_data. */
export function floatTensor(
  name: string,
  dims: readonly number[],
  values: Float32Array,
  dataType: number = DATA_TYPE.float32,
): TensorProto {
  const rawData = dataType === DATA_TYPE.float16 ? bytesOf(Uint16Array.from(values, encodeFloat16)) : bytesOf(values);
  return newTensor({ name, dataType, dims: dims.map(BigInt), rawData });
}

/** The bytes of a typed array, little-endian, without a copy. */
export function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/**
 * Check that a tensor holds exactly the elements its dims declare, before anything is allocated by them.
 * @param label what to call the tensor in the message
 * @throws UserError naming the tensor
 */
export function assertTensorIsComplete(tensor: TensorProto, label: string, path: string): void {
  const dims = dimsOf(tensor);
  const count = elementCount(dims);
  const stored = storedElements(tensor, count);
  if (dims.every((dim) => dim >= 0) && (stored === undefined || stored === count)) return;
  throw new UserError({
    what: `${label} declares ${count} ${dataTypeName(tensor.dataType)} elements (${dims.join('×')}) and holds ${stored}`,
    where: path,
    fix: 'export the model again; the file is damaged or was cut short',
  });
}

/** How many elements are there, by whichever field holds them; undefined when the type has no fixed width. */
function storedElements(tensor: TensorProto, declared: number): number | undefined {
  if (tensor.rawData !== undefined) {
    const size = rawDataSize(tensor.dataType, declared);
    const width = rawDataSize(tensor.dataType, 1) ?? 1;
    return size === undefined || tensor.rawData.length === size ? declared : tensor.rawData.length / width;
  }
  const lists = [
    tensor.floatData,
    tensor.int32Data,
    tensor.int64Data,
    tensor.doubleData,
    tensor.uint64Data,
    tensor.stringData,
  ];
  const longest = Math.max(...lists.map((list) => list.length));
  const isPlain = tensor.dataType !== undefined && tensor.dataType >= 1 && tensor.dataType <= 13;
  return isPlain ? longest : undefined;
}

/** Copies, because raw_data is a view that need not start at a multiple of four. */
function floatsFromBytes(raw: Uint8Array): Float32Array {
  return new Float32Array(new Uint8Array(raw).buffer);
}

function wordsFromBytes(raw: Uint8Array): Uint16Array {
  return new Uint16Array(new Uint8Array(raw).buffer);
}
