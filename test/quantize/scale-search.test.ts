import { describe, expect, it } from 'vitest';
import { type Grid, signedGrid } from '../../src/quantize/grid.ts';
import { searchScale } from '../../src/quantize/scale-search.ts';
import { seededFloats } from '../onnx/small-model.ts';

const WIDTHS = [1, 2, 3, 4, 5, 6, 7, 8];

/** Σ (w − scale · level)² with the level found by trying all of them. */
function errorOf(values: Float32Array, scale: number, { quantMin, quantMax }: Grid): number {
  let sum = 0;
  for (const value of values) {
    let least = Number.POSITIVE_INFINITY;
    for (let level = quantMin; level <= quantMax; level++) least = Math.min(least, (value - level * scale) ** 2);
    sum += least;
  }
  return sum;
}

/** The 89 ratios one by one, each error summed to its end. */
function searchSlowly(values: Float32Array, grid: Grid): number {
  const fullScale = Math.fround(Math.max(...values.map(Math.abs)) / Math.max(grid.quantMax, 1));
  const scales = Array.from({ length: 89 }, (_, step) => fullScale * (0.2 + 0.0125 * step));
  const errors = scales.map((scale) => errorOf(values, scale, grid));
  return scales[errors.indexOf(Math.min(...errors))]!;
}

/** Weights as networks have them: many small, few large. */
function heavyTailed(count: number, seed: number): Float32Array {
  return seededFloats(count, seed).map((number) => number ** 3);
}

describe('searchScale', () => {
  it.each(WIDTHS)('searchScale: %d bits, the best of all ratios', (bitWidth) => {
    const grid = signedGrid(bitWidth);
    for (const [values, subject] of [
      [seededFloats(27, bitWidth), 'uniform'],
      [heavyTailed(64, bitWidth), 'heavy-tailed'],
      [seededFloats(9, bitWidth).map((number) => number - 2), 'one-sided'],
      [Float32Array.of(0.3), 'a single weight'],
    ] as const) {
      expect(errorOf(values, searchScale(values, grid), grid), subject).toBeCloseTo(
        errorOf(values, searchSlowly(values, grid), grid),
        12,
      );
      expect(searchScale(values, grid), subject).toBe(searchSlowly(values, grid));
    }
  });

  it.each([2, 3, 4, 6, 8])('searchScale: %d bits, hardly worse than the best of 5,000 scales', (bitWidth) => {
    const grid = signedGrid(bitWidth);
    const values = heavyTailed(48, bitWidth);
    const largest = Math.max(...values.map(Math.abs));
    let best = Number.POSITIVE_INFINITY;
    for (let step = 1; step <= 5000; step++) {
      best = Math.min(best, errorOf(values, (largest / grid.quantMax) * (step / 5000) * 1.5, grid));
    }
    expect(errorOf(values, searchScale(values, grid), grid)).toBeLessThanOrEqual(best * 1.1);
  });

  it('searchScale: a scale of a scaled weight is the scaled scale', () => {
    const values = heavyTailed(64, 1);
    for (const factor of [2 ** -40, 0.5, 4, 2 ** 60]) {
      const scale = searchScale(
        values.map((number) => number * factor),
        signedGrid(4),
      );
      expect(scale).toBe(searchScale(values, signedGrid(4)) * factor);
    }
  });

  it('searchScale: outliers are clipped when that pays', () => {
    const values = Float32Array.from({ length: 100 }, (_, index) => (index === 0 ? 1 : Math.sin(index) / 4));
    expect(searchScale(values, signedGrid(3))).toBeLessThan(1 / 3);
  });

  it.each([
    ['zeros', new Float32Array(5)],
    ['no weights', new Float32Array(0)],
    ['weights too small for a normal scale', Float32Array.of(1e-40, -1e-38)],
  ])('searchScale: %s have the scale 1', (_, values) => {
    expect(searchScale(values, signedGrid(4))).toBe(1);
  });
});
