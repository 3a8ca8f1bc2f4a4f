/** What each method of measuring would do and cost, and which one is taken when the config leaves it open. */
import type { WantedUnit } from '../cache/wanted-units.ts';
import type { SensitivityConfig } from '../config/config.ts';
import {
  estimateUnits,
  type Forecast,
  forecastSweep,
  type MachineTimes,
  type UnitCost,
} from '../sensitivity/forecast.ts';
import { type PlanInput, planUnits } from '../sensitivity/measure-sensitivities.ts';
import { MEASURED_METHODS, richestWithin, type SensitivityMethod } from '../sensitivity/method.ts';
import { lossNames, unitName } from '../sensitivity/unit-names.ts';
import type { WorkUnit } from '../sensitivity/work-units.ts';

/** A method's units, in the order in which they are measured; lists of one length. */
export type MethodPlan = {
  readonly method: SensitivityMethod;
  readonly units: readonly WorkUnit[];
  readonly wanted: readonly WantedUnit[];
  readonly costs: readonly UnitCost[];
};

/** Richest first; `local` needs no units. */
export function planMethods(input: Omit<PlanInput, 'method'>): MethodPlan[] {
  return MEASURED_METHODS.map((method) => planMethod(input, method));
}

export function planMethod(input: Omit<PlanInput, 'method'>, method: SensitivityMethod): MethodPlan {
  const units = planUnits({ ...input, method });
  const wanted = units.map((unit) => ({
    unit: unitName(unit, input.candidates),
    lossNames: lossNames(unit, input.candidates),
  }));
  return { method, units, wanted, costs: estimateUnits(input, units) };
}

export type CostForecast = Forecast & {
  readonly method: SensitivityMethod;
  readonly unitCount: number;
  /** Of the units that are not known. */
  readonly pendingSeconds: number;
};

/** @param known units whose measurements are at hand */
export function forecastMethods(
  plans: readonly MethodPlan[],
  times: MachineTimes,
  known: { has(unit: string): boolean } = new Set<string>(),
): CostForecast[] {
  return plans.map(({ method, wanted, costs }) => {
    const pending = costs.filter((_, index) => !known.has(wanted[index]!.unit));
    return {
      method,
      unitCount: costs.length,
      ...forecastSweep(costs, times),
      pendingSeconds: forecastSweep(pending, times).seconds,
    };
  });
}

/** Of the methods that measure; what is known costs nothing, so that a slower machine chooses as the one that measured. */
export function chooseMethod(
  { method, timeLimitSeconds }: SensitivityConfig,
  forecasts: readonly CostForecast[],
): SensitivityMethod {
  if (method === 'external') throw new RangeError('external sensitivities are not measured');
  if (method !== 'auto') return method;
  const pending = forecasts.map((forecast) => ({ method: forecast.method, seconds: forecast.pendingSeconds }));
  return richestWithin(pending, timeLimitSeconds);
}
