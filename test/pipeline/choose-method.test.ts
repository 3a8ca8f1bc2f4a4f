import { describe, expect, it } from 'vitest';
import type { SensitivityConfig } from '../../src/config/config.ts';
import { type CostForecast, chooseMethod } from '../../src/pipeline/choose-method.ts';

/** Richest first, with what is left to measure. */
function forecasts(pairwise: number, block: number, diagonal: number): CostForecast[] {
  const cost = { unitCount: 1, perturbations: 1, forwardEquivalents: 1, seconds: 1e6, memoryBytes: 1 };
  return [
    { ...cost, method: 'pairwise', pendingSeconds: pairwise },
    { ...cost, method: 'block', pendingSeconds: block },
    { ...cost, method: 'diagonal', pendingSeconds: diagonal },
  ];
}

function choose(method: SensitivityConfig['method'], timeLimitSeconds: number, costs: readonly CostForecast[]) {
  return chooseMethod({ method, timeLimitSeconds, loss: 'kl', transform: 'none', psd: true }, costs);
}

describe('chooseMethod', () => {
  it.each([
    [600, 'pairwise'],
    [599, 'block'],
    [60, 'block'],
    [59, 'diagonal'],
    [9, 'local'],
  ])('chooseMethod: auto with %d seconds takes the richest that fits, %s', (limit, method) => {
    expect(choose('auto', limit, forecasts(600, 60, 10))).toBe(method);
  });

  it('chooseMethod: pairwise beyond the limit becomes block only where auto was asked', () => {
    const costs = forecasts(21_600, 60, 10);
    expect(choose('auto', 600, costs)).toBe('block');
    expect(choose('pairwise', 600, costs)).toBe('pairwise');
  });

  it('chooseMethod: what is known costs nothing, however long it took', () => {
    expect(choose('auto', 0, forecasts(0, 60, 10))).toBe('pairwise');
    expect(choose('auto', 5, forecasts(600, 60, 0))).toBe('diagonal');
  });
});
