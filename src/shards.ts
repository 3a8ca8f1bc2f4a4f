/** A measurement spread over machines: one plans, each measures its shard, and one decides over all shares (pipeline.ts). */
import { planShards, renderMatrix, renderShard, replayPlan, type Shard, type ShardPlan } from './cache/plan-shards.ts';
import { encodeShare, shareFileName } from './cache/share.ts';
import type { Config } from './config/config.ts';
import { UserError } from './errors.ts';
import { type MethodPlan, planMethod } from './pipeline/choose-method.ts';
import { openKnown } from './pipeline/known-units.ts';
import { beginMeasuring, storeOf, tellingWhatIsKept } from './pipeline/measure-with-cache.ts';
import { plannedUnits, restrictPlan, sharedMethod } from './pipeline/measurement-shares.ts';
import { prepareRun } from './pipeline/prepare-run.ts';
import { prepareSweep } from './pipeline/prepare-sweep.ts';
import { createStageClock } from './pipeline/stage-clock.ts';
import type { Effects } from './pipeline.ts';
import { measureUnits } from './sensitivity/measure-units.ts';

export type PlannedMeasurement = {
  /** `{"include":[{"shard":"1/4","units":15}, …]}`, without the shards that have nothing to do. */
  readonly matrix: string;
  /** What the other machines need to make the same plan. */
  readonly token: string;
};

/** Divide what is not known already; the model runs once, on one batch, anywhere. */
export async function planMeasurement(config: Config, count: number, effects: Effects): Promise<PlannedMeasurement> {
  const method = sharedMethod(config);
  const run = await prepareRun(config, effects, createStageClock(effects.now));
  const { model, standIns: candidates } = run;
  const costs = await run.layerCosts();
  const plan = planMethod({ model, candidates, costs, memoryLimitBytes: config.memoryLimitBytes }, method);
  const { cache } = await openKnown(run, [plan], config, effects);
  const shards = planShards(plannedUnits(plan), count, cache.known);
  for (const line of cache.status.notes) effects.note(line);
  effects.note(describePlan(plan, cache.known.size, shards));
  return { matrix: renderMatrix(shards), token: shards.token };
}

function describePlan({ method, units }: MethodPlan, knownCount: number, { shards }: ShardPlan): string {
  const works = shards.filter(({ cost }) => cost > 0).map(({ cost }) => cost.toFixed(1));
  const work = works.length === 0 ? 'nothing to measure' : `forwards by shard: ${works.join(', ')}`;
  return `${method}: ${units.length} units, ${knownCount} known already; ${work}`;
}

export type ShardTask = {
  readonly shard: Shard;
  /** Of the plan that the shard belongs to; the one over all units when absent. */
  readonly planToken?: string;
};

/** A share as a file: its name, different for every shard of every measurement, and its content. */
export type MeasuredShare = { readonly fileName: string; readonly content: string };

/** Measure one shard. */
export async function measureShard(
  config: Config,
  { shard, planToken }: ShardTask,
  effects: Effects,
): Promise<MeasuredShare> {
  const method = sharedMethod(config);
  const clock = createStageClock(effects.now);
  const run = await prepareRun(config, effects, clock);
  const { candidates, costs, times, fitting } = await prepareSweep(run, config, effects, clock);
  const input = { ...fitting, candidates, costs };
  const whole = planMethod({ ...input, memoryLimitBytes: config.memoryLimitBytes }, method);
  const units = plannedUnits(whole);
  const shards = planToken === undefined ? planShards(units, shard.count) : replayPlan(units, planToken);
  assertIsOf(shards, shard);
  const part = restrictPlan(whole, shards.shards[shard.number - 1]!.units);
  const set = await openKnown(run, [part], config, effects);

  await beginMeasuring(set, part, times, input, config, effects);
  const { signal, reportProgress } = effects;
  await tellingWhatIsKept(set.cache, effects, () =>
    measureUnits({ ...input, store: storeOf(set.cache), signal, reportProgress }, part.units),
  );
  await set.cache.finish('wanted');
  for (const line of set.cache.status.notes) effects.note(line);
  const { known: records } = set.cache;
  assertComplete(part, records);
  const share = { key: set.key, shard, planToken: shards.token, planId: shards.id, records };
  return { fileName: shareFileName(share), content: encodeShare(share) };
}

function assertIsOf({ shards }: ShardPlan, shard: Shard): void {
  if (shards.length === shard.count) return;
  const what = `the shard is ${renderShard(shard)}, and the plan has ${shards.length} shards`;
  throw new UserError({ what, fix: 'pass on the shard and the plan of one and the same plan' });
}

/** What cannot be kept cannot be shared. */
function assertComplete({ wanted }: MethodPlan, records: ReadonlyMap<string, unknown>): void {
  const missing = wanted.filter(({ unit }) => !records.has(unit));
  if (missing.length === 0) return;
  const what = `${missing.length} units have losses that are no finite numbers, the first is ${missing[0]!.unit}`;
  throw new UserError({ what, fix: 'leave out the widths at which the model breaks down' });
}
