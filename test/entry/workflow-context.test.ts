import { describe, expect, it } from 'vitest';
import { refuseForkOnOwnRunner } from '../../src/entry/fork-guard.ts';
import { readWorkflowContext } from '../../src/entry/workflow-context.ts';
import {
  BASE_SHA,
  FORK,
  mergeGroup,
  pullRequest,
  push,
  REPOSITORY,
  release,
  schedule,
  type WorkflowEvent,
  workflowDispatch,
} from '../action/events.ts';

function contextOf({ name, payload }: WorkflowEvent, runner = 'github-hosted') {
  const environment = { GITHUB_EVENT_NAME: name, GITHUB_REPOSITORY: REPOSITORY, RUNNER_ENVIRONMENT: runner };
  return readWorkflowContext(environment, payload);
}

const workflowRun = (headRepository: object | null): WorkflowEvent => ({
  ...push,
  name: 'workflow_run',
  payload: { workflow_run: { head_repository: headRepository }, repository: { full_name: REPOSITORY } },
});

describe('readWorkflowContext', () => {
  it('readWorkflowContext: a pull request has a number and a base', () => {
    expect(contextOf(pullRequest())).toEqual({
      eventName: 'pull_request',
      repository: REPOSITORY,
      isFork: false,
      isSelfHosted: false,
      pullRequestNumber: 7,
      baseCommit: BASE_SHA,
    });
  });

  it('readWorkflowContext: a merge group has a base and no number', () => {
    expect(contextOf(mergeGroup)).toEqual({
      eventName: 'merge_group',
      repository: REPOSITORY,
      isFork: false,
      isSelfHosted: false,
      baseCommit: BASE_SHA,
    });
  });

  it.each([[push], [schedule], [workflowDispatch], [release]])('readWorkflowContext: $name has neither', (event) => {
    const { pullRequestNumber, baseCommit, isFork } = contextOf(event);
    expect({ pullRequestNumber, baseCommit, isFork }).toEqual({ isFork: false });
  });

  it.each([
    ['a branch of the repository', pullRequest(), false],
    ['a branch of a fork', pullRequest(FORK), true],
    ['a branch of a repository that is gone', pullRequest(null), true],
    ['a fork, with the rights of the base', pullRequest(FORK, { name: 'pull_request_target' }), true],
    ['a pull request that the event says nothing of', { ...push, name: 'pull_request' }, true],
    ['a review of a branch', pullRequest(REPOSITORY, { name: 'pull_request_review' }), false],
    ['a workflow after one of a fork', workflowRun({ full_name: FORK }), true],
    ['a workflow after one of a repository that is gone', workflowRun(null), true],
    ['a workflow after one of a branch', workflowRun({ full_name: REPOSITORY }), false],
  ])('readWorkflowContext: %s: fork %s', (_, event, isFork) => {
    expect(contextOf(event as WorkflowEvent).isFork).toBe(isFork);
  });

  it.each([[undefined], [null], ['text'], [{ pull_request: 'text' }], [{ pull_request: { number: '7' } }]])(
    'readWorkflowContext: the payload %j tells nothing',
    (payload) => {
      const context = readWorkflowContext({ GITHUB_EVENT_NAME: 'push' }, payload);
      expect(context).toEqual({ eventName: 'push', isFork: false, isSelfHosted: true });
    },
  );
});

describe('refuseForkOnOwnRunner', () => {
  it('refuseForkOnOwnRunner: refuses a fork on any runner that is not GitHub’s', () => {
    for (const runner of ['self-hosted', '']) {
      expect(() => refuseForkOnOwnRunner(contextOf(pullRequest(FORK), runner), false)).toThrow(
        'this change comes from a fork, and the runner is self-hosted: ',
      );
    }
  });

  it.each([
    ['a fork on a runner of GitHub', contextOf(pullRequest(FORK)), false],
    ['a fork where the workflow allows it', contextOf(pullRequest(FORK), 'self-hosted'), true],
    ['a branch', contextOf(pullRequest(), 'self-hosted'), false],
    ['a push', contextOf(push, 'self-hosted'), false],
  ])('refuseForkOnOwnRunner: lets %s pass', (_, context, allowFork) => {
    expect(() => refuseForkOnOwnRunner(context, allowFork)).not.toThrow();
  });
});
