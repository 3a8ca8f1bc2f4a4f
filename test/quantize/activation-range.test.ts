import { describe, expect, it } from 'vitest';
import { activationGrid, chooseRange, type Histogram, quantizationError } from '../../src/quantize/activation-range.ts';

describe('activationGrid', () => {
  it.each([
    { name: 'only positive values', min: 0, max: 51, scale: Math.fround(0.2), zeroPoint: 0 },
    { name: 'a range without zero is widened', min: 17, max: 51, scale: Math.fround(0.2), zeroPoint: 0 },
    { name: 'only negative values', min: -51, max: -3, scale: Math.fround(0.2), zeroPoint: 255 },
    { name: 'both', min: -25.5, max: 25.5, scale: Math.fround(0.2), zeroPoint: 127 },
    { name: 'constant zero', min: 0, max: 0, scale: 1, zeroPoint: 0 },
    { name: 'too small for float32', min: 0, max: 1e-40, scale: 1, zeroPoint: 0 },
  ])('activationGrid: $name', ({ min, max, scale, zeroPoint }) => {
    expect(activationGrid({ min, max })).toEqual({ scale, zeroPoint });
  });
});

/** 990 values near one and 10 far out, in a hundred bins from 0 to 100. */
function withOutliers(): Histogram {
  const counts = new Float64Array(100);
  counts.fill(99, 0, 10);
  counts[99] = 10;
  return { min: 0, max: 100, counts };
}

describe('chooseRange', () => {
  it('chooseRange: min-max is what was seen', () => {
    expect(chooseRange({ min: -3, max: 7, counts: Float64Array.of(1) }, { kind: 'min-max' })).toEqual({
      min: -3,
      max: 7,
    });
  });

  it('chooseRange: a percentile leaves its share of the values out, at either end', () => {
    const uniform = { min: -50, max: 50, counts: new Float64Array(100).fill(10) };
    expect(chooseRange(uniform, { kind: 'percentile', percentile: 95 })).toEqual({ min: -45, max: 45 });
    expect(chooseRange(uniform, { kind: 'percentile', percentile: 100 })).toEqual({ min: -50, max: 50 });
    expect(chooseRange(withOutliers(), { kind: 'percentile', percentile: 98.5 })).toEqual({ min: 0, max: 10 });
  });

  it.each([50, 101, Number.NaN])('chooseRange: there is no percentile %d', (percentile) => {
    expect(() => chooseRange(withOutliers(), { kind: 'percentile', percentile })).toThrow(
      `no range of percentile ${percentile}`,
    );
  });

  it('chooseRange: the least squared error clips no far value that costs more than it saves', () => {
    expect(chooseRange(withOutliers(), { kind: 'mse' })).toEqual({ min: 0, max: 100 });
  });

  it('chooseRange: the least squared error is no worse than any range that is tried', () => {
    const counts = Float64Array.from({ length: 200 }, (_, bin) => Math.exp(-(((bin - 80) / 12) ** 2)) * 1000);
    counts[199] = 0.001;
    const histogram = { min: -4, max: 6, counts };
    const chosen = chooseRange(histogram, { kind: 'mse' });
    const error = quantizationError(histogram, chosen);
    expect(chosen.max).toBeLessThan(6);
    expect(error).toBeLessThan(quantizationError(histogram, histogram));
    for (let share = 0.3; share <= 1; share += 0.05) {
      expect(error).toBeLessThanOrEqual(quantizationError(histogram, { min: chosen.min, max: 6 * share }) * 1.01);
    }
  });

  it('quantizationError: a value in the middle of its bin, rounded to the grid of hundredths', () => {
    // Bins 0.5 wide; the middle 0.25 of the first is a tie between two levels 0.1 apart, 0.05 from either.
    const histogram = { min: 0, max: 25.5, counts: new Float64Array(51) };
    histogram.counts[0] = 4;
    expect(quantizationError(histogram, { min: 0, max: 25.5 })).toBeCloseTo(4 * 0.05 ** 2, 6);
  });
});
