/** Sensitivities that are measured: what is known of them, and the rest measured and kept. */
import type { CacheStatus } from '../cache/cache-status.ts';
import type { CacheInput, MeasurementCache } from '../cache/measurement-cache.ts';
import type { Config } from '../config/config.ts';
import type { FileIdentity } from '../report/gate-report.ts';
import type { MachineTimes } from '../sensitivity/forecast.ts';
import { measureSensitivities } from '../sensitivity/measure-sensitivities.ts';
import { sampleCountOf, type UnitInput, type UnitStore } from '../sensitivity/measure-units.ts';
import type { Sensitivities } from '../sensitivity/sensitivities.ts';
import {
  type CostForecast,
  chooseMethod,
  forecastMethods,
  type MethodPlan,
  planMethod,
  planMethods,
} from './choose-method.ts';
import { describeChoice, describeExcess, describeForecast } from './describe-forecast.ts';
import { type OpenCache, type OpenedSet, openKnown, verifyKnown } from './known-units.ts';
import type { Device } from './measurement-facts.ts';
import { adoptShares, type Shares } from './measurement-shares.ts';
import type { PreparedRun } from './prepare-run.ts';
import type { PreparedSweep, SweepEffects } from './prepare-sweep.ts';

export type MeasureEffects = SweepEffects & {
  /** Where models run. */
  readonly device: Device;
  readonly openCache: OpenCache;
  /** Told before anything is measured, for another process that takes up what this one leaves. */
  announceMeasurement(measurement: Pick<CacheInput, 'key' | 'label'> & { readonly unitCount: number }): void;
  /** Takes one line for the log. */
  note(line: string): void;
};

export type Measured = {
  readonly sensitivities: Sensitivities;
  /** The file that they are from, where nothing was measured. */
  readonly source?: FileIdentity;
  readonly cache: CacheStatus;
  /** The set of what is kept on this machine, and whether all that is wanted was there before; absent where nothing is. */
  readonly kept?: { readonly key: string; readonly hadAll: boolean };
  /** What each method costs on this machine, richest first. */
  readonly forecasts: readonly CostForecast[];
};

/**
 * @param shares what other machines measured
 * @throws UserError if a share is missing or foreign
 * @throws the signal's reason when it is aborted; what was measured until then is kept
 */
export async function measureWithCache(
  run: PreparedRun,
  { candidates, costs, times, fitting }: PreparedSweep,
  config: Config,
  effects: MeasureEffects,
  shares?: Shares,
): Promise<Measured> {
  const { memoryLimitBytes, sensitivity } = config;
  const input = { ...fitting, candidates, costs };
  const plans = planMethods({ ...input, memoryLimitBytes });
  const offered = plans.filter((plan) => sensitivity.method === 'auto' || sensitivity.method === plan.method);
  const set = await openKnown(run, offered, config, effects);
  const forecasts = forecastMethods(plans, times, set.cache.known);
  const method = chooseMethod(sensitivity, forecasts);
  const plan = plans.find((each) => each.method === method) ?? planMethod({ ...input, memoryLimitBytes }, method);
  set.cache.narrow(plan.wanted);
  if (shares === undefined) effects.note(describeChoice(sensitivity, forecasts, method));
  else await adoptShares(set, plan, shares);

  await beginMeasuring(set, plan, times, input, config, effects);
  const { signal, reportProgress } = effects;
  const measuring = { ...input, memoryLimitBytes, method, lossName: sensitivity.loss, signal, reportProgress };
  const sensitivities = await tellingWhatIsKept(set.cache, effects, () =>
    measureSensitivities({ ...measuring, store: storeOf(set.cache) }),
  );
  await set.cache.finish();
  const cache = set.cache.status;
  const kept = cache.store === 'local' ? { kept: { key: set.key, hadAll: cache.status === 'hit' } } : {};
  return { sensitivities, cache, ...kept, forecasts };
}

/** What comes before the first unit: trust in what is known, and a word on what is to come. */
export async function beginMeasuring(
  { key, label, cache }: OpenedSet,
  plan: MethodPlan,
  times: MachineTimes,
  input: UnitInput,
  config: Config,
  { announceMeasurement, note }: MeasureEffects,
): Promise<void> {
  if (plan.units.length === 0) return;
  announceMeasurement({ key, label, unitCount: plan.units.length });
  await verifyKnown(cache, plan, config.cache.verifyCount, input, note);
  const forecasts = forecastMethods([plan], times, cache.known);
  note(describeForecast(forecasts[0]!, sampleCountOf(input.batches), cache.known.size));
  const excess = describeExcess(config.sensitivity, forecasts);
  if (excess !== undefined) note(excess);
}

export function storeOf(cache: MeasurementCache): UnitStore {
  return { find: (unit) => cache.known.get(unit), keep: (measurement) => cache.keep(measurement) };
}

/** Of a sweep that is interrupted, says what it leaves. */
export async function tellingWhatIsKept<Result>(
  { known, status }: MeasurementCache,
  { signal, note }: Pick<MeasureEffects, 'signal' | 'note'>,
  measure: () => Promise<Result>,
): Promise<Result> {
  try {
    return await measure();
  } catch (error) {
    const { store, wantedUnits } = status;
    if (signal.aborted) {
      note(store === 'off' ? 'nothing is kept: the cache is off' : `${known.size} of ${wantedUnits} units kept`);
    }
    throw error;
  }
}
