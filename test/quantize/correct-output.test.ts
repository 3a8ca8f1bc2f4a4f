import { describe, expect, it } from 'vitest';
import { correctOutput } from '../../src/quantize/correct-output.ts';
import { type Granularity, scaleChannels } from '../../src/quantize/granularity.ts';
import { multiplyByLoops } from '../../src/quantize/matrix-product.ts';
import { dequantize } from '../../src/quantize/quantized-tensor.ts';
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
  statisticsOf,
} from './random-layers.ts';

const multiply = async (...pair: Parameters<typeof multiplyByLoops>) => multiplyByLoops(...pair);
const GRANULARITIES: readonly Granularity[] = ['tensor', 'channel', { block: 4 }];

describe('correctOutput', () => {
  for (const [seed, kind] of KINDS.entries()) {
    it.each(GRANULARITIES)(
      `correctOutput: affine, ${kind[0]} with scales per %j, as regression on the samples`,
      async (granularity) => {
        const layer = randomLayer(kind, seed + 40);
        const quantized = quantizeToNearest(layer.weight, 2, granularity);
        const { content, shifts } = await correctOutput(layer.weight, quantized, layer.statistics, 'affine', multiply);
        const factors = factorsByRegression(layer, dequantize(quantized), granularity);
        const channelOf = scaleChannels(layer.weight, quantized.granularity);
        for (const [index, scale] of content.scales.entries()) {
          const factor = factors[channelOf?.[index] ?? 0]!;
          expect(scale).toBe(
            storedScale(quantized.scales[index]! * factor, quantized.scaleType) ?? quantized.scales[index]!,
          );
        }
        expect(content.values).toBe(quantized.values);
        expectSameMeans(layer, dequantize(content), shifts);
      },
    );

    it(`correctOutput: bias, ${kind[0]}, matches every mean and leaves the weight`, async () => {
      const layer = randomLayer(kind, seed + 60);
      const quantized = quantizeToNearest(layer.weight, 2);
      const { content, shifts } = await correctOutput(layer.weight, quantized, layer.statistics, 'bias', multiply);
      expect(content).toBe(quantized);
      expectSameMeans(layer, dequantize(quantized), shifts);
    });
  }

  it('correctOutput: affine is better than bias, and bias than nothing', async () => {
    const layer = randomMatrix(5, 12, 1);
    const quantized = quantizeToNearest(layer.weight, 2);
    const losses: number[] = [];
    for (const correction of ['none', 'bias', 'affine'] as const) {
      const { content, shifts } = await correctOutput(layer.weight, quantized, layer.statistics, correction, multiply);
      losses.push(errorsByRunning(layer, dequantize(content), shifts).reduce((sum, error) => sum + error, 0));
    }
    expect(losses[1]).toBeLessThan(losses[0]!);
    expect(losses[2]).toBeLessThan(losses[1]!);
  });

  it('correctOutput: none changes nothing', async () => {
    const layer = randomMatrix(2, 4, 2);
    const quantized = quantizeToNearest(layer.weight, 2);
    const { content, shifts } = await correctOutput(layer.weight, quantized, layer.statistics, 'none', multiply);
    expect(content).toBe(quantized);
    expect([...shifts]).toEqual([0, 0]);
  });

  it.each([
    ['the input is constant', (sample: Float64Array) => sample.map((_, input) => input - 1.3)],
    ['the input is zero', (sample: Float64Array) => sample.map(() => 0)],
  ])('correctOutput: the scale stays and the mean is matched where %s', async (_, change) => {
    const layer = randomMatrix(3, 6, 3);
    const samples = layer.samples.map((own) => own.map(change));
    const constant = { ...layer, samples, statistics: statisticsOf('constant', layer.layout, samples) };
    const quantized = quantizeToNearest(layer.weight, 2);
    const { content, shifts } = await correctOutput(layer.weight, quantized, constant.statistics, 'affine', multiply);
    expect([...content.scales]).toEqual([...quantized.scales]);
    expectSameMeans(constant, dequantize(content), shifts);
  });

  it('correctOutput: a channel of which only zeros are left keeps its scale', async () => {
    const layer = randomMatrix(2, 4, 4);
    const quantized = quantizeToNearest(layer.weight, 2);
    const zeros = { ...quantized, values: quantized.values.map((value, index) => (index < 4 ? 0 : value)) };
    const { content, shifts } = await correctOutput(layer.weight, zeros, layer.statistics, 'affine', multiply);
    expect(content.scales[0]).toBe(quantized.scales[0]);
    expect(content.scales[1]).not.toBe(quantized.scales[1]);
    expectSameMeans(layer, dequantize(content), shifts);
  });

  it('correctOutput: a channel whose quantized output runs against the float one keeps its scale', async () => {
    const layer = randomMatrix(2, 4, 5);
    const quantized = quantizeToNearest(layer.weight, 4);
    const against = { ...quantized, values: quantized.values.map((value) => -value) };
    const { content } = await correctOutput(layer.weight, against, layer.statistics, 'affine', multiply);
    expect([...content.scales]).toEqual([...quantized.scales]);
  });
});

/** cov / var over the samples of all channels that share a scale, by unit. */
function factorsByRegression(layer: RandomLayer, quantized: Float32Array, granularity: Granularity): number[] {
  const { dims, channelAxis } = layer.weight;
  const channelCount = dims[channelAxis]!;
  const unitCount = granularity === 'tensor' ? 1 : channelCount;
  const [covariances, variances] = [0, 1].map(() => new Array<number>(unitCount).fill(0));
  for (const channel of channelsOf(layer)) {
    const [float, found] = [layer.weight.values, quantized].map((weights) => outputsOf(weights, channel));
    const [floatMean, foundMean] = [meanOf(float!), meanOf(found!)];
    const unit = (channel.group * layer.layout.outputCount + channel.output) % unitCount;
    covariances![unit]! += meanOf(float!.map((value, sample) => (value - floatMean) * (found![sample]! - foundMean)));
    variances![unit]! += meanOf(found!.map((value) => (value - foundMean) ** 2));
  }
  return covariances!.map((covariance, unit) => covariance / variances![unit]!);
}

function expectSameMeans(layer: RandomLayer, weights: Float32Array, shifts: Float64Array): void {
  for (const [index, channel] of channelsOf(layer).entries()) {
    const mean = meanOf(outputsOf(weights, channel)) + shifts[index]!;
    expect(mean).toBeCloseTo(meanOf(outputsOf(layer.weight.values, channel)), 9);
  }
}
