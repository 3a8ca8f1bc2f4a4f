import { UserError } from '../errors.ts';
import type { WorkflowContext } from './workflow-context.ts';

/**
 * Refuses the pull request of a fork on a runner that outlives it. A seat belt and no wall: whoever may change the
 * workflow can take it off (SECURITY.md).
 *
 * @throws UserError unless the workflow says that forks are allowed
 */
export function refuseForkOnOwnRunner({ isFork, isSelfHosted }: WorkflowContext, allowFork: boolean): void {
  if (!isFork || !isSelfHosted || allowFork) return;
  throw new UserError({
    what: 'this change comes from a fork, and the runner is self-hosted: a model, data and a config of strangers would be read on your machine',
    fix: 'run forks on a GitHub-hosted runner; or, if each run of a fork is approved by hand, set `allow-fork: true` (see SECURITY.md)',
  });
}
