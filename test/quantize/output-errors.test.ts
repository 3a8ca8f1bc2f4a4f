import { describe, expect, it } from 'vitest';
import { multiplyByLoops } from '../../src/quantize/matrix-product.ts';
import { localSensitivity, outputErrors } from '../../src/quantize/output-errors.ts';
import { dequantize } from '../../src/quantize/quantized-tensor.ts';
import { quantizeToNearest } from '../../src/quantize/round-to-nearest.ts';
import { seededFloats } from '../onnx/small-model.ts';
import { errorsByRunning, KINDS, randomLayer } from './random-layers.ts';

const multiply = async (...pair: Parameters<typeof multiplyByLoops>) => multiplyByLoops(...pair);

describe('outputErrors', () => {
  for (const [seed, kind] of KINDS.entries()) {
    it(`outputErrors: ${kind[0]}, the mean square over the samples`, async () => {
      const layer = randomLayer(kind, seed);
      const quantized = quantizeToNearest(layer.weight, 2);
      const found = await outputErrors(layer.weight, quantized, layer.statistics, multiply);
      const expected = errorsByRunning(layer, dequantize(quantized));
      expect(found).toHaveLength(expected.length);
      for (const [index, error] of found.entries()) expect(error / expected[index]!).toBeCloseTo(1, 9);
    });

    it(`outputErrors: ${kind[0]}, with shifts of the outputs`, async () => {
      const layer = randomLayer(kind, seed);
      const quantized = quantizeToNearest(layer.weight, 3);
      const shifts = Float64Array.from(seededFloats(layer.layout.groupCount * layer.layout.outputCount, seed));
      const found = await outputErrors(layer.weight, quantized, layer.statistics, multiply, shifts);
      const expected = errorsByRunning(layer, dequantize(quantized), shifts);
      for (const [index, error] of found.entries()) expect(error / expected[index]!).toBeCloseTo(1, 9);
    });
  }

  it('outputErrors: never below zero, whatever rounding leaves', async () => {
    const layer = randomLayer(KINDS[5]!, 3);
    const exact = quantizeToNearest(layer.weight, 8);
    const weight = { ...layer.weight, values: dequantize(exact) };
    expect([...(await outputErrors(weight, exact, layer.statistics, multiply))]).toEqual([0, 0, 0, 0, 0]);
    const statistics = { ...layer.statistics, gram: layer.statistics.gram.map((value) => -value) };
    const coarse = quantizeToNearest(layer.weight, 2);
    expect([...(await outputErrors(layer.weight, coarse, statistics, multiply))]).toEqual([0, 0, 0, 0, 0]);
  });
});

describe('localSensitivity', () => {
  it('localSensitivity: the sum of the channels, less with more bits', async () => {
    const layer = randomLayer(KINDS[0]!, 4);
    const at = (bitWidth: number) => {
      const quantized = quantizeToNearest(layer.weight, bitWidth);
      return localSensitivity(layer.weight, quantized, layer.statistics, multiply);
    };
    const expected = errorsByRunning(layer, dequantize(quantizeToNearest(layer.weight, 2)));
    expect((await at(2)) / expected.reduce((sum, error) => sum + error, 0)).toBeCloseTo(1, 9);
    expect(await at(3)).toBeLessThan(await at(2));
    expect(await at(8)).toBeLessThan((await at(3)) / 100);
  });
});
