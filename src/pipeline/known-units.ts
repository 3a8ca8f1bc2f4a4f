/** What is known of a measurement before it begins, and whether that is to be believed. */
import { randomInt } from 'node:crypto';
import { basename } from 'node:path';
import type { CacheInput, MeasurementCache } from '../cache/measurement-cache.ts';
import { measurementKey } from '../cache/measurement-key.ts';
import { verifyRecords } from '../cache/verify-records.ts';
import type { CacheConfig, Config } from '../config/config.ts';
import { measureUnit, type UnitInput } from '../sensitivity/measure-units.ts';
import type { MethodPlan } from './choose-method.ts';
import { type Device, measurementFacts } from './measurement-facts.ts';
import type { PreparedRun } from './prepare-run.ts';

/** A measurement set, and what is known of it. */
export type OpenedSet = Pick<CacheInput, 'key' | 'label'> & { readonly cache: MeasurementCache };

export type OpenCache = (config: CacheConfig, set: Omit<CacheInput, 'policy'>) => Promise<MeasurementCache>;

type OpenEffects = { readonly device: Device; readonly openCache: OpenCache };

/** @param plans of the methods that may be chosen */
export function openKnown(
  run: PreparedRun,
  plans: readonly MethodPlan[],
  config: Config,
  effects: OpenEffects,
): Promise<OpenedSet> {
  return openSet(
    run,
    plans.flatMap((plan) => plan.wanted),
    config,
    effects,
  );
}

/** All that is kept, of whatever methods. */
export function openAllKept(run: PreparedRun, config: Config, effects: OpenEffects): Promise<OpenedSet> {
  return openSet(run, 'all', config, effects);
}

async function openSet(
  run: PreparedRun,
  wanted: CacheInput['wanted'],
  config: Config,
  { device, openCache }: OpenEffects,
): Promise<OpenedSet> {
  const facts = await measurementFacts({ ...run, ...device, calibration: run.data.calibration }, config);
  const { loss } = config.sensitivity;
  const { method, correct } = config.quantize;
  const set = { key: measurementKey(facts), label: `${basename(config.modelPath)}, ${loss}, ${method}, ${correct}` };
  return { ...set, cache: await openCache(config.cache, { ...set, wanted }) };
}

/** Seeds of seededRandom. */
const SEED_LIMIT = 2 ** 32;

/** Measure some known units again, and forget all that is known when one differs. */
export async function verifyKnown(
  cache: MeasurementCache,
  { units, wanted }: MethodPlan,
  count: number,
  input: UnitInput,
  note: (line: string) => void,
): Promise<void> {
  if (count === 0 || cache.known.size === 0) return;
  const unitOf = new Map(units.map((unit, index) => [wanted[index]!.unit, unit]));
  const { checkedUnits, mismatch } = await verifyRecords(cache.known, {
    count,
    // Who wrote what is known could not know which units are looked at.
    seed: randomInt(SEED_LIMIT),
    measure: async (name) => (await measureUnit(input, unitOf.get(name)!)).losses,
  });
  if (mismatch === undefined) return note(`cache-verify: ${checkedUnits.length} known units measured again, as known`);
  const { unit, loss, kept, measured } = mismatch;
  await cache.drop(`the loss ${loss} of unit ${unit} was known as ${kept}, and is measured as ${measured}`);
}
