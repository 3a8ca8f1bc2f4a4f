import { describe, expect, it } from 'vitest';
import type { Granularity } from '../../src/quantize/granularity.ts';
import { multiplyByLoops } from '../../src/quantize/matrix-product.ts';
import { type QuantizeMethod, quantizeLayer } from '../../src/quantize/quantize-layer.ts';
import { dequantize } from '../../src/quantize/quantized-tensor.ts';
import { quantizeToNearest } from '../../src/quantize/round-to-nearest.ts';
import { errorsByRunning, KINDS, type RandomLayer, randomLayer, randomMatrix, statisticsOf } from './random-layers.ts';

const multiply = async (...pair: Parameters<typeof multiplyByLoops>) => multiplyByLoops(...pair);
const METHODS = ['gptq', 'gpfq'] as const;
const GRANULARITIES: readonly Granularity[] = ['tensor', 'channel', { block: 3 }];

const quantize = (
  { weight, statistics }: Pick<RandomLayer, 'weight' | 'statistics'>,
  bitWidths: readonly number[],
  method: QuantizeMethod,
  granularity: Granularity = 'channel',
) => quantizeLayer(weight, statistics, bitWidths, { method, granularity }, multiply);

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

describe('quantizeLayer', () => {
  for (const [seed, kind] of KINDS.entries()) {
    it.each(METHODS)(
      `quantizeLayer: ${kind[0]} by %s is on the grid and no worse than rounding to nearest`,
      async (method) => {
        const layer = randomLayer(kind, seed);
        for (const granularity of GRANULARITIES) {
          for (const tensor of await quantize(layer, [2, 3, 6], method, granularity)) {
            const { grid, values, scales } = tensor;
            expect(values.every((value) => value >= grid.quantMin && value <= grid.quantMax)).toBe(true);
            expect(scales.every((scale) => scale > 0)).toBe(true);
            const nearest = quantizeToNearest(layer.weight, grid.bitWidth, granularity);
            expect(tensor.granularity).toEqual(nearest.granularity);
            const found = sumOf(errorsByRunning(layer, dequantize(tensor)));
            expect(found).toBeLessThanOrEqual(sumOf(errorsByRunning(layer, dequantize(nearest))) * (1 + 1e-9));
          }
        }
      },
    );
  }

  it.each(METHODS)('quantizeLayer: %s loses a fraction of what rounding to nearest loses', async (method) => {
    const layer = randomMatrix(8, 60, 1);
    const [found] = await quantize(layer, [3], method);
    const nearest = quantizeToNearest(layer.weight, 3);
    const ratio =
      sumOf(errorsByRunning(layer, dequantize(found!))) / sumOf(errorsByRunning(layer, dequantize(nearest)));
    expect(ratio).toBeLessThan(0.4);
  });

  it('quantizeLayer: rtn needs no statistics, and is rounding to nearest', async () => {
    const { weight } = randomMatrix(3, 9, 2);
    const settings = { method: 'rtn', granularity: { block: 4 } } as const;
    const found = await quantizeLayer(weight, undefined, [2, 5], settings, multiply);
    expect(found).toEqual([quantizeToNearest(weight, 2, { block: 4 }), quantizeToNearest(weight, 5, { block: 4 })]);
  });

  it('quantizeLayer: the other methods ask for statistics', async () => {
    const { weight } = randomMatrix(3, 9, 2);
    const settings = { method: 'gptq', granularity: 'channel' } as const;
    await expect(quantizeLayer(weight, undefined, [2], settings, multiply)).rejects.toThrow(
      "method gptq needs the statistics of the layer's input",
    );
  });

  it('quantizeLayer: a width does not depend on the others asked for', async () => {
    const layer = randomMatrix(4, 12, 3);
    const [two, four] = await quantize(layer, [2, 4], 'gptq');
    expect(await quantize(layer, [4], 'gptq')).toEqual([four]);
    expect(await quantize(layer, [4, 2], 'gptq')).toEqual([four, two]);
  });

  it.each(METHODS)('quantizeLayer: %s with inputs that are always zero rounds to nearest', async (method) => {
    const layer = randomMatrix(4, 6, 4);
    const zeros = layer.samples.map((own) => own.map((sample) => sample.map(() => 0)));
    const statistics = statisticsOf('dead', layer.layout, zeros);
    expect(await quantize({ ...layer, statistics }, [3], method)).toEqual([quantizeToNearest(layer.weight, 3)]);
  });

  it.each(METHODS)(
    'quantizeLayer: %s rounds the weights of dead inputs to nearest, whatever the others do',
    async (method) => {
      const layer = randomMatrix(3, 8, 5);
      const samples = layer.samples.map((own) => own.map((sample) => sample.with(2, 0).with(5, 0)));
      const statistics = statisticsOf('dead', layer.layout, samples);
      const [found] = await quantize({ ...layer, statistics }, [8], method);
      for (const index of [2, 5, 10, 13, 18, 21]) {
        const scale = found!.scales[Math.floor(index / 8)]!;
        // Half a level, and what the largest level moved by when the scale was fitted at last.
        expect(Math.abs(found!.values[index]! * scale - layer.weight.values[index]!)).toBeLessThan(0.75 * scale);
      }
    },
  );

  it.each(METHODS)('quantizeLayer: %s makes one input of many that are the same carry their sum', async (method) => {
    const layer = randomMatrix(2, 5, 6);
    const same = layer.samples.map((own) => own.map((sample) => sample.map(() => sample[0]!)));
    const constant = { ...layer, samples: same, statistics: statisticsOf('constant', layer.layout, same) };
    const [found] = await quantize(constant, [4], method);
    const real = dequantize(found!);
    for (const output of [0, 1]) {
      const row = (values: Float32Array) => sumOf([...values.subarray(output * 5, output * 5 + 5)]);
      // All that is lost is the last rounding.
      expect(Math.abs(row(real) - row(layer.weight.values))).toBeLessThanOrEqual(found!.scales[output]! * 0.5 + 1e-6);
    }
  });

  it.each(METHODS)('quantizeLayer: %s leaves a channel of zeros at zero', async (method) => {
    const layer = randomMatrix(3, 6, 7);
    const weight = { ...layer.weight, values: layer.weight.values.map((value, index) => (index < 6 ? 0 : value)) };
    const [found] = await quantize({ ...layer, weight }, [2], method);
    expect([...found!.values.subarray(0, 6)]).toEqual([0, 0, 0, 0, 0, 0]);
    expect(found!.values.subarray(6).some((value) => value !== 0)).toBe(true);
  });

  it.each(METHODS)('quantizeLayer: %s is deterministic', async (method) => {
    const layer = randomMatrix(4, 70, 8);
    expect(await quantize(layer, [2, 3], method)).toEqual(await quantize(layer, [2, 3], method));
  });

  it('quantizeLayer: gptq names the layer whose statistics are no covariance', async () => {
    const layer = randomMatrix(2, 2, 9);
    const statistics = { ...layer.statistics, gram: Float64Array.of(1, 9, 9, 1) };
    await expect(quantize({ ...layer, statistics }, [2], 'gptq')).rejects.toThrow("layer 'matrix' is no covariance");
  });
});
