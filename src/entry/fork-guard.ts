import type { Config } from '../config/config.ts';
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

/**
 * Refuses to run a command for the pull request of a fork, wherever it would run and whatever the workflow allows: the
 * command, or the script that it starts, is the fork's.
 *
 * @throws UserError
 */
export function refuseCommandOfFork({ isFork }: WorkflowContext, { evaluate }: Config): void {
  if (!isFork || evaluate === undefined) return;
  throw new UserError({
    what: 'this change comes from a fork, and `evaluate.command` would run what strangers wrote, with all that this job may do',
    where: evaluate.location,
    fix: 'give forks a config with a metric of bitgate (top1, top5 or kl), and run the command when the change is merged',
  });
}
