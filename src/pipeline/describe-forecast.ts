/** What a run says before it measures. */
import { countText, durationText, memoryText } from '../report/number-text.ts';
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
