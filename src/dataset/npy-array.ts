/** NumPy's array file (numpy.lib.format, versions 1 to 3): a header that is a Python literal, then the elements. */
import { elementCount } from '../tensor.ts';
import { FormatError } from './format-error.ts';
import { rowMajor } from './row-major.ts';

/**
 * Element types with their code in the header: kind and bytes. float16 is held as bit patterns, bool as bytes 0 and
 * 1.
 */
const DATA_TYPES = {
  b1: { dataType: 'bool', Data: Uint8Array },
  u1: { dataType: 'uint8', Data: Uint8Array },
  i1: { dataType: 'int8', Data: Int8Array },
  u2: { dataType: 'uint16', Data: Uint16Array },
  i2: { dataType: 'int16', Data: Int16Array },
  u4: { dataType: 'uint32', Data: Uint32Array },
  i4: { dataType: 'int32', Data: Int32Array },
  u8: { dataType: 'uint64', Data: BigUint64Array },
  i8: { dataType: 'int64', Data: BigInt64Array },
  f2: { dataType: 'float16', Data: Uint16Array },
  f4: { dataType: 'float32', Data: Float32Array },
  f8: { dataType: 'float64', Data: Float64Array },
} as const;

type DataTypeEntry = (typeof DATA_TYPES)[keyof typeof DATA_TYPES];

export type NpyDataType = DataTypeEntry['dataType'];
export type NpyData = InstanceType<DataTypeEntry['Data']>;

export type NpyArray = {
  readonly dataType: NpyDataType;
  readonly dims: readonly number[];
  /** Row-major, little-endian; may be a view of the file's bytes. */
  readonly data: NpyData;
};

/** NumPy 2 allows no more (NPY_MAXDIMS). */
const MAX_AXIS_COUNT = 64;

/** "\x93NUMPY" */
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** @throws FormatError if the bytes are no such file, not of the declared length, or of a kind that is not read */
export function decodeNpy(bytes: Uint8Array): NpyArray {
  const { header, dataOffset } = readHeaderText(bytes);
  const { entry, isBigEndian } = parseDataType(header);
  const isColumnMajor = parseIsColumnMajor(header);
  const dims = parseShape(header);
  const expectedSizeBytes = elementCount(dims) * entry.Data.BYTES_PER_ELEMENT;
  const body = bytes.subarray(dataOffset);
  if (body.length !== expectedSizeBytes) {
    const problem = body.length < expectedSizeBytes ? 'is truncated' : 'is too long';
    throw new FormatError(
      `${problem}: ${entry.dataType} [${dims.join(', ')}] takes ${expectedSizeBytes} bytes, ${body.length} are there`,
    );
  }
  const elements = viewElements(body, entry.Data, isBigEndian);
  return { dataType: entry.dataType, dims, data: isColumnMajor ? rowMajor(elements, dims) : elements };
}

function readHeaderText(bytes: Uint8Array): { header: string; dataOffset: number } {
  if (MAGIC.some((byte, index) => bytes[index] !== byte))
    throw new FormatError('is no .npy file: its first bytes are others');
  const version = bytes[6] ?? 0;
  if (version < 1 || version > 3) throw new FormatError(`is a .npy file of version ${version}; 1 to 3 are read`);
  // Version 1 gives the header's length in two bytes, later ones in four.
  const headerOffset = version === 1 ? 10 : 12;
  if (bytes.length < headerOffset) throw new FormatError('is truncated inside its header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const dataOffset = headerOffset + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (dataOffset > bytes.length) throw new FormatError('is truncated inside its header');
  return { header: new TextDecoder().decode(bytes.subarray(headerOffset, dataOffset)), dataOffset };
}

function parseDataType(header: string): { entry: DataTypeEntry; isBigEndian: boolean } {
  const [, order, code] = /'descr'\s*:\s*'([<>|])([^']+)'/.exec(header) ?? [];
  if (code === undefined || !Object.hasOwn(DATA_TYPES, code)) {
    const found = /'descr'\s*:\s*('[^']*')/.exec(header)?.[1] ?? 'a structured one';
    const known = Object.values(DATA_TYPES).map(({ dataType }) => dataType);
    throw new FormatError(`has a data type that is not read: ${found}; expected one of ${known.join(', ')}`, {
      fix: "convert it, for instance array.astype('float32')",
    });
  }
  return { entry: DATA_TYPES[code as keyof typeof DATA_TYPES], isBigEndian: order === '>' };
}

function parseIsColumnMajor(header: string): boolean {
  const value = /'fortran_order'\s*:\s*(True|False)/.exec(header)?.[1];
  if (value === undefined) throw new FormatError('has a damaged header: no storage order');
  return value === 'True';
}

function parseShape(header: string): number[] {
  const list = /'shape'\s*:\s*\(([\d\s,]*)\)/.exec(header)?.[1];
  const dims = list
    ?.split(',')
    .filter((dim) => dim.trim() !== '')
    .map(Number);
  if (dims === undefined || dims.length > MAX_AXIS_COUNT || !Number.isSafeInteger(elementCount(dims) * 8)) {
    throw new FormatError('has a damaged header: no usable shape');
  }
  return dims;
}

function viewElements(body: Uint8Array, Data: DataTypeEntry['Data'], isBigEndian: boolean): NpyData {
  const itemSizeBytes = Data.BYTES_PER_ELEMENT;
  const isUsable = body.byteOffset % itemSizeBytes === 0 && !isBigEndian;
  const own = isUsable ? body : new Uint8Array(body);
  if (isBigEndian) swapBytes(own, itemSizeBytes);
  return new Data(own.buffer as ArrayBuffer, own.byteOffset, own.length / itemSizeBytes);
}

function swapBytes(bytes: Uint8Array, itemSizeBytes: number): void {
  for (let offset = 0; offset < bytes.length; offset += itemSizeBytes) {
    bytes.subarray(offset, offset + itemSizeBytes).reverse();
  }
}
