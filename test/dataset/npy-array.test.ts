import { describe, expect, it } from 'vitest';
import { FormatError } from '../../src/dataset/format-error.ts';
import { decodeNpy } from '../../src/dataset/npy-array.ts';
import { fixture } from './fixtures.ts';
import { bytesOf, joined, npy, npyFile } from './npy-bytes.ts';

const FLOATS = Float32Array.of(0, 0.25, 0.5, 0.75, 1, 1.25);

function errorOf(bytes: Uint8Array): FormatError {
  try {
    decodeNpy(bytes);
  } catch (error) {
    if (error instanceof FormatError) return error;
    throw error;
  }
  throw new Error('decoded without an error');
}

describe('decodeNpy, files that NumPy wrote', () => {
  it('decodeNpy: big-endian float64 has its numbers', () => {
    const array = decodeNpy(fixture('big-endian.npy'));
    expect(array).toEqual({ dataType: 'float64', dims: [2, 3], data: Float64Array.from(FLOATS) });
  });

  it('decodeNpy: float16 stays bit patterns', () => {
    const { dataType, dims, data } = decodeNpy(fixture('float16.npy'));
    expect([dataType, dims]).toEqual(['float16', [2, 3]]);
    // 0.5, −2, 65504, 6e-8 (the smallest subnormal), 0, 1/3
    expect(data).toEqual(Uint16Array.of(0x3800, 0xc000, 0x7bff, 0x0001, 0x0000, 0x3555));
  });

  it('decodeNpy: an array stored column by column comes out row by row', () => {
    expect(decodeNpy(fixture('column-major.npy'))).toEqual({ dataType: 'float32', dims: [2, 3], data: FLOATS });
  });

  it('decodeNpy: text is refused by its type', () => {
    const error = errorOf(fixture('text.npy'));
    expect(error.message).toBe(
      "has a data type that is not read: '<U2'; expected one of bool, uint8, int8, uint16, int16, uint32, int32, " +
        'uint64, int64, float16, float32, float64',
    );
    expect(error.fix).toBe("convert it, for instance array.astype('float32')");
  });

  it('decodeNpy: structured elements are refused', () => {
    expect(errorOf(fixture('structured.npy')).message).toMatch(/^has a data type that is not read: a structured one;/);
  });
});

const EVERY_TYPE = [
  ['bool', 'b1', Uint8Array.of(0, 1, 1, 0)],
  ['uint8', 'u1', Uint8Array.of(0, 1, 127, 255)],
  ['int8', 'i1', Int8Array.of(-128, -1, 0, 127)],
  ['uint16', 'u2', Uint16Array.of(0, 1, 258, 65535)],
  ['int16', 'i2', Int16Array.of(-32768, -2, 258, 32767)],
  ['uint32', 'u4', Uint32Array.of(0, 1, 16909060, 4294967295)],
  ['int32', 'i4', Int32Array.of(-2147483648, -1, 16909060, 2147483647)],
  ['uint64', 'u8', BigUint64Array.of(0n, 1n, 72623859790382856n, 2n ** 64n - 1n)],
  ['int64', 'i8', BigInt64Array.of(-(2n ** 63n), -1n, 72623859790382856n, 2n ** 63n - 1n)],
  ['float16', 'f2', Uint16Array.of(0x3c00, 0xc000, 0x7c00, 0x7e00)],
  ['float32', 'f4', Float32Array.of(-1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** -149)],
  ['float64', 'f8', Float64Array.of(-1.5, Number.NaN, Number.NEGATIVE_INFINITY, Number.MIN_VALUE)],
] as const;

function reversedElements(data: (typeof EVERY_TYPE)[number][2]): Uint8Array {
  const bytes = bytesOf(data).slice();
  for (let offset = 0; offset < bytes.length; offset += data.BYTES_PER_ELEMENT) {
    bytes.subarray(offset, offset + data.BYTES_PER_ELEMENT).reverse();
  }
  return bytes;
}

describe('decodeNpy, element types', () => {
  it.each(EVERY_TYPE)('decodeNpy: %s is read in little-endian order', (dataType, code, data) => {
    expect(decodeNpy(npy(`<${code}`, [2, 2], data))).toEqual({ dataType, dims: [2, 2], data });
  });

  it.each(EVERY_TYPE)('decodeNpy: %s is read in big-endian order', (dataType, code, data) => {
    const file = npyFile({ descr: `'>${code}'`, shape: '(4,)', data: reversedElements(data) });
    const original = file.slice();
    expect(decodeNpy(file)).toEqual({ dataType, dims: [4], data });
    expect(file).toEqual(original);
  });

  it.each(EVERY_TYPE)('decodeNpy: %s is read where it is not aligned in memory', (dataType, code, data) => {
    const file = npyFile({ descr: `'<${code}'`, shape: '(4,)', data: bytesOf(data), alignBytes: 1 });
    for (const shift of [0, 1]) {
      const moved = joined(new Uint8Array(shift), file).subarray(shift);
      expect(decodeNpy(moved)).toEqual({ dataType, dims: [4], data });
    }
  });

  it.each(["'|O'", "'<c8'", "'<M8[ns]'", "'|S3'", "'|V4'", "'<f16'", "'=f4'", "'constructor'"])(
    'decodeNpy: %s is refused by name',
    (descr) => {
      const error = errorOf(npyFile({ descr, shape: '(1,)', data: new Uint8Array(8) }));
      expect(error.message).toContain(`has a data type that is not read: ${descr}; expected one of bool, uint8`);
    },
  );
});

describe('decodeNpy, shapes', () => {
  it.each([
    ['()', [], 1],
    ['(3,)', [3], 3],
    ['(1, 2, 3)', [1, 2, 3], 6],
    ['(0, 5)', [0, 5], 0],
    ['( 2 ,3 )', [2, 3], 6],
  ])('decodeNpy: shape %s is %j', (shape, dims, length) => {
    const data = new Uint8Array(length);
    expect(decodeNpy(npyFile({ descr: "'|u1'", shape, data }))).toEqual({ dataType: 'uint8', dims, data });
  });

  it('decodeNpy: column-major order of three axes equals a transposition element by element', () => {
    const dims = [2, 3, 4] as const;
    const rowMajor = Int16Array.from({ length: 24 }, (_, index) => index * 7);
    const columnMajor = new Int16Array(24);
    for (let i = 0; i < 2; i++)
      for (let j = 0; j < 3; j++)
        for (let k = 0; k < 4; k++) columnMajor[i + 2 * j + 6 * k] = rowMajor[12 * i + 4 * j + k]!;
    const file = npyFile({ descr: "'<i2'", shape: '(2, 3, 4)', data: bytesOf(columnMajor), fortranOrder: 'True' });
    expect(decodeNpy(file)).toEqual({ dataType: 'int16', dims, data: rowMajor });
  });

  it.each(['(2, 3', '(-1, 3)', '(2.5,)', '(2 3,)', '[2, 3]', '(a,)', '(99999999, 99999999)', '(1e9,)'])(
    'decodeNpy: shape %s is refused',
    (shape) => {
      const error = errorOf(npyFile({ descr: "'|u1'", shape, data: new Uint8Array(6) }));
      expect(error.message).toBe('has a damaged header: no usable shape');
    },
  );

  it('decodeNpy: more axes than NumPy has are refused', () => {
    const file = (axes: number) =>
      npyFile({ descr: "'|u1'", shape: `(${'1, '.repeat(axes)})`, data: new Uint8Array(1) });
    expect(decodeNpy(file(64)).dims).toHaveLength(64);
    expect(errorOf(file(65)).message).toBe('has a damaged header: no usable shape');
  });

  it('decodeNpy: a shape of 2 GB in a small file is refused before memory is taken', () => {
    const before = process.memoryUsage().arrayBuffers;
    const error = errorOf(npyFile({ descr: "'<f4'", shape: '(512, 1024, 1024)', data: new Uint8Array(16) }));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
    expect(error.message).toBe('is truncated: float32 [512, 1024, 1024] takes 2147483648 bytes, 16 are there');
  });
});

describe('decodeNpy, headers', () => {
  it.each([1, 2, 3])('decodeNpy: version %d of the format is read', (version) => {
    const file = npyFile({ descr: "'<f4'", shape: '(2, 3)', data: bytesOf(FLOATS), version });
    expect(decodeNpy(file).data).toEqual(FLOATS);
  });

  it.each([0, 4])('decodeNpy: version %d is refused', (version) => {
    const file = npyFile({ descr: "'<f4'", shape: '(2, 3)', data: bytesOf(FLOATS), version });
    expect(errorOf(file).message).toBe(`is a .npy file of version ${version}; 1 to 3 are read`);
  });

  it.each([
    ['nothing', new Uint8Array(0)],
    ['text', Buffer.from('0.5,0.25\n')],
    ['a zip archive', Buffer.from('PK\x03\x04 and so on')],
    ['a wrong first byte', npy('<f4', [6], FLOATS).with(0, 0x92)],
  ])('decodeNpy: %s is no .npy file', (_, bytes) => {
    expect(errorOf(bytes).message).toBe('is no .npy file: its first bytes are others');
  });

  it('decodeNpy: a missing storage order is refused', () => {
    const file = npyFile({ descr: "'<f4'", shape: '(2, 3)', data: bytesOf(FLOATS), fortranOrder: 'None' });
    expect(errorOf(file).message).toBe('has a damaged header: no storage order');
  });

  it.each([
    [8, 'is truncated inside its header'],
    [9, 'is truncated inside its header'],
    [60, 'is truncated inside its header'],
    [128, 'is truncated: float32 [2, 3] takes 24 bytes, 0 are there'],
    [151, 'is truncated: float32 [2, 3] takes 24 bytes, 23 are there'],
  ])('decodeNpy: a file cut after %d bytes is refused', (length, message) => {
    const file = npy('<f4', [2, 3], FLOATS);
    expect(file).toHaveLength(152);
    expect(errorOf(file.subarray(0, length)).message).toBe(message);
  });

  it('decodeNpy: bytes behind the elements are refused', () => {
    const file = joined(npy('<f4', [2, 3], FLOATS), Uint8Array.of(0));
    expect(errorOf(file).message).toBe('is too long: float32 [2, 3] takes 24 bytes, 25 are there');
  });
});
