import { describe, expect, it } from 'vitest';
import { multiplyByLoops } from '../../src/quantize/matrix-product.ts';
import { localSensitivity, outputErrors, outputVariance } from '../../src/quantize/output-errors.ts';
import { dequantize } from '../../src/quantize/quantized-tensor.ts';
import { quantizeToNearest } from '../../src/quantize/round-to-nearest.ts';
import { seededFloats } from '../onnx/small-model.ts';
import { channelsOf, errorsByRunning, KINDS, meanOf, outputsOf, randomLayer, statisticsOf } from './random-layers.ts';

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

describe('outputVariance', () => {
  for (const [seed, kind] of KINDS.entries()) {
    it(`outputVariance: ${kind[0]}, over the samples`, async () => {
      const layer = randomLayer(kind, seed);
      const variances = channelsOf(layer).map((channel) => {
        const outputs = outputsOf(layer.weight.values, channel);
        const mean = meanOf(outputs);
        return meanOf(outputs.map((value) => (value - mean) ** 2));
      });
      const found = await outputVariance(layer.weight, layer.statistics, multiply);
      expect(found / variances.reduce((sum, variance) => sum + variance, 0)).toBeCloseTo(1, 9);
    });
  }
});

describe('localSensitivity', () => {
  it('localSensitivity: the share of the output variance that is error, less with more bits', async () => {
    const layer = randomLayer(KINDS[0]!, 4);
    const variance = await outputVariance(layer.weight, layer.statistics, multiply);
    const at = (bitWidth: number) => {
      const quantized = quantizeToNearest(layer.weight, bitWidth);
      return localSensitivity(layer.weight, quantized, layer.statistics, variance, multiply);
    };
    const expected = errorsByRunning(layer, dequantize(quantizeToNearest(layer.weight, 2)));
    expect(((await at(2)) * variance) / expected.reduce((sum, error) => sum + error, 0)).toBeCloseTo(1, 9);
    expect(await at(3)).toBeLessThan(await at(2));
    expect(await at(8)).toBeLessThan((await at(3)) / 100);
  });

  it('localSensitivity: a layer whose input is always zero has none', async () => {
    const layer = randomLayer(KINDS[0]!, 5);
    const zeros = layer.samples.map((own) => own.map((sample) => sample.map(() => 0)));
    const statistics = statisticsOf('dead', layer.layout, zeros);
    const variance = await outputVariance(layer.weight, statistics, multiply);
    const quantized = quantizeToNearest(layer.weight, 2);
    expect(await localSensitivity(layer.weight, quantized, statistics, variance, multiply)).toBe(0);
  });
});
