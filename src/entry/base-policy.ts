/** `policy-ref: base`: the limits of a change are those of the branch that it is for, so that it cannot weaken its own gate. */

import { comparePolicies, type PolicyDifference, withPolicyOf } from '../config/compare-policy.ts';
import type { Config } from '../config/config.ts';
import type { ConfigOverrides } from '../config/overrides.ts';
import { parseConfig } from '../config/parse-config.ts';
import { UserError } from '../errors.ts';
import type { Annotation } from './action-host.ts';
import type { ReadCommitted } from './git.ts';
import type { WorkflowContext } from './workflow-context.ts';

export type HeldConfig = {
  readonly config: Config;
  /** What differs, for the log, the report and the run's page. */
  readonly notes: readonly Annotation[];
};

/**
 * Hold the config of a change to the limits of its base. Without a base (a push, a schedule) its own limits count, and
 * where the base has no such config, too: both are said.
 *
 * @param path the config as the user names it
 * @throws UserError if the base cannot be read, or has a config that cannot be used
 */
export async function holdToBase(
  head: Config,
  path: string,
  { baseCommit, eventName }: WorkflowContext,
  overrides: ConfigOverrides,
  readCommitted: ReadCommitted,
): Promise<HeldConfig> {
  if (baseCommit === undefined) {
    return {
      config: head,
      notes: [notice(`on ${eventName || 'this event'} there is no base, so the limits here count`)],
    };
  }
  const text = await readCommitted(head.path, baseCommit);
  if (text === undefined) {
    const message = `the base ${short(baseCommit)} has no ${path}, so the limits of this change count`;
    return { config: head, notes: [{ ...notice(message), level: 'warning' }] };
  }
  const base = parseBase(text, path, baseCommit, overrides);
  const differences = comparePolicies(base, head);
  return { config: withPolicyOf(base, head), notes: differences.map((difference) => describe(difference, head)) };
}

function parseBase(text: string, path: string, commit: string, overrides: ConfigOverrides): Config {
  try {
    return parseConfig(text, path, overrides);
  } catch (cause) {
    if (!(cause instanceof UserError)) throw cause;
    const what = `the config of the base ${short(commit)} cannot be used: ${cause.message}`;
    throw new UserError({ what, fix: 'repair it on the base branch, or run once with `policy-ref: head`' }, { cause });
  }
}

function describe({ name, base, head, isWeaker, limitName, ...place }: PolicyDifference, { gate }: Config): Annotation {
  const where = limitName === undefined ? place.where : gate.locations[limitName];
  const change = isWeaker ? 'is weakened' : 'is changed';
  return {
    level: isWeaker ? 'warning' : 'notice',
    title: 'bitgate: policy of the base',
    message: `\`${name}\` ${change} by this change, from ${base} to ${head}; ${base} counts until it is merged`,
    ...(where === undefined ? {} : { where }),
  };
}

function notice(message: string): Annotation {
  return { level: 'notice', title: 'bitgate: policy of the base', message: `policy-ref: ${message}` };
}

function short(commit: string): string {
  return commit.slice(0, 10);
}
