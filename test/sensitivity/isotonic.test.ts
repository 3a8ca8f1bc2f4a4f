import { describe, expect, it } from 'vitest';
import { nonIncreasing } from '../../src/sensitivity/isotonic.ts';

describe('nonIncreasing', () => {
  it.each([
    ['keeps what falls already', [3, 2, 2, 0], [3, 2, 2, 0]],
    ['pools one violation to its mean', [3, 1, 2], [3, 1.5, 1.5]],
    ['pools backwards until the order holds', [1, 2, 6], [3, 3, 3]],
    ['weighs pools by their size', [4, 1, 1, 4], [4, 2, 2, 2]],
    ['takes a single value as it is', [5], [5]],
    ['takes none', [], []],
  ])('%s', (_, values, expected) => {
    expect(nonIncreasing(values)).toEqual(expected);
  });
});
