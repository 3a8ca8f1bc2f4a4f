/** Where and for whom a workflow runs: the event, whose change it is, and on which runner. */

export type WorkflowContext = {
  readonly eventName: string;
  /** `owner/name`; undefined outside a workflow. */
  readonly repository?: string;
  /** Whether what is checked is from someone who may not write to the repository. */
  readonly isFork: boolean;
  /** Whether the runner is anything but a machine of GitHub's that is thrown away afterwards. */
  readonly isSelfHosted: boolean;
  readonly pullRequestNumber?: number;
  /** The commit of the base branch that the change is against. */
  readonly baseCommit?: string;
};

/** @param payload the event, parsed (GitHub Docs, "Webhook events and payloads"); anything else counts as empty */
export function readWorkflowContext(
  { GITHUB_EVENT_NAME: eventName = '', GITHUB_REPOSITORY, RUNNER_ENVIRONMENT }: NodeJS.ProcessEnv,
  payload: unknown,
): WorkflowContext {
  const number = at(payload, 'pull_request', 'number');
  const base = at(payload, 'pull_request', 'base', 'sha') ?? at(payload, 'merge_group', 'base_sha');
  return {
    eventName,
    ...(GITHUB_REPOSITORY ? { repository: GITHUB_REPOSITORY } : {}),
    isFork: isFromFork(eventName, payload),
    isSelfHosted: RUNNER_ENVIRONMENT !== 'github-hosted',
    ...(typeof number === 'number' ? { pullRequestNumber: number } : {}),
    ...(typeof base === 'string' ? { baseCommit: base } : {}),
  };
}

/** A branch of another repository; also when that repository is gone, or the event does not say. */
function isFromFork(eventName: string, payload: unknown): boolean {
  if (eventName.startsWith('pull_request')) {
    return differ(payload, ['pull_request', 'head', 'repo'], ['pull_request', 'base', 'repo']);
  }
  if (eventName === 'workflow_run') return differ(payload, ['workflow_run', 'head_repository'], ['repository']);
  return false;
}

function differ(payload: unknown, head: readonly string[], base: readonly string[]): boolean {
  const names = [at(payload, ...head, 'full_name'), at(payload, ...base, 'full_name')];
  return typeof names[0] !== 'string' || names[0] !== names[1];
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((holder, key) => {
    const isHolder = typeof holder === 'object' && holder !== null && Object.hasOwn(holder, key);
    return isHolder ? (holder as Readonly<Record<string, unknown>>)[key] : undefined;
  }, value);
}
