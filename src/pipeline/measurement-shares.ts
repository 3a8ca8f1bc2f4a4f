/** A measurement in parts that several machines measure: the same parts for all of them. */
import { mergeShares, partsWithoutShare } from '../cache/merge-shares.ts';
import type { PlannedUnit } from '../cache/plan-shards.ts';
import type { Config } from '../config/config.ts';
import { UserError } from '../errors.ts';
import type { SensitivityMethod } from '../sensitivity/method.ts';
import { assertHasChoice } from './assert-choice.ts';
import type { MethodPlan } from './choose-method.ts';
import type { OpenedSet } from './known-units.ts';

/** What other machines measured. */
export type Shares = {
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  /** Of the plan that they have to belong to; that of the first of them when absent. */
  readonly planToken?: string;
};

/**
 * Take over what other machines measured.
 *
 * @throws UserError naming every share that is missing, damaged or foreign
 */
export async function adoptShares({ key, cache }: OpenedSet, plan: MethodPlan, shares: Shares): Promise<void> {
  const { files, planToken } = shares;
  const token = planToken === undefined ? {} : { planToken };
  const merging = { key, units: plannedUnits(plan), shares: files, ...token };
  await lookForParts(cache, partsWithoutShare(merging));
  const records = mergeShares({ ...merging, known: cache.known });
  await cache.adopt(records.values());
}

/** A shard's own job saves its part in the cache too: it stands in for a share that did not travel. */
async function lookForParts(cache: OpenedSet['cache'], parts: readonly (readonly string[])[]): Promise<void> {
  for (const units of parts) {
    if (units.some((unit) => !cache.known.has(unit))) await cache.lookFor(units);
  }
}

/** Units with their work, which is the same on every machine. */
export function plannedUnits({ wanted, costs }: MethodPlan): PlannedUnit[] {
  return wanted.map(({ unit }, index) => ({ unit, cost: costs[index]!.forwardEquivalents }));
}

/** The part of a plan that these units are. */
export function restrictPlan({ method, units, wanted, costs }: MethodPlan, names: readonly string[]): MethodPlan {
  const chosen = new Set(names);
  const keep = <Item>(items: readonly Item[]) => items.filter((_, index) => chosen.has(wanted[index]!.unit));
  return { method, units: keep(units), wanted: keep(wanted), costs: keep(costs) };
}

/**
 * The method that all machines share.
 *
 * @throws UserError if each machine would choose it for itself, or there is nothing to measure
 */
export function sharedMethod(config: Config): SensitivityMethod {
  assertHasChoice(config);
  const { path, sensitivity } = config;
  const { method } = sensitivity;
  if (method !== 'auto' && method !== 'external') return method;
  const reason =
    method === 'auto'
      ? 'auto, which each machine would choose for itself'
      : 'external, which leaves nothing to measure';
  throw new UserError({
    what: `\`sensitivity.method\` is ${reason}`,
    where: path,
    fix: 'name the method that the machines share: pairwise, block or diagonal',
  });
}
