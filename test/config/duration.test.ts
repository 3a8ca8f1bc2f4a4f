import { describe, expect, it } from 'vitest';
import { parseDuration } from '../../src/config/duration.ts';

describe('parseDuration', () => {
  it.each([
    [90, 90],
    [0, 0],
    ['90', 90],
    ['90s', 90],
    ['1.5m', 90],
    ['2 h', 7200],
    ['.5m', 30],
    [-1, undefined],
    [Number.NaN, undefined],
    [Number.POSITIVE_INFINITY, undefined],
    ['', undefined],
    ['5 days', undefined],
    ['-5s', undefined],
    ['1m30s', undefined],
  ])('parseDuration: %j', (value, seconds) => {
    expect(parseDuration(value)).toBe(seconds);
  });
});
