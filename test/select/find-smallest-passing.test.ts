import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/random.ts';
import { findSmallestPassing, MOST_STEPS, SIZE_TOLERANCE } from '../../src/select/find-smallest-passing.ts';

/** Models of these sizes: for a budget, the largest that fits. */
function search(sizes: readonly number[], passes: (sizeBytes: number) => boolean) {
  const range = { smallest: Math.min(...sizes), largest: Math.max(...sizes) };
  return findSmallestPassing(range, async (limitBytes) => {
    const sizeBytes = Math.max(...sizes.filter((size) => size <= limitBytes));
    return { sizeBytes, passed: passes(sizeBytes) };
  });
}

const SIZES = Array.from({ length: 3001 }, (_, index) => 1000 + index);

describe('findSmallestPassing', () => {
  it.each([1000, 1001, 1500, 2345, 3999, 4000])(
    'findSmallestPassing: where all from %d bytes pass, within the tolerance of the smallest, and the next below was measured and fails',
    async (threshold) => {
      const { best, steps } = await search(SIZES, (size) => size >= threshold);
      expect(best.passed).toBe(true);
      expect(best.sizeBytes).toBeGreaterThanOrEqual(threshold);
      expect(best.sizeBytes).toBeLessThanOrEqual(Math.ceil(threshold * (1 + SIZE_TOLERANCE)) + 1);
      expect(steps.length).toBeLessThanOrEqual(MOST_STEPS);
      const failed = steps.filter(({ outcome }) => !outcome.passed).map(({ outcome }) => outcome.sizeBytes);
      const below = Math.max(999, ...failed);
      expect(best.sizeBytes - below).toBeLessThanOrEqual(SIZE_TOLERANCE * best.sizeBytes);
    },
  );

  it('findSmallestPassing: of few sizes it finds the very smallest that passes', async () => {
    const { best, steps } = await search([100, 150, 220, 400], (size) => size >= 150);
    expect(best.sizeBytes).toBe(150);
    expect(steps[0]).toEqual({ limitBytes: 400, outcome: { sizeBytes: 400, passed: true } });
  });

  it('findSmallestPassing: where even the largest fails, that is the answer, and nothing else is measured', async () => {
    const { best, steps } = await search(SIZES, (size) => size < 2000);
    expect(best).toEqual({ sizeBytes: 4000, passed: false });
    expect(steps).toHaveLength(1);
  });

  it('findSmallestPassing: where other limits leave no model below some size, it finds that size, and counts models alone', async () => {
    const { best, steps } = await findSmallestPassing({ smallest: 1000, largest: 4000 }, async (limitBytes) =>
      limitBytes < 2000 ? undefined : { sizeBytes: limitBytes, passed: true },
    );
    expect(best.sizeBytes).toBeLessThanOrEqual(2000 * (1 + SIZE_TOLERANCE));
    expect(steps.every(({ outcome, limitBytes }) => outcome.passed && limitBytes >= 2000)).toBe(true);
    await expect(findSmallestPassing({ smallest: 1, largest: 9 }, async () => undefined)).rejects.toThrow(RangeError);
  });

  it('findSmallestPassing: one size alone is measured once', async () => {
    expect(await search([70], () => true)).toEqual({
      best: { sizeBytes: 70, passed: true },
      steps: [{ limitBytes: 70, outcome: { sizeBytes: 70, passed: true } }],
    });
  });

  it.each([1, 2, 3, 4, 5])(
    'findSmallestPassing: by luck alone (seed %d), the smallest of what was measured and passed',
    async (seed) => {
      const random = seededRandom(seed);
      const { best, steps } = await search(SIZES, (size) => size === 4000 || random() < 0.5);
      const passed = steps.filter(({ outcome }) => outcome.passed).map(({ outcome }) => outcome.sizeBytes);
      expect(best.sizeBytes).toBe(Math.min(...passed));
    },
  );
});
