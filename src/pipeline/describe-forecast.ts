/** What a run says before it measures. */
import type { SensitivityConfig } from '../config/config.ts';
import { countText, durationText, memoryText } from '../report/number-text.ts';
import type { SensitivityMethod } from '../sensitivity/method.ts';
import type { CostForecast } from './choose-method.ts';

/** "pairwise: 1,770 networks in 57 sessions of up to 120 MB, 652.1 forwards of 384 samples, about 45 s here". */
export function describeForecast(forecast: CostForecast, sampleCount: number, knownCount: number): string {
  const { method, unitCount, perturbations, forwardEquivalents, pendingSeconds, memoryBytes } = forecast;
  const sessions = unitCount === 1 ? 'session' : 'sessions';
  const size = `${countText(perturbations)} networks in ${countText(unitCount)} ${sessions} of up to ${memoryText(memoryBytes)}`;
  const work = `${forwardEquivalents.toFixed(1)} forwards of ${countText(sampleCount)} samples`;
  const known = knownCount === 0 ? [] : [`${countText(knownCount)} ${sessions} known already`];
  const time = knownCount === unitCount ? 'nothing to measure' : `about ${durationText(pendingSeconds)} here`;
  return `${method}: ${[size, work, ...known, time].join(', ')}`;
}

/** "forecast of each method: pairwise about 45 s, block about 12 s, diagonal about 3.1 s, local nothing; auto takes block". */
export function describeChoice(
  { method: configured, timeLimitSeconds }: SensitivityConfig,
  forecasts: readonly CostForecast[],
  chosen: SensitivityMethod,
): string {
  const costs = forecasts.map(({ method, pendingSeconds }) =>
    pendingSeconds === 0 ? `${method} nothing` : `${method} about ${durationText(pendingSeconds)}`,
  );
  const choice = configured === 'auto' ? `; auto takes ${chosen}, with ${durationText(timeLimitSeconds)} to spend` : '';
  return `forecast of each method: ${[...costs, 'local nothing'].join(', ')}${choice}`;
}

/** What a person should know before hours pass: the method that the config names takes longer than its time limit. */
export function describeExcess(
  { method, timeLimitSeconds }: SensitivityConfig,
  forecasts: readonly CostForecast[],
): string | undefined {
  const forecast = forecasts.find((each) => each.method === method);
  if (forecast === undefined || forecast.pendingSeconds <= timeLimitSeconds) return undefined;
  const times = `about ${durationText(forecast.pendingSeconds)}, more than the ${durationText(timeLimitSeconds)} of \`sensitivity.time-limit\``;
  return `warning: ${method} takes ${times}; it is measured because the config names it, and \`method: auto\` would take less`;
}
