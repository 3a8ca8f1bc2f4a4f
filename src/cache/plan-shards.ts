/** The division of a measurement over several machines: who measures which units. */
import { createHash } from 'node:crypto';
import { UserError } from '../errors.ts';
import { parseRanges, renderRanges } from './ranges.ts';

export type PlannedUnit = {
  readonly unit: string;
  /** Estimated work in any unit; the same on every machine, so no measured time. */
  readonly cost: number;
};

export type ShardPlan = {
  /** All units, pending or known, in the order in which one machine would measure them. */
  readonly units: readonly PlannedUnit[];
  readonly shards: readonly PlannedShard[];
  /** What other machines need to make the same plan, see `replayPlan`: "4:0-16,20". */
  readonly token: string;
  /** Digest of who measures what; shares of different plans do not fit together. */
  readonly id: string;
};

export type PlannedShard = {
  /** Units to measure, in the order of the plan; none when there are more shards than units. */
  readonly units: readonly string[];
  readonly cost: number;
};

/** A shard of so many, counted from 1 as people write it: "2/4". */
export type Shard = { readonly number: number; readonly count: number };

/** GitHub takes no larger matrix (GitHub Docs, "Usage limits"). */
const MAX_SHARDS = 256;

/**
 * The heaviest unit first, each to the shard with the least work: at most 4/3 of the best possible longest shard
 * (Graham 1969, LPT).
 *
 * @param known units that are measured already and left out
 * @throws UserError if `count` is no number of shards
 */
export function planShards(
  units: readonly PlannedUnit[],
  count: number,
  known: { has(unit: string): boolean } = new Set<string>(),
): ShardPlan {
  const pending = units.flatMap(({ unit }, index) => (known.has(unit) ? [] : [index]));
  return assign(units, count, pending);
}

/**
 * The plan that another machine made over the same units, from its token.
 *
 * @throws UserError if the token is none, or of other units
 */
export function replayPlan(units: readonly PlannedUnit[], token: string): ShardPlan {
  const [, count, ranges] = /^(\d{1,3}):([\d,-]*)$/.exec(token) ?? [];
  const pending = ranges === undefined ? undefined : parseRanges(ranges, units.length);
  if (pending === undefined) {
    const what = `the plan "${token.slice(0, 40)}" is none for these ${units.length} units`;
    throw new UserError({ what, fix: 'pass on the output `plan` of the job that made the plan, for the same commit' });
  }
  return assign(units, Number(count), pending);
}

/** One entry per shard that has work, for `matrix: ${{ fromJSON(…) }}`; no entry makes the job be skipped. */
export function renderMatrix({ shards }: ShardPlan): string {
  const include = shards.flatMap(({ units }, index) =>
    units.length === 0
      ? []
      : [{ shard: renderShard({ number: index + 1, count: shards.length }), units: units.length }],
  );
  return JSON.stringify({ include });
}

export function renderShard({ number, count }: Shard): string {
  return `${number}/${count}`;
}

/** @throws UserError if it is not "2/4" with a number from 1 to the count */
export function parseShard(text: string): Shard {
  const [, number, count] = /^(\d{1,3})\/(\d{1,3})$/.exec(text) ?? [];
  const shard = { number: Number(number), count: Number(count) };
  if (shard.number >= 1 && shard.number <= shard.count && shard.count <= MAX_SHARDS) return shard;
  throw new UserError({
    what: `the shard is "${text.slice(0, 40)}", expected one such as 2/4`,
    fix: `1/n to n/n, n at most ${MAX_SHARDS}`,
  });
}

function assign(units: readonly PlannedUnit[], count: number, pending: readonly number[]): ShardPlan {
  if (!Number.isInteger(count) || count < 1 || count > MAX_SHARDS) {
    throw new UserError({ what: `the number of shards is ${count}, expected a whole number from 1 to ${MAX_SHARDS}` });
  }
  const loads = Array.from({ length: count }, () => 0);
  const members = loads.map((): number[] => []);
  for (const index of [...pending].sort((a, b) => units[b]!.cost - units[a]!.cost || a - b)) {
    const shard = loads.indexOf(Math.min(...loads));
    loads[shard]! += units[index]!.cost;
    members[shard]!.push(index);
  }
  const shards = members.map((indices, shard) => ({
    units: indices.sort((a, b) => a - b).map((index) => units[index]!.unit),
    cost: loads[shard]!,
  }));
  return { units, shards, token: `${count}:${renderRanges(pending)}`, id: digest(units, shards) };
}

function digest(units: readonly PlannedUnit[], shards: readonly PlannedShard[]): string {
  const content = [units.map(({ unit }) => unit), shards.map((shard) => shard.units)];
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 16);
}
