/** Writes NumPy's array files, right ones and wrong ones. */

export type NpyParts = {
  /** The Python literal of the element type: "'<f4'". */
  readonly descr: string;
  readonly shape: string;
  readonly data: Uint8Array;
  readonly fortranOrder?: string;
  readonly version?: number;
  /** Padded to this with spaces; 64 and more align the elements, as NumPy writes them. */
  readonly alignBytes?: number;
};

export function npyFile({ descr, shape, data, fortranOrder = 'False', version = 1, alignBytes = 64 }: NpyParts) {
  const literal = `{'descr': ${descr}, 'fortran_order': ${fortranOrder}, 'shape': ${shape}, }`;
  const lengthBytes = version === 1 ? 2 : 4;
  const unpadded = 8 + lengthBytes + literal.length + 1;
  const header = `${literal}${' '.repeat((alignBytes - (unpadded % alignBytes)) % alignBytes)}\n`;
  const length = Buffer.alloc(lengthBytes);
  length.writeUIntLE(header.length, 0, lengthBytes);
  return joined(Buffer.from([0x93, ...Buffer.from('NUMPY'), version, 0]), length, Buffer.from(header), data);
}

type ArrayData =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

/** An array as NumPy saves it on this machine; `descr` like "<f4" or "|u1". */
export function npy(descr: string, dims: readonly number[], data: ArrayData): Uint8Array {
  return npyFile({ descr: `'${descr}'`, shape: shapeOf(dims), data: bytesOf(data) });
}

/** A Python tuple: "()", "(3,)", "(3, 4)". */
export function shapeOf(dims: readonly number[]): string {
  return dims.length === 1 ? `(${dims[0]},)` : `(${dims.join(', ')})`;
}

export function bytesOf(data: ArrayData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** One buffer of its own, so that its elements are aligned in it as in a file that was read. */
export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
