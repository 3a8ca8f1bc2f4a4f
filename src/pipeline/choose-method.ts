/** Which method measures the sensitivities, when the config leaves it open. */
import type { SensitivityConfig } from '../config/config.ts';
import { forecastSweep } from '../sensitivity/forecast.ts';
import { type PlanInput, planUnits } from '../sensitivity/measure-sensitivities.ts';
import { MEASURED_METHODS, type MethodForecast, richestWithin, type SensitivityMethod } from '../sensitivity/method.ts';

export type ForecastInput = Omit<PlanInput, 'method'> & {
  /** One forward of the float model over all samples that sensitivities are measured on. */
  readonly secondsPerForward: number;
};

export type CostForecast = MethodForecast & {
  readonly perturbations: number;
  readonly forwardEquivalents: number;
};

/** What each method would cost, richest first. */
export function forecastMethods(input: ForecastInput): CostForecast[] {
  return MEASURED_METHODS.map((method) => {
    const forecast = forecastSweep(input.model, input.candidates, input.costs, planUnits({ ...input, method }));
    return { method, ...forecast, seconds: forecast.forwardEquivalents * input.secondsPerForward * OVERHEAD };
  });
}

/** Sessions are created and losses taken besides the forwards. */
const OVERHEAD = 1.15;

export function chooseMethod(
  { method, timeLimitSeconds }: SensitivityConfig,
  forecasts: CostForecast[],
): SensitivityMethod {
  return method === 'auto' ? richestWithin(forecasts, timeLimitSeconds) : method;
}
