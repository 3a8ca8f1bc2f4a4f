import { describe, expect, it } from 'vitest';
import { granularityOf, inputAxis, scaleDims, scaleIndices } from '../../src/quantize/granularity.ts';
import { signedGrid } from '../../src/quantize/grid.ts';
import { dequantize } from '../../src/quantize/quantized-tensor.ts';
import { quantizeToNearest } from '../../src/quantize/round-to-nearest.ts';
import { searchScale, searchScales } from '../../src/quantize/scale-search.ts';
import { seededFloats } from '../onnx/small-model.ts';

const GEMM = { dims: [4, 6], channelAxis: 0 };
const MATMUL = { dims: [6, 4], channelAxis: 1 };
const BATCHED = { dims: [2, 3, 2], channelAxis: 2 };
const CONV = { dims: [2, 3, 1, 1], channelAxis: 0 };
const CONV_TRANSPOSE = { dims: [3, 2, 2], channelAxis: 1 };

describe('inputAxis', () => {
  it.each([
    ['a transposed Gemm', GEMM, 1],
    ['a MatMul', MATMUL, 0],
    ['a stack of matrices', BATCHED, 1],
    ['a convolution', CONV, undefined],
    ['a transposed convolution over one axis', CONV_TRANSPOSE, undefined],
  ])('inputAxis: %s', (_, shape, axis) => {
    expect(inputAxis(shape)).toBe(axis);
  });
});

describe('granularityOf', () => {
  it('granularityOf: a convolution is not blocked, its scales are per channel', () => {
    expect(granularityOf(CONV, { block: 2 })).toBe('channel');
  });

  it('granularityOf: a block that holds all inputs of a matrix is a channel', () => {
    expect(granularityOf(MATMUL, { block: 6 })).toBe('channel');
    expect(granularityOf(MATMUL, { block: 5 })).toEqual({ block: 5 });
  });

  it('granularityOf: a stack of matrices keeps a scale per matrix when a block holds all inputs', () => {
    expect(granularityOf(BATCHED, { block: 8 })).toEqual({ block: 8 });
  });

  it.each([0, 1.5, -2, Number.NaN])('granularityOf: refuses blocks of %s', (block) => {
    expect(() => granularityOf(MATMUL, { block })).toThrow(`no blocks of ${block} inputs`);
  });
});

describe('scaleIndices', () => {
  it('scaleIndices: one scale for a tensor', () => {
    expect(scaleDims(GEMM, 'tensor')).toEqual([]);
    expect([...scaleIndices(CONV, 'tensor')]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('scaleIndices: one scale per output channel, wherever its axis is', () => {
    expect(scaleDims(CONV_TRANSPOSE, 'channel')).toEqual([2]);
    expect([...scaleIndices(CONV_TRANSPOSE, 'channel')]).toEqual([0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1]);
  });

  it('scaleIndices: the last block of a row may be shorter', () => {
    expect(scaleDims({ dims: [2, 5], channelAxis: 0 }, { block: 2 })).toEqual([2, 3]);
    expect([...scaleIndices({ dims: [2, 5], channelAxis: 0 }, { block: 2 })]).toEqual([0, 0, 1, 1, 2, 3, 3, 4, 4, 5]);
  });

  it('scaleIndices: blocks run along the rows of a MatMul weight', () => {
    const shape = { dims: [3, 2], channelAxis: 1 };
    expect(scaleDims(shape, { block: 2 })).toEqual([2, 2]);
    expect([...scaleIndices(shape, { block: 2 })]).toEqual([0, 1, 0, 1, 2, 3]);
  });

  it('scaleIndices: every matrix of a stack has blocks of its own', () => {
    expect(scaleDims(BATCHED, { block: 2 })).toEqual([2, 2, 2]);
    expect([...scaleIndices(BATCHED, { block: 2 })]).toEqual([0, 1, 0, 1, 2, 3, 4, 5, 4, 5, 6, 7]);
  });
});

describe('searchScales', () => {
  it('searchScales: equals a search over the members of each scale', () => {
    const weight = { ...MATMUL, values: seededFloats(24, 1) };
    const grid = signedGrid(3);
    const scales = searchScales(weight, { block: 4 }, grid);
    const members = [0, 1, 2, 3].map((row) => weight.values[row * 4 + 1]!);
    expect(scales).toHaveLength(8);
    expect(scales[1]).toBe(Math.fround(searchScale(Float32Array.from(members), grid)));
  });
});

describe('quantizeToNearest', () => {
  it.each(['tensor', 'channel', { block: 3 }] as const)(
    'quantizeToNearest: %j is within half a step',
    (granularity) => {
      const weight = { ...GEMM, values: seededFloats(24, 3) };
      const tensor = quantizeToNearest(weight, 8, granularity);
      const indices = scaleIndices(weight, tensor.granularity);
      const errors = dequantize(tensor).map((value, index) => {
        const scale = tensor.scales[indices[index]!]!;
        // The search may clip the largest by a little, where that lessens the whole error.
        return Math.abs(value - weight.values[index]!) / scale;
      });
      expect(Math.max(...errors)).toBeLessThan(1);
      expect(tensor.scales).toHaveLength(scaleDims(weight, tensor.granularity).reduce((a, b) => a * b, 1));
    },
  );

  it('quantizeToNearest: finer scales lose less', () => {
    const values = seededFloats(24, 4).map((value, index) => value * (1 + index));
    const losses = (['tensor', 'channel', { block: 2 }] as const).map((granularity) => {
      const found = dequantize(quantizeToNearest({ ...GEMM, values }, 3, granularity));
      return found.reduce((sum, value, index) => sum + (value - values[index]!) ** 2, 0);
    });
    expect(losses[1]).toBeLessThan(losses[0]!);
    expect(losses[2]).toBeLessThan(losses[1]!);
  });
});
