/** What GitHub sends a workflow for the events that bitgate runs on, cut to the fields that an action may look at. */

export type WorkflowEvent = {
  readonly name: string;
  readonly payload: Readonly<Record<string, unknown>>;
  /** GITHUB_REF and GITHUB_SHA. */
  readonly ref: string;
  readonly sha: string;
};

export const REPOSITORY = 'owner/repository';
export const BASE_SHA = '1'.repeat(40);
const HEAD_SHA = '2'.repeat(40);

const repository = { full_name: REPOSITORY, default_branch: 'main', id: 1 };

/** @param headRepository where the branch lives; null when that repository is gone */
export function pullRequest(
  headRepository: string | null = REPOSITORY,
  { baseSha = BASE_SHA, name = 'pull_request' } = {},
): WorkflowEvent {
  const head =
    headRepository === null ? null : { full_name: headRepository, id: headRepository === REPOSITORY ? 1 : 2 };
  return {
    name,
    ref: 'refs/pull/7/merge',
    sha: HEAD_SHA,
    payload: {
      action: 'synchronize',
      number: 7,
      pull_request: {
        number: 7,
        head: { ref: 'change', sha: HEAD_SHA, repo: head },
        base: { ref: 'main', sha: baseSha, repo: repository },
      },
      repository,
    },
  };
}

export const FORK = 'stranger/repository';

export const push: WorkflowEvent = {
  name: 'push',
  ref: 'refs/heads/main',
  sha: HEAD_SHA,
  payload: { ref: 'refs/heads/main', before: BASE_SHA, after: HEAD_SHA, repository },
};

export const mergeGroup: WorkflowEvent = {
  name: 'merge_group',
  ref: 'refs/heads/gh-readonly-queue/main/pr-7-2222',
  sha: HEAD_SHA,
  payload: {
    action: 'checks_requested',
    merge_group: { base_sha: BASE_SHA, base_ref: 'refs/heads/main', head_sha: HEAD_SHA },
    repository,
  },
};

export const schedule: WorkflowEvent = {
  name: 'schedule',
  ref: 'refs/heads/main',
  sha: HEAD_SHA,
  payload: { schedule: '0 3 * * *', repository },
};

export const workflowDispatch: WorkflowEvent = {
  name: 'workflow_dispatch',
  ref: 'refs/heads/main',
  sha: HEAD_SHA,
  payload: { inputs: null, ref: 'refs/heads/main', repository },
};

export const release: WorkflowEvent = {
  name: 'release',
  ref: 'refs/tags/v1.0.0',
  sha: HEAD_SHA,
  payload: { action: 'published', release: { tag_name: 'v1.0.0' }, repository },
};
