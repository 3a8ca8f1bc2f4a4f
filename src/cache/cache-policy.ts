/** Which store a run uses. */
import type { CacheSetting } from '../config/config.ts';

export type CachePolicy = {
  readonly store: 'github' | 'local' | 'off';
  /** What a person should know about the choice. */
  readonly notice?: string;
};

/** What started the workflow run: GITHUB_EVENT_NAME and GITHUB_REF. */
export type WorkflowEvent = { readonly name: string; readonly ref: string };

export type CacheCircumstances = {
  readonly configured: CacheSetting;
  /** Whether this is the action, which alone reaches the Actions cache; a command in a `run:` step does not. */
  readonly isAction: boolean;
  /** Absent outside of workflows. */
  readonly event?: WorkflowEvent;
};

/**
 * By default the Actions cache for the action and this machine for the command line; nothing for releases, because
 * whatever run of the default branch, or job on a shared runner, was taken over could have written what they would use.
 */
export function cachePolicy({ configured, isAction, event }: CacheCircumstances): CachePolicy {
  if (configured === 'off') return { store: 'off' };
  const release = event === undefined ? undefined : describeRelease(event);
  if (release !== undefined && configured === 'auto') {
    const notice = `cache: off, because ${release}: what is released is measured from nothing (\`cache: github\` or \`local\` would use it)`;
    return { store: 'off', notice };
  }
  const caution = release === undefined ? [] : [`\`cache: ${configured}\` is used though ${release}`];
  if (isAction) return withNotice(configured === 'local' ? 'local' : 'github', caution);
  const substitution = configured === 'github' ? ['`cache: github` is for the action; here it means `local`'] : [];
  return withNotice('local', [...substitution, ...caution]);
}

function describeRelease({ name, ref }: WorkflowEvent): string | undefined {
  if (name === 'release') return 'this is a release';
  return ref.startsWith('refs/tags/') ? 'a tag is built' : undefined;
}

function withNotice(store: CachePolicy['store'], notices: readonly string[]): CachePolicy {
  return notices.length === 0 ? { store } : { store, notice: notices.join('; ') };
}
