import { describe, expect, it } from 'vitest';
import { storedScales } from '../../src/quantize/stored-scales.ts';

describe('storedScales', () => {
  it.each([
    ['ordinary scales, to the nearest half', [0.1, 3, 65504], 'float16', [0.0999755859375, 3, 65504]],
    ['scales with four bits in half precision', [2 ** -20, 33 * 2 ** -25], 'float16', [2 ** -20, 2 ** -20]],
    ['a dead channel beside live ones', [2 ** -12, 1e-13], 'float16', [2 ** -12, 2 ** -20]],
    ['a small channel beside others hardly larger', [2 ** -13, 2 ** -21], 'float32', [2 ** -13, 2 ** -21]],
    ['a tensor of tiny weights', [1e-8, 1e-9], 'float32', [1e-8, 1e-9]],
    ['a scale beyond half precision', [70_000, 1], 'float32', [70_000, 1]],
    ['no number', [Number.NaN, 1], 'float32', [Number.NaN, 1]],
  ])('storedScales: %s', (_, scales, scaleType, expected) => {
    expect(storedScales(Float32Array.from(scales))).toEqual({ scaleType, scales: Float32Array.from(expected) });
  });

  it('storedScales: a half is within 1/32 of the scale it stands for', () => {
    for (let exponent = -20; exponent < 15; exponent += 0.01) {
      const scale = Math.fround(2 ** exponent);
      const { scaleType, scales } = storedScales(Float32Array.of(scale));
      expect(scaleType).toBe('float16');
      expect(Math.abs(scales[0]! / scale - 1)).toBeLessThanOrEqual(1 / 32);
    }
  });
});
