import { describe, expect, it } from 'vitest';
import { fittingUpgrades, keepsLimits } from '../../src/allocate/fitting-upgrades.ts';
import { allocationsOf, sizedProblem } from './sized-problem.ts';

describe('keepsLimits', () => {
  it.each([
    ['two layers at two bits, one width to decode', [0, 3], 116, true],
    ['a byte less', [0, 3], 115, false],
    ['two widths to decode', [1, 3], 128, true],
    ['two widths, a byte less', [1, 3], 127, false],
    ['one width again', [1, 4], 122, true],
  ])('counts the bytes of the very file: %s', (_, variables, limit, expected) => {
    expect(keepsLimits(sizedProblem(2, limit), variables)).toBe(expected);
  });

  it('counts bits of weights for a budget in bits', () => {
    const bits = { kind: 'weight-bits', limit: 2 * 8 + 4 * 16 } as const;
    expect(keepsLimits({ ...sizedProblem(2, 0), budget: bits }, [0, 4])).toBe(true);
    expect(keepsLimits({ ...sizedProblem(2, 0), budget: { ...bits, limit: bits.limit - 1 } }, [0, 4])).toBe(false);
  });

  it('keeps further limits', () => {
    const constraint = { name: 'latency', costs: Float64Array.of(1, 2, 4, 1, 2, 4), limit: 3 };
    expect(keepsLimits(sizedProblem(2, 999, [], [constraint]), [0, 4])).toBe(true);
    expect(keepsLimits(sizedProblem(2, 999, [], [constraint]), [1, 4])).toBe(false);
  });
});

describe('fittingUpgrades', () => {
  it('takes the room that a width gives back which no layer has any more', () => {
    // Both at two bits take 116; one of them at four 128 or 130, and both 122.
    const problem = sizedProblem(2, 122);
    expect(fittingUpgrades(problem, [0, 3])).toEqual([]);
    expect(fittingUpgrades(sizedProblem(2, 122, [[0, 1]]), [0, 3])).toEqual([[1, 4]]);
  });

  it.each([
    ['without ties', 160, []],
    ['with a tie', 170, [[0, 2]]],
    ['with no room', 118, []],
  ])('are all allocations that fit with one layer or tie wider, %s', (_, limit, ties) => {
    const problem = sizedProblem(4, limit, ties);
    for (const variables of allocationsOf(problem).filter((some) => keepsLimits(problem, some))) {
      const expected = allocationsOf(problem).filter((rival) => {
        const changed = [...rival.keys()].filter((layer) => rival[layer] !== variables[layer]);
        const isOne =
          changed.length === 1 || (changed.length > 1 && ties.some((tie) => String(tie) === String(changed)));
        return isOne && changed.every((layer) => rival[layer]! > variables[layer]!) && keepsLimits(problem, rival);
      });
      expect(fittingUpgrades(problem, variables).map(String).sort()).toEqual(expected.map(String).sort());
    }
  });
});
