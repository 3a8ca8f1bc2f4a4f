import { describe, expect, it } from 'vitest';
import type { SensitivityConfig } from '../../src/config/config.ts';
import type { CostForecast } from '../../src/pipeline/choose-method.ts';
import { describeChoice, describeExcess, describeForecast } from '../../src/pipeline/describe-forecast.ts';

const PAIRWISE: CostForecast = {
  method: 'pairwise',
  unitCount: 57,
  perturbations: 1770,
  forwardEquivalents: 652.1,
  seconds: 21_600,
  pendingSeconds: 21_600,
  memoryBytes: 119.2e6,
};
const FORECASTS: readonly CostForecast[] = [
  PAIRWISE,
  { ...PAIRWISE, method: 'block', pendingSeconds: 725 },
  { ...PAIRWISE, method: 'diagonal', pendingSeconds: 0 },
];

const config = (method: SensitivityConfig['method'], timeLimitSeconds = 600): SensitivityConfig => ({
  method,
  timeLimitSeconds,
  loss: 'kl',
  transform: 'none',
  psd: true,
});

describe('describeForecast', () => {
  it('describeForecast: networks, sessions, memory, forwards and time', () => {
    expect(describeForecast(PAIRWISE, 384, 0)).toBe(
      'pairwise: 1,770 networks in 57 sessions of up to 120 MB, 652.1 forwards of 384 samples, about 6 h 0 min here',
    );
  });

  it('describeForecast: what is known, and that nothing is left', () => {
    expect(describeForecast({ ...PAIRWISE, pendingSeconds: 30 }, 384, 50)).toMatch(
      /, 50 sessions known already, about 30 s here$/,
    );
    expect(describeForecast(PAIRWISE, 384, 57)).toMatch(/, 57 sessions known already, nothing to measure$/);
  });
});

describe('describeChoice', () => {
  it('describeChoice: what each method would cost, and what auto takes of them', () => {
    const costs =
      'forecast of each method: pairwise about 6 h 0 min, block about 12 min 5 s, diagonal nothing, local nothing';
    expect(describeChoice(config('pairwise'), FORECASTS, 'pairwise')).toBe(costs);
    expect(describeChoice(config('auto'), FORECASTS, 'diagonal')).toBe(
      `${costs}; auto takes diagonal, with 10 min 0 s to spend`,
    );
  });
});

describe('describeExcess', () => {
  it('describeExcess: a method that is named and takes longer than its limit is told of', () => {
    expect(describeExcess(config('pairwise'), FORECASTS)).toBe(
      'warning: pairwise takes about 6 h 0 min, more than the 10 min 0 s of `sensitivity.time-limit`; it is measured because the config names it, and `method: auto` would take less',
    );
  });

  it.each<[string, SensitivityConfig]>([
    ['a method within its limit', config('pairwise', 21_600)],
    ['what is known already', config('diagonal', 0)],
    ['local, which costs nothing', config('local', 0)],
    ['auto, which keeps the limit', config('auto', 0)],
  ])('describeExcess: nothing of %s', (_, sensitivity) => {
    expect(describeExcess(sensitivity, FORECASTS)).toBeUndefined();
  });
});
