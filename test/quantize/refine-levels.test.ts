import { describe, expect, it } from 'vitest';
import { multiplyByLoops } from '../../src/quantize/matrix-product.ts';
import { dequantize, type QuantizedTensor } from '../../src/quantize/quantized-tensor.ts';
import { refineLevels } from '../../src/quantize/refine-levels.ts';
import { quantizeToNearest } from '../../src/quantize/round-to-nearest.ts';
import { storedScale } from '../../src/quantize/stored-scales.ts';
import {
  channelsOf,
  errorsByRunning,
  KINDS,
  meanOf,
  outputsOf,
  type RandomLayer,
  randomLayer,
  randomMatrix,
} from './random-layers.ts';

const multiply = async (...pair: Parameters<typeof multiplyByLoops>) => multiplyByLoops(...pair);

describe('refineLevels', () => {
  for (const [seed, kind] of KINDS.entries()) {
    it.each(['tensor', 'channel', { block: 4 }] as const)(
      `refineLevels: ${kind[0]} with scales per %j does not get worse`,
      async (granularity) => {
        const layer = randomLayer(kind, seed + 20);
        const start = quantizeToNearest(layer.weight, 3, granularity);
        const found = await refineLevels(layer.weight, start, layer.statistics, multiply);
        const [before, after] = [start, found].map((tensor) => errorsByRunning(layer, dequantize(tensor)));
        const total = (errors: readonly number[]) => errors.reduce((sum, error) => sum + error, 0);
        expect(total(after!)).toBeLessThanOrEqual(total(before!) * (1 + 1e-9));
        // With a scale of its own no channel pays for another.
        if (granularity !== 'tensor' && layer.layout.groupCount === 1) {
          for (const [index, error] of after!.entries())
            expect(error).toBeLessThanOrEqual(before![index]! * (1 + 1e-9));
        }
      },
    );
  }

  it('refineLevels: sweeps as trying every level of every weight, fitting scales by regression in between', async () => {
    for (const seed of [1, 2, 3]) {
      const layer = randomMatrix(3, 7, seed);
      const start = quantizeToNearest(layer.weight, 3);
      const found = await refineLevels(layer.weight, start, layer.statistics, multiply);
      const expected = sweepSlowly(layer, start);
      expect(found.values).toEqual(expected.values);
      expect(found.scales).toEqual(expected.scales);
    }
  });

  it('refineLevels: does not change what it is given', async () => {
    const layer = randomMatrix(3, 7, 4);
    const start = quantizeToNearest(layer.weight, 2);
    const before = { scales: [...start.scales], values: [...start.values] };
    await refineLevels(layer.weight, start, layer.statistics, multiply);
    expect({ scales: [...start.scales], values: [...start.values] }).toEqual(before);
  });
});

function sweepSlowly(layer: RandomLayer, start: QuantizedTensor): QuantizedTensor {
  const tensor = { ...start, scales: start.scales.slice(), values: start.values.slice() };
  const { quantMin, quantMax } = start.grid;
  for (let sweep = 0; sweep < 3; sweep++) {
    for (const channel of channelsOf(layer)) {
      const error = () => {
        const real = dequantize(tensor);
        const float = outputsOf(layer.weight.values, channel);
        return meanOf(outputsOf(real, channel).map((value, sample) => (value - float[sample]!) ** 2));
      };
      if (sweep > 0) fitSlowly(layer, tensor, channel, error);
      for (const index of channel.indices) {
        let [best, least] = [tensor.values[index]!, error()];
        for (let level = quantMin; level <= quantMax; level++) {
          tensor.values[index] = level;
          if (error() < least) [best, least] = [level, error()];
        }
        tensor.values[index] = best;
      }
    }
  }
  return tensor;
}

function fitSlowly(
  layer: RandomLayer,
  tensor: QuantizedTensor,
  channel: ReturnType<typeof channelsOf>[number],
  error: () => number,
): void {
  const float = outputsOf(layer.weight.values, channel);
  const found = outputsOf(dequantize(tensor), channel);
  const cross = found.reduce((sum, value, sample) => sum + value * float[sample]!, 0);
  const square = found.reduce((sum, value) => sum + value ** 2, 0);
  const [old, before] = [tensor.scales[channel.output]!, error()];
  tensor.scales[channel.output] = storedScale((old * cross) / square, tensor.scaleType)!;
  if (error() >= before) tensor.scales[channel.output] = old;
}
