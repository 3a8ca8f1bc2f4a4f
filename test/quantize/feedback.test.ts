import { describe, expect, it } from 'vitest';
import { roundWithFeedback } from '../../src/quantize/feedback.ts';
import { gpfqFeedback, gptqFeedback } from '../../src/quantize/feedback-rows.ts';
import { type Granularity, scaleIndices } from '../../src/quantize/granularity.ts';
import { signedGrid } from '../../src/quantize/grid.ts';
import { multiplyByLoops } from '../../src/quantize/matrix-product.ts';
import { gramOf } from '../../src/quantize/output-errors.ts';
import { nearestLevel, quantizeToNearest } from '../../src/quantize/round-to-nearest.ts';
import { channelsOf, KINDS, type RandomLayer, randomLayer, randomMatrix } from './random-layers.ts';

const multiply = async (...pair: Parameters<typeof multiplyByLoops>) => multiplyByLoops(...pair);

describe('gptqFeedback', () => {
  for (const kind of KINDS) {
    it.each([2, 4])(`gptqFeedback: ${kind[0]} at %d bits is rounded as by optimal brain surgery`, async (bitWidth) => {
      const layer = randomLayer(kind, bitWidth);
      expect(await round(layer, bitWidth, 'gptq')).toEqual(surgery(layer, bitWidth));
    });
  }

  it('gptqFeedback: blocks of inputs change nothing', async () => {
    const layer = randomMatrix(3, 150, 5);
    expect(await round(layer, 3, 'gptq')).toEqual(surgery(layer, 3));
  });

  it('gptqFeedback: blocks of scales are rounded with their own', async () => {
    const layer = randomMatrix(4, 10, 6);
    expect(await round(layer, 3, 'gptq', { block: 4 })).toEqual(surgery(layer, 3, { block: 4 }));
  });

  it('gptqFeedback: an input without energy is rounded to nearest and hands nothing on', async () => {
    const { order, blocks } = await gptqFeedback(Float64Array.of(2, 0, 1, 0, 0, 0, 1, 0, 3), 3, 'layer', multiply);
    expect([...order]).toEqual([1, 0, 2]);
    expect([...blocks[0]!.inside.slice(0, 3)].map((value) => Math.abs(value))).toEqual([1, 0, 0]);
  });

  it('gptqFeedback: nothing is handed on where no input has energy', async () => {
    const { blocks } = await gptqFeedback(new Float64Array(9), 3, 'layer', multiply);
    expect([...blocks[0]!.inside]).toEqual(new Array(9).fill(0));
  });

  it('gptqFeedback: inputs of equal energy are rounded in their order', async () => {
    const { order } = await gptqFeedback(Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1), 3, 'layer', multiply);
    expect([...order]).toEqual([2, 1, 0]);
  });

  it('gptqFeedback: a matrix that is slightly no covariance is damped more', async () => {
    const { blocks } = await gptqFeedback(Float64Array.of(1, 1.05, 1.05, 1), 2, 'layer', multiply);
    // Factorised with a tenth added: 1.05 / 1.1.
    expect(blocks[0]!.inside[1]).toBeCloseTo(1.05 / 1.1, 12);
  });

  it('gptqFeedback: a matrix that is no covariance is refused by the name of its layer', async () => {
    await expect(gptqFeedback(Float64Array.of(1, 9, 9, 1), 2, 'block.fc', multiply)).rejects.toThrow(
      "the Gram matrix of layer 'block.fc' is no covariance: it cannot be factorised",
    );
  });
});

describe('gpfqFeedback', () => {
  for (const kind of KINDS) {
    it.each([2, 4])(`gpfqFeedback: ${kind[0]} at %d bits follows the path of the samples`, async (bitWidth) => {
      const layer = randomLayer(kind, bitWidth);
      expect(await round(layer, bitWidth, 'gpfq')).toEqual(followPath(layer, bitWidth));
    });
  }

  it('gpfqFeedback: blocks of inputs change nothing', async () => {
    const layer = randomMatrix(3, 150, 7);
    expect(await round(layer, 3, 'gpfq')).toEqual(followPath(layer, 3));
  });
});

async function round(
  { weight, layout, statistics }: RandomLayer,
  bitWidth: number,
  method: 'gptq' | 'gpfq',
  granularity: Granularity = 'channel',
): Promise<Int8Array> {
  const { scales } = quantizeToNearest(weight, bitWidth, granularity);
  const values = new Int8Array(weight.values.length);
  const scaleOf = scaleIndices(weight, granularity);
  const rounding = { weights: weight.values, grid: signedGrid(bitWidth), scales, scaleOf, values };
  for (let group = 0; group < layout.groupCount; group++) {
    const gram = gramOf(statistics.gram, layout.inputCount, group).values;
    const feedback =
      method === 'gptq'
        ? await gptqFeedback(gram, layout.inputCount, 'layer', multiply)
        : gpfqFeedback(gram, layout.inputCount);
    await roundWithFeedback(rounding, layout, group, feedback, multiply);
  }
  return values;
}

/** Inputs by their energy, the largest first. */
function byEnergy(gram: Float64Array, size: number): number[] {
  return Array.from({ length: size }, (_, input) => input).sort((a, b) => gram[b * size + b]! - gram[a * size + a]!);
}

/**
 * GPTQ as its paper derives it: with the inverse of the damped Gram matrix of the inputs that are left, the error of the input
 * that is rounded moves all others by −error · (column of the inverse) / (its diagonal); then the input is eliminated.
 */
function surgery(layer: RandomLayer, bitWidth: number, granularity: Granularity = 'channel'): Int8Array {
  const { weight, layout, statistics } = layer;
  const size = layout.inputCount;
  const { scales } = quantizeToNearest(weight, bitWidth, granularity);
  const scaleOf = scaleIndices(weight, granularity);
  const values = new Int8Array(weight.values.length);
  for (const { group, indices } of channelsOf(layer)) {
    const gram = gramOf(statistics.gram, size, group).values;
    const inverse = invert(damped(gram, size), size);
    const left = indices.map((index) => weight.values[index]!);
    for (const input of byEnergy(gram, size)) {
      const index = indices[input]!;
      const scale = scales[scaleOf[index]!]!;
      values[index] = nearestLevel(left[input]! / scale, signedGrid(bitWidth));
      const error = left[input]! - values[index]! * scale;
      const column = Array.from({ length: size }, (_, row) => inverse[row * size + input]!);
      const diagonal = column[input]!;
      for (let row = 0; row < size; row++) {
        left[row]! -= (error * column[row]!) / diagonal;
        for (let other = 0; other < size; other++)
          inverse[row * size + other]! -= (column[row]! * column[other]!) / diagonal;
      }
    }
  }
  return values;
}

function damped(gram: Float64Array, size: number): Float64Array {
  let energy = 0;
  for (let input = 0; input < size; input++) energy += gram[input * size + input]! / size;
  return gram.map((value, index) => value + (index % (size + 1) === 0 ? 0.01 * energy : 0));
}

/** Gauss and Jordan, pivots on the diagonal. */
function invert(matrix: Float64Array, size: number): Float64Array {
  const left = matrix.slice();
  const right = matrix.map((_, index) => (index % (size + 1) === 0 ? 1 : 0));
  for (let pivot = 0; pivot < size; pivot++) {
    const divisor = left[pivot * size + pivot]!;
    for (let column = 0; column < size; column++) {
      left[pivot * size + column]! /= divisor;
      right[pivot * size + column]! /= divisor;
    }
    for (let row = 0; row < size; row++) {
      const factor = left[row * size + pivot]!;
      if (row === pivot || factor === 0) continue;
      for (let column = 0; column < size; column++) {
        left[row * size + column]! -= factor * left[pivot * size + column]!;
        right[row * size + column]! -= factor * right[pivot * size + column]!;
      }
    }
  }
  return right;
}

/** Greedy path following on the samples themselves: u is how far the quantized output is behind, sample by sample. */
function followPath(layer: RandomLayer, bitWidth: number): Int8Array {
  const { weight, layout, statistics } = layer;
  const { scales } = quantizeToNearest(weight, bitWidth);
  const scaleOf = scaleIndices(weight, 'channel');
  const values = new Int8Array(weight.values.length);
  for (const { group, indices, samples } of channelsOf(layer)) {
    const behind = samples.map(() => 0);
    for (const input of byEnergy(gramOf(statistics.gram, layout.inputCount, group).values, layout.inputCount)) {
      const index = indices[input]!;
      const scale = scales[scaleOf[index]!]!;
      const path = samples.map((sample, number) => behind[number]! + weight.values[index]! * sample[input]!);
      const along = samples.reduce((sum, sample, number) => sum + sample[input]! * path[number]!, 0);
      const energy = samples.reduce((sum, sample) => sum + sample[input]! ** 2, 0);
      values[index] = nearestLevel(along / energy / scale, signedGrid(bitWidth));
      for (const [number, sample] of samples.entries())
        behind[number] = path[number]! - values[index]! * scale * sample[input]!;
    }
  }
  return values;
}
