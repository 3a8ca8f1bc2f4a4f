import { describe, expect, it } from 'vitest';
import { decodeFloat16, encodeFloat16 } from '../../src/float16.ts';
import { findExactGrid } from '../../src/quantize/exact-grid.ts';
import { scaleIndices } from '../../src/quantize/granularity.ts';
import { dequantize } from '../../src/quantize/quantized-tensor.ts';
import { seededRandom } from '../../src/random.ts';

const SHAPE = { dims: [6, 5, 3, 3], channelAxis: 0 };

/** Integers of a width times a float32 scale per channel, or for all, as training in float32 leaves them. */
function onGrid(bitWidth: number, seed: number, granularity: 'channel' | 'tensor', extremes = true): Float32Array {
  const random = seededRandom(seed);
  const scales = Array.from({ length: 6 }, () => Math.fround(0.001 + 0.2 * random()));
  const scaleOf = scaleIndices(SHAPE, granularity);
  const half = 2 ** (bitWidth - 1);
  return Float32Array.from({ length: 6 * 45 }, (_, index) => {
    // Not every trained layer uses the ends of its grid.
    const level = Math.floor(random() * 2 * half) - half;
    return (extremes ? level : Math.trunc(level / 2)) * scales[scaleOf[index]!]!;
  });
}

describe('findExactGrid', () => {
  for (const granularity of ['channel', 'tensor'] as const) {
    it.each([2, 3, 4, 5, 6, 7, 8])(
      `findExactGrid: weights of %i bits, one scale per ${granularity}, come back bit for bit`,
      (bitWidth) => {
        for (let seed = 1; seed <= 20; seed++) {
          const values = onGrid(bitWidth, seed, granularity, seed % 2 === 0);
          const found = findExactGrid({ ...SHAPE, values }, bitWidth, granularity, 'float32');
          expect(found?.grid.bitWidth, `seed ${seed}`).toBe(bitWidth);
          expect(dequantize(found!), `seed ${seed}`).toEqual(values.map((value) => value + 0));
          expect(found!.values.every((level) => level >= found!.grid.quantMin && level <= found!.grid.quantMax)).toBe(
            true,
          );
        }
      },
    );
  }

  it('findExactGrid: a scale per channel is no scale for the tensor, and a finer grid holds what a coarser one holds', () => {
    const values = onGrid(4, 1, 'channel');
    expect(findExactGrid({ ...SHAPE, values }, 4, 'tensor', 'float32')).toBeUndefined();
    expect(dequantize(findExactGrid({ ...SHAPE, values }, 8, 'channel', 'float32')!)).toEqual(values);
    expect(findExactGrid({ ...SHAPE, values }, 3, 'channel', 'float32')).toBeUndefined();
  });

  it('findExactGrid: one weight that is a bit off is enough', () => {
    const values = onGrid(4, 2, 'channel');
    const index = values.findIndex((value) => Math.abs(value) > 0);
    new Int32Array(values.buffer)[index]! += 2;
    expect(findExactGrid({ ...SHAPE, values }, 4, 'channel', 'float32')).toBeUndefined();
  });

  it('findExactGrid: random weights lie on no grid', () => {
    const random = seededRandom(3);
    const values = Float32Array.from({ length: 270 }, () => random() - 0.5);
    expect(findExactGrid({ ...SHAPE, values }, 8, 'channel', 'float32')).toBeUndefined();
  });

  it('findExactGrid: blocks of inputs have scales of their own', () => {
    const values = Float32Array.of(0.3, -0.3, 7, 14, 0.5, 0, 3, -1);
    const weight = { dims: [2, 4], channelAxis: 0, values };
    expect(findExactGrid(weight, 2, 'channel', 'float32')).toBeUndefined();
    const found = findExactGrid(weight, 3, { block: 2 }, 'float32')!;
    expect(dequantize(found)).toEqual(values);
    expect([...found.scales]).toEqual([0.3, 7, 0.5, 1].map(Math.fround));
  });

  it.each([
    ['zeros', [0, 0, 0, 0], [0, 0, 0, 0]],
    ['a negative zero, which becomes zero', [-0, 0.25, 0, -0.25], [0, 1, 0, -1]],
    ['the lowest level, which is one further than the highest', [-0.5, 0.25, 0, -0.25], [-2, 1, 0, -1]],
  ])('findExactGrid: %s', (_, values, levels) => {
    const weight = { dims: [1, 4], channelAxis: 0, values: Float32Array.from(values) };
    expect([...findExactGrid(weight, 2, 'channel', 'float32')!.values]).toEqual(levels);
  });

  it('findExactGrid: 0.5 and −0.25 need the third bit, because there is no level 2 in two', () => {
    const weight = { dims: [1, 2], channelAxis: 0, values: Float32Array.of(0.5, -0.25) };
    expect(findExactGrid(weight, 2, 'channel', 'float32')).toBeUndefined();
    expect([...findExactGrid(weight, 3, 'channel', 'float32')!.values]).toEqual([2, -1]);
  });

  it('findExactGrid: scales are stored in half precision where that holds them, and in full where it does not', () => {
    const at = (scale: number) =>
      findExactGrid(
        { dims: [1, 3], channelAxis: 0, values: Float32Array.of(scale, 3 * scale, -2 * scale) },
        3,
        'channel',
        'float32',
      );
    expect(at(0.375)?.scaleType).toBe('float16');
    expect(at(0.1)?.scaleType).toBe('float32');
  });

  it.each([2, 3, 4, 6, 8])(
    'findExactGrid: weights of %i bits in float16 are exact when the decoded weight rounds to them',
    (bitWidth) => {
      for (let seed = 1; seed <= 50; seed++) {
        const half = (value: number) => decodeFloat16(encodeFloat16(value));
        const values = onGrid(bitWidth, seed, 'channel', seed % 2 === 0).map(half);
        const found = findExactGrid({ ...SHAPE, values }, bitWidth, 'channel', 'float16');
        expect(found, `seed ${seed}`).toBeDefined();
        expect(dequantize(found!).map(half), `seed ${seed}`).toEqual(values.map((value) => value + 0));
        if (bitWidth >= 6) expect(findExactGrid({ ...SHAPE, values }, bitWidth, 'channel', 'float32')).toBeUndefined();
      }
    },
  );
});
