/** Shares of several machines, put together only when they are all there and fit. */
import { type Problem, UserError } from '../errors.ts';
import type { MeasurementRecord } from './measurement-record.ts';
import { type PlannedUnit, renderShard, replayPlan, type ShardPlan } from './plan-shards.ts';
import { decodeShare, type Share } from './share.ts';

export type MergeInput = {
  /** The measurement set that is wanted. */
  readonly key: string;
  /** All units of the measurement, with the costs that the plan was made with. */
  readonly units: readonly PlannedUnit[];
  readonly shares: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  /** What is in the cache: what was known when the plan was made is in no share, and a whole shard may be there instead. */
  readonly known: ReadonlyMap<string, MeasurementRecord>;
  /** The plan that the shares have to belong to; the one of the first share when absent. */
  readonly planToken?: string;
};

type NamedShare = Share & { readonly name: string };

/**
 * The records of all units, in their order.
 *
 * @throws UserError naming every share that is missing, damaged, incomplete, there twice, or of another model, data,
 *   setting, machine or plan
 */
export function mergeShares(input: MergeInput): ReadonlyMap<string, MeasurementRecord> {
  const { key, units, shares, known } = input;
  const problems: Problem[] = [];
  const inOrder = [...shares].sort((a, b) => (a.name < b.name ? -1 : 1));
  const usable = inOrder.flatMap((file) => readShare(file, key, problems));
  const plan = commonPlan(usable, input, problems);
  const fitting = usable.filter(({ planId }) => planId === plan?.id);
  if (plan !== undefined) problems.push(...findGaps(plan, fitting, known));
  refuse(problems);
  const records = new Map([...known, ...fitting.flatMap((share) => assignedRecords(share, plan!))]);
  const missing = units.filter(({ unit }) => !records.has(unit));
  if (missing.length > 0) {
    const what = `${missing.length} of ${units.length} units are in no share and not in the cache, the first is ${missing[0]!.unit}`;
    refuse([
      { what, fix: plan === undefined ? 'run the shards first' : 'plan again: what the plan counted on is gone' },
    ]);
  }
  return new Map(units.map(({ unit }) => [unit, records.get(unit)!]));
}

/** The units of each shard that has no share here: its own job may have left them in the cache. None without a plan to go by. */
export function partsWithoutShare({
  key,
  units,
  shares,
  planToken,
}: Omit<MergeInput, 'known'>): readonly (readonly string[])[] {
  const plan = planToken === undefined ? undefined : tryReplay(units, planToken);
  const own = shares.flatMap((file) => readShare(file, key, []));
  const given = new Set(own.filter(({ planId }) => planId === plan?.id).map(({ shard }) => shard.number));
  return plan?.shards.flatMap((shard, index) => (given.has(index + 1) ? [] : [shard.units])) ?? [];
}

/** What a share holds beyond its part is another shard's to say. */
function assignedRecords({ shard, records }: Share, plan: ShardPlan): [string, MeasurementRecord][] {
  return plan.shards[shard.number - 1]!.units.map((unit) => [unit, records.get(unit)!]);
}

function readShare(file: MergeInput['shares'][number], key: string, problems: Problem[]): NamedShare[] {
  const decoded = decodeShare(file.bytes);
  if (decoded.kind === 'rejected') {
    problems.push({ what: decoded.reason, where: file.name, fix: 'run its shard again' });
    return [];
  }
  if (decoded.share.key !== key) {
    const what = 'measures something else: another model, calibration set, setting, runtime or device';
    problems.push({
      what,
      where: file.name,
      fix: 'keep only the shares of this run, made with the same config on equal machines',
    });
    return [];
  }
  return [{ ...decoded.share, name: file.name }];
}

/** The plan that all shares have to belong to; undefined when there is none to go by. */
function commonPlan(
  shares: readonly NamedShare[],
  { units, planToken }: MergeInput,
  problems: Problem[],
): ShardPlan | undefined {
  const [first] = shares;
  const token = planToken ?? first?.planToken;
  if (token === undefined) return undefined;
  const plan = tryReplay(units, token);
  if (plan === undefined || (first?.planToken === token && first.planId !== plan.id)) {
    const what = 'was planned for other units than are wanted here';
    const fix = 'use the same config and the same version of bitgate in all jobs';
    problems.push({ what, where: planToken === undefined ? first!.name : 'the plan', fix });
    return undefined;
  }
  for (const { name, planId } of shares.filter((share) => share.planId !== plan.id)) {
    const origin = planToken === undefined ? `that of ${first!.name}` : 'the one asked for';
    problems.push({
      what: `belongs to another plan (${planId}) than ${origin}`,
      where: name,
      fix: 'keep only the shares of one plan',
    });
  }
  return plan;
}

function tryReplay(units: readonly PlannedUnit[], token: string): ShardPlan | undefined {
  try {
    return replayPlan(units, token);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

function findGaps(plan: ShardPlan, shares: readonly NamedShare[], known: MergeInput['known']): Problem[] {
  return plan.shards.flatMap(({ units }, index): Problem[] => {
    const shard = renderShard({ number: index + 1, count: plan.shards.length });
    const [share, ...others] = shares.filter((each) => renderShard(each.shard) === shard);
    if (share === undefined) {
      const unknown = units.filter((unit) => !known.has(unit));
      if (unknown.length === 0) return [];
      return [
        {
          what: `the share of shard ${shard} is missing, ${unknown.length} ${unknown.length === 1 ? 'unit' : 'units'}`,
          fix: `run shard ${shard}`,
        },
      ];
    }
    const twice = others.map(({ name }) => ({
      what: `shard ${shard} is there twice, also as ${share.name}`,
      where: name,
      fix: 'keep one of them',
    }));
    const missing = units.filter((unit) => !share.records.has(unit));
    if (missing.length === 0) return twice;
    const what = `lacks ${missing.length} of the ${units.length} units of shard ${shard}, the first is ${missing[0]}`;
    return [...twice, { what, where: share.name, fix: `run shard ${shard} to its end` }];
  });
}

function refuse(problems: readonly Problem[]): void {
  if (problems.length > 0) throw new UserError(problems);
}
