import { describe, expect, it } from 'vitest';
import { DATA_TYPE } from '../../src/onnx/data-type.ts';
import { signedGrid } from '../../src/quantize/grid.ts';
import { dequantize } from '../../src/quantize/quantized-tensor.ts';
import { roundHalfEven } from '../../src/quantize/round-half-even.ts';
import { nearestLevel, quantizeToNearest } from '../../src/quantize/round-to-nearest.ts';
import { newTensor } from '../../src/wire/model-proto.ts';
import { attribute, buildModel, node, runModel, seededFloats, value } from '../onnx/small-model.ts';

type Weight = { values: Float32Array; dims: number[]; channelAxis: number };

const WEIGHTS: readonly (readonly [string, Weight])[] = [
  ['a convolution', { values: seededFloats(5 * 3 * 3 * 3, 1), dims: [5, 3, 3, 3], channelAxis: 0 }],
  ['a transposed convolution', { values: seededFloats(3 * 4 * 2 * 2, 2), dims: [3, 4, 2, 2], channelAxis: 1 }],
  ['a MatMul', { values: seededFloats(33 * 7, 3), dims: [33, 7], channelAxis: 1 }],
  [
    'tiny and huge channels',
    { values: withChannelFactors([1e-30, 1e-6, 1, 1e6, 1e30]), dims: [5, 16], channelAxis: 0 },
  ],
];

function withChannelFactors(factors: readonly number[]): Float32Array {
  return seededFloats(factors.length * 16, 4).map((number, index) => number * factors[Math.floor(index / 16)]!);
}

function floats(name: string, numbers: Float32Array) {
  return newTensor({
    name,
    dims: [BigInt(numbers.length)],
    dataType: DATA_TYPE.float32,
    rawData: new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength),
  });
}

/** QuantizeLinear to int8, cut to the grid's range by Clip, and DequantizeLinear of the result. */
async function onnxruntimeQuantizes({ values, dims, channelAxis }: Weight, scales: Float32Array, bitWidth: number) {
  const { quantMin, quantMax } = signedGrid(bitWidth);
  const zeros = newTensor({
    name: 'zeros',
    dims: [BigInt(scales.length)],
    dataType: DATA_TYPE.int8,
    rawData: new Uint8Array(scales.length),
  });
  const bound = (name: string, level: number) =>
    newTensor({ name, dataType: DATA_TYPE.int8, rawData: Uint8Array.of(level & 255) });
  const model = buildModel({
    nodes: [
      node('QuantizeLinear', ['w', 'scales', 'zeros'], ['levels'], attribute.int('axis', channelAxis)),
      node('Clip', ['levels', 'least', 'most'], ['clipped']),
      node('DequantizeLinear', ['clipped', 'scales'], ['numbers'], attribute.int('axis', channelAxis)),
    ],
    initializers: [floats('scales', scales), zeros, bound('least', quantMin), bound('most', quantMax)],
    inputs: [value('w', dims)],
    outputs: [value('clipped', dims, DATA_TYPE.int8), value('numbers', dims)],
  });
  const { clipped, numbers } = await runModel(model, { w: { elementType: 'float32', dims, data: values } });
  return { levels: clipped!.data, numbers: numbers!.data };
}

describe('quantizeToNearest, against onnxruntime', () => {
  for (const [name, weight] of WEIGHTS) {
    it.each([2, 3, 4, 5, 6, 7, 8])(
      `quantizeToNearest: ${name} in %d bits has the integers of QuantizeLinear and the numbers of DequantizeLinear`,
      async (bitWidth) => {
        const quantized = quantizeToNearest(weight, bitWidth);
        const expected = await onnxruntimeQuantizes(weight, quantized.scales, bitWidth);
        expect(quantized.values).toEqual(expected.levels);
        expect(dequantize(quantized)).toEqual(expected.numbers);
      },
    );
  }

  it('nearestLevel: halves go to even and the ends of the grid hold, as in QuantizeLinear', async () => {
    const halves = Float32Array.from({ length: 64 }, (_, index) => index / 2 - 16);
    for (const bitWidth of [2, 3, 4, 8]) {
      const grid = signedGrid(bitWidth);
      const weight = { values: halves, dims: [1, 64], channelAxis: 0 };
      const { levels } = await onnxruntimeQuantizes(weight, Float32Array.of(1), bitWidth);
      expect(Int8Array.from(halves, (half) => nearestLevel(half, grid))).toEqual(levels);
    }
  });
});

describe('quantizeToNearest', () => {
  it('quantizeToNearest: channels do not see each other', () => {
    const rows = [seededFloats(9, 5), seededFloats(9, 6).map((number) => number * 100)] as const;
    const together = { values: Float32Array.of(...rows[0], ...rows[1]), dims: [2, 9], channelAxis: 0 };
    const alone = rows.map((values) => quantizeToNearest({ values, dims: [1, 9], channelAxis: 0 }, 4));
    const quantized = quantizeToNearest(together, 4);
    expect(quantized.values).toEqual(Int8Array.of(...alone[0]!.values, ...alone[1]!.values));
    expect(quantized.scales).toEqual(Float32Array.of(...alone[0]!.scales, ...alone[1]!.scales));
  });

  it('quantizeToNearest: a weight of zeros stays zero, on a scale that is a positive number', () => {
    const quantized = quantizeToNearest({ values: new Float32Array(6), dims: [2, 3], channelAxis: 0 }, 3);
    expect(quantized.values).toEqual(new Int8Array(6));
    expect(quantized.scales.every((scale) => scale > 0 && Number.isFinite(scale))).toBe(true);
    expect(dequantize(quantized)).toEqual(new Float32Array(6));
  });

  it('quantizeToNearest: what lies on the grid is kept', () => {
    const values = Float32Array.of(-4, -3, -1, 0, 1, 2, 3).map((level) => level * 0.125);
    const quantized = quantizeToNearest({ values, dims: [1, 7], channelAxis: 0 }, 3);
    expect(dequantize(quantized)).toEqual(values);
  });

  it('quantizeToNearest: the error falls with every bit', () => {
    const weight = { values: seededFloats(512, 7), dims: [8, 64], channelAxis: 0 };
    const errors = [2, 3, 4, 5, 6, 7, 8].map((bitWidth) => {
      const numbers = dequantize(quantizeToNearest(weight, bitWidth));
      return numbers.reduce((sum, number, index) => sum + (number - weight.values[index]!) ** 2, 0);
    });
    for (const [place, error] of errors.entries()) expect(error).toBeLessThan((errors[place - 1] ?? 1e9) / 2);
  });
});

describe('roundHalfEven', () => {
  it.each([
    [0.5, 0],
    [1.5, 2],
    [2.5, 2],
    [-0.5, -0],
    [-1.5, -2],
    [-2.5, -2],
    [0.49999999999999994, 0],
    [2.5000000000000004, 3],
    [1e15 + 0.5, 1e15],
    [-(2 ** 50) - 0.5, -(2 ** 50)],
  ])('roundHalfEven: %d is %d', (number, expected) => {
    expect(roundHalfEven(number) + 0).toBe(expected + 0);
  });

  it('roundHalfEven: no number stays none', () => {
    expect(roundHalfEven(Number.NaN)).toBeNaN();
  });
});
