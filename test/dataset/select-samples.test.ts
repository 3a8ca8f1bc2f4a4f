import { describe, expect, it } from 'vitest';
import type { SampleSet } from '../../src/dataset/sample-set.ts';
import { selectSamples } from '../../src/dataset/select-samples.ts';
import { seededRandom } from '../../src/random.ts';

function setOf(sampleCount: number): SampleSet {
  return { path: 'd.npz', sampleCount, read: async () => ({}), contentHashes: async () => [] };
}

describe('selectSamples', () => {
  it('selectSamples: without a count, all of them', () => {
    expect(selectSamples(setOf(4), undefined, 1)).toEqual([0, 1, 2, 3]);
    expect(selectSamples(setOf(4), 4, 1)).toEqual([0, 1, 2, 3]);
  });

  it('selectSamples: the choice of a seed is fixed for good, because results are compared over years', () => {
    expect(selectSamples(setOf(100), 8, 0)).toEqual([39, 51, 55, 66, 69, 77, 85, 94]);
    expect(selectSamples(setOf(100), 8, 1)).toEqual([9, 18, 36, 55, 56, 71, 81, 82]);
    expect(selectSamples(setOf(2 ** 17), 3, 2 ** 32 - 1)).toEqual([39750, 120548, 131025]);
  });

  it('selectSamples: indices ascend, without repetition, and exist', () => {
    for (let seed = 0; seed < 50; seed++) {
      const chosen = selectSamples(setOf(60), 30, seed);
      expect(chosen).toHaveLength(30);
      for (const [place, index] of chosen.entries()) {
        expect(index).toBeGreaterThan(chosen[place - 1] ?? -1);
        expect(index).toBeLessThan(60);
      }
    }
  });

  it('selectSamples: over many seeds every sample, and every pair, is as likely as another', () => {
    const [sampleCount, count, seedCount] = [10, 4, 6000];
    const single = new Array<number>(sampleCount).fill(0);
    const pair = new Map<string, number>();
    for (let seed = 0; seed < seedCount; seed++) {
      const chosen = selectSamples(setOf(sampleCount), count, seed);
      for (const [place, index] of chosen.entries()) {
        single[index]!++;
        for (const other of chosen.slice(place + 1)) {
          pair.set(`${index},${other}`, (pair.get(`${index},${other}`) ?? 0) + 1);
        }
      }
    }
    // Five standard deviations of a binomial count.
    const spread = (probability: number) => 5 * Math.sqrt(seedCount * probability * (1 - probability));
    for (const times of single) expect(Math.abs(times - seedCount * 0.4)).toBeLessThan(spread(0.4));
    expect(pair.size).toBe(45);
    for (const times of pair.values()) expect(Math.abs(times - seedCount * (2 / 15))).toBeLessThan(spread(2 / 15));
  });

  it('selectSamples: fewer samples than asked are refused', () => {
    expect(() => selectSamples(setOf(4), 5, 1)).toThrow(
      'd.npz: there are 4 samples, but 5 are asked for\n  fix: set samples to 4 or less',
    );
  });
});

describe('seededRandom', () => {
  it('seededRandom: numbers are those of splitmix32', () => {
    // The algorithm written out in big integers, which have no 32-bit traps.
    const mask = 0xffffffffn;
    let state = 12345n;
    const slow = () => {
      state = (state + 0x9e3779b9n) & mask;
      let mixed = ((state ^ (state >> 16n)) * 0x21f0aaadn) & mask;
      mixed = ((mixed ^ (mixed >> 15n)) * 0x735a2d97n) & mask;
      return Number(mixed ^ (mixed >> 15n)) / 2 ** 32;
    };
    const random = seededRandom(12345);
    for (let index = 0; index < 1000; index++) expect(random()).toBe(slow());
  });
});
