import { describe, expect, it } from 'vitest';
import { decodeFloat16, decodeFloat16Array, encodeFloat16, encodeFloat16Array } from '../src/float16.ts';
import { DATA_TYPE } from '../src/onnx/data-type.ts';
import { attribute, buildModel, node, runModel, value } from './onnx/small-model.ts';

const EVERY_PATTERN = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);

const isNaNPattern = (bits: number): boolean => (bits & 0x7fff) > 0x7c00;

/** The numbers that onnxruntime's Cast makes of bit patterns. */
async function onnxruntimeDecodes(bits: Uint16Array): Promise<Float32Array> {
  const model = buildModel({
    nodes: [node('Cast', ['x'], ['y'], attribute.int('to', DATA_TYPE.float32))],
    inputs: [value('x', ['N'], DATA_TYPE.float16)],
    outputs: [value('y', ['N'])],
  });
  const { y } = await runModel(model, { x: { elementType: 'float16', dims: [bits.length], data: bits } });
  return y!.data as Float32Array;
}

/** The bit patterns that onnxruntime's Cast makes of numbers. */
async function onnxruntimeEncodes(numbers: Float32Array): Promise<Uint16Array> {
  const model = buildModel({
    nodes: [node('Cast', ['x'], ['y'], attribute.int('to', DATA_TYPE.float16))],
    inputs: [value('x', ['N'])],
    outputs: [value('y', ['N'], DATA_TYPE.float16)],
  });
  const { y } = await runModel(model, { x: { elementType: 'float32', dims: [numbers.length], data: numbers } });
  return y!.data as Uint16Array;
}

describe('decodeFloat16', () => {
  it.each([
    [0x0000, 0],
    [0x0001, 2 ** -24],
    [0x03ff, (1023 / 1024) * 2 ** -14],
    [0x0400, 2 ** -14],
    [0x3555, 0.333251953125],
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x7c00, Number.POSITIVE_INFINITY],
    [0xfc00, Number.NEGATIVE_INFINITY],
  ])('decodeFloat16: pattern %i is %d', (bits, number) => {
    expect(decodeFloat16(bits)).toBe(number);
  });

  it('decodeFloat16: a negative zero keeps its sign, and no number is none', () => {
    expect(Object.is(decodeFloat16(0x8000), -0)).toBe(true);
    for (const bits of [0x7c01, 0x7e00, 0xfe00, 0xffff]) expect(decodeFloat16(bits)).toBeNaN();
  });

  it('decodeFloat16: all 65,536 patterns are what onnxruntime makes of them', async () => {
    expect(decodeFloat16Array(EVERY_PATTERN)).toEqual(await onnxruntimeDecodes(EVERY_PATTERN));
  });
});

describe('encodeFloat16', () => {
  it('encodeFloat16: the inverse of decoding, for all 65,536 patterns', () => {
    for (const bits of EVERY_PATTERN) {
      const again = encodeFloat16(decodeFloat16(bits));
      if (isNaNPattern(bits)) expect(isNaNPattern(again)).toBe(true);
      else if (again !== bits) expect(again, `pattern ${bits}`).toBe(bits);
    }
  });

  it('encodeFloat16: half way between two patterns goes to the even one, anything more to the nearer', () => {
    for (let bits = 0; bits < 0x7bff; bits++) {
      const [low, high] = [decodeFloat16(bits), decodeFloat16(bits + 1)];
      const middle = (low + high) / 2;
      const even = bits % 2 === 0 ? bits : bits + 1;
      const step = (high - low) * 2 ** -30;
      const found = [middle - step, middle, middle + step, -middle].map(encodeFloat16);
      const expected = [bits, even, bits + 1, even | 0x8000];
      if (found.some((pattern, index) => pattern !== expected[index])) expect(found, `${middle}`).toEqual(expected);
    }
  });

  it.each([
    [65519.99999, 0x7bff],
    [65520, 0x7c00],
    [1e300, 0x7c00],
    [Number.NEGATIVE_INFINITY, 0xfc00],
    [2 ** -25, 0],
    [2 ** -25 + 2 ** -60, 1],
    [-(2 ** -26), 0x8000],
    [Number.MIN_VALUE, 0],
    [-0, 0x8000],
    // Rounding to float32 first would make this a tie.
    [1 + 2 ** -11 + 2 ** -40, 0x3c01],
    [1 + 2 ** -11 - 2 ** -40, 0x3c00],
  ])('encodeFloat16: %d is pattern %i', (number, bits) => {
    expect(encodeFloat16(number)).toBe(bits);
  });

  it('encodeFloat16: no number stays none', () => {
    expect(isNaNPattern(encodeFloat16(Number.NaN))).toBe(true);
  });

  it('encodeFloat16: float32 numbers of every size are what onnxruntime makes of them', async () => {
    // Patterns all over the float32 range, denser where half floats are.
    const patterns = new Uint32Array(120_000);
    for (let index = 0; index < patterns.length; index++) patterns[index] = Math.imul(index, 0x9e3779b1);
    for (let index = 0; index < 100_000; index++) patterns[index] = 0x32000000 + (Math.imul(index, 3221) % 0x16000000);
    const numbers = new Float32Array(patterns.buffer).filter((number) => !Number.isNaN(number));
    expect(encodeFloat16Array(numbers)).toEqual(await onnxruntimeEncodes(numbers));
  });
});

describe('a session', () => {
  it('run: half floats go in and come out as bit patterns, also from the middle of a buffer', async () => {
    const model = buildModel({
      nodes: [node('Neg', ['x'], ['y'])],
      inputs: [value('x', ['N'], DATA_TYPE.float16)],
      outputs: [value('y', ['N'], DATA_TYPE.float16)],
    });
    const data = Uint16Array.of(0xffff, 0x3c00, 0xc000, 0x0001, 0xffff).subarray(1, 4);
    const { y } = await runModel(model, { x: { elementType: 'float16', dims: [3], data } });
    expect(y).toEqual({ elementType: 'float16', dims: [3], data: Uint16Array.of(0xbc00, 0x4000, 0x8001) });
  });
});
