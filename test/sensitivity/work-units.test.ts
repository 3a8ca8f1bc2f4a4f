import { describe, expect, it } from 'vitest';
import type { Candidate } from '../../src/sensitivity/candidates.ts';
import { pairUnits, singleUnits, type UnitMemory } from '../../src/sensitivity/work-units.ts';

/** Layers 0, 0, 1, 1, 2; the fourth variable leaves its layer in float. */
const CANDIDATES = [0, 0, 1, 1, 2].map(
  (layerIndex, variable) => ({ layerIndex, content: variable === 3 ? 'float' : {} }) as Candidate,
);

function memory(limitBytes: number): UnitMemory {
  return { limitBytes, baseBytes: 10, branchBytes: [1, 1, 1, 1, 1] };
}

describe('singleUnits', () => {
  it('measures every candidate that perturbs, in one unit where memory allows', () => {
    expect(singleUnits(CANDIDATES, memory(100))).toEqual([
      { base: undefined, branches: [0, 1, 2, 4], measuresBase: false },
    ]);
  });

  it('splits into units of equal size that fit', () => {
    expect(singleUnits(CANDIDATES, memory(12)).map(({ branches }) => branches)).toEqual([
      [0, 1],
      [2, 4],
    ]);
  });

  it('gives a branch that does not fit a unit of its own', () => {
    expect(singleUnits(CANDIDATES, memory(5)).map(({ branches }) => branches)).toEqual([[0], [1], [2], [4]]);
  });
});

describe('units of nothing', () => {
  it('has no unit where every layer stays float', () => {
    const float = [0, 1].map((layerIndex) => ({ layerIndex, content: 'float' }) as Candidate);
    expect(singleUnits(float, memory(100))).toEqual([]);
    expect(pairUnits(float, memory(100), () => true)).toEqual([]);
  });
});

describe('pairUnits', () => {
  it('measures each pair of layers once, from the earlier one, and every candidate alone', () => {
    expect(pairUnits(CANDIDATES, memory(100), () => true)).toEqual([
      { base: 0, branches: [2, 4], measuresBase: true },
      { base: 1, branches: [2, 4], measuresBase: true },
      { base: 2, branches: [4], measuresBase: true },
      { base: 4, branches: [], measuresBase: true },
    ]);
  });

  it('leaves out pairs that are not wanted', () => {
    const units = pairUnits(CANDIDATES, memory(100), (earlier, later) => later - earlier === 1);
    expect(units.map(({ branches }) => branches)).toEqual([[2], [2], [4], []]);
  });

  it('measures the base in the first of its units only', () => {
    expect(pairUnits(CANDIDATES, memory(11), () => true).slice(0, 2)).toEqual([
      { base: 0, branches: [2], measuresBase: true },
      { base: 0, branches: [4], measuresBase: false },
    ]);
  });
});
