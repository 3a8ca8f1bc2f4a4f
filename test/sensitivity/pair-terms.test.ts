import { describe, expect, it } from 'vitest';
import { quadraticTerms } from '../../src/sensitivity/pair-terms.ts';
import type { Sensitivities } from '../../src/sensitivity/sensitivities.ts';

/** Two layers with two candidates each: losses alone, and of the pairs (0,2), (0,3), (1,2), (1,3). */
function measured(singles: number[], pairs?: [number, number, number, number]): Sensitivities {
  const common = {
    loss: 'kl' as const,
    sampleCount: 1,
    candidateCounts: [2, 2],
    singles: Float64Array.from(singles),
    singleCount: 4,
    pairCount: pairs === undefined ? 0 : 4,
    forwardEquivalents: 0,
    seconds: 0,
  };
  if (pairs === undefined) return { ...common, method: 'diagonal' };
  const [ac, ad, bc, bd] = pairs;
  const none = Number.NaN;
  const matrix = [none, none, ac, ad, none, none, bc, bd, ac, bc, none, none, ad, bd, none, none];
  return { ...common, method: 'pairwise', pairs: Float64Array.from(matrix) };
}

const PLAIN = { transform: 'none', psd: false } as const;

describe('quadraticTerms', () => {
  it('puts 2 s_i(b) on the diagonal, and nothing else without pairs', () => {
    const { quadratic } = quadraticTerms(measured([3, 1, 2, 0.5]), PLAIN);
    expect([...quadratic]).toEqual([6, 0, 0, 0, 0, 2, 0, 0, 0, 0, 4, 0, 0, 0, 0, 1]);
  });

  it('puts Ω = L(pair) − s_i − s_j off the diagonal, so that ½xᵀGx is the measured loss of a pair', () => {
    const { quadratic } = quadraticTerms(measured([3, 1, 2, 0.5], [6, 4, 3.5, 1.25]), PLAIN);
    expect(quadratic[0 * 4 + 2]).toBe(1);
    expect(quadratic[1 * 4 + 3]).toBe(-0.25);
    expect(quadratic[0]! / 2 + quadratic[3 * 4 + 3]! / 2 + quadratic[0 * 4 + 3]!).toBe(4);
  });

  it('leaves zero between two candidates of one layer', () => {
    const { quadratic } = quadraticTerms(measured([3, 1, 2, 0.5], [6, 4, 3.5, 1.25]), PLAIN);
    expect([quadratic[1], quadratic[4], quadratic[11], quadratic[14]]).toEqual([0, 0, 0, 0]);
  });

  it('takes log(1 + L) before the terms are formed', () => {
    const { quadratic } = quadraticTerms(measured([3, 1, 2, 0.5], [6, 4, 3.5, 1.25]), {
      transform: 'log1p',
      psd: false,
    });
    expect(quadratic[0]).toBeCloseTo(2 * Math.log(4), 12);
    expect(quadratic[2]).toBeCloseTo(Math.log(7) - Math.log(4) - Math.log(3), 12);
  });

  it('guards the diagonal: more bits are never worse, and nothing is better than float', () => {
    const { quadratic } = quadraticTerms(measured([1, 3, -0.5, -1]), PLAIN);
    expect([0, 5, 10, 15].map((index) => quadratic[index])).toEqual([4, 4, 0, 0]);
  });

  it('forms pair terms from the losses as measured, not as guarded', () => {
    const { quadratic } = quadraticTerms(measured([1, 3, 1, 1], [2, 2, 4, 4]), PLAIN);
    expect([quadratic[2], quadratic[3], quadratic[6], quadratic[7]]).toEqual([0, 0, 0, 0]);
  });

  it('projects when asked, and tells how much of G was negative', () => {
    const input = measured([0.1, 0.1, 0.1, 0.1], [3, 3, 3, 3]);
    const projected = quadraticTerms(input, { transform: 'none', psd: true });
    expect(projected.negativeShare).toBeGreaterThan(0.5);
    expect(projected.quadratic).not.toEqual(quadraticTerms(input, PLAIN).quadratic);
  });
});
