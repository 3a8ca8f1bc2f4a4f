/** The optional comment: what the inputs ask for, and what became of it, said where people look. */
import type { ActionHost } from './action-host.ts';
import type { ActionInputs } from './action-inputs.ts';
import { fitText } from './fit-text.ts';
import { MAX_COMMENT_LENGTH, upsertComment } from './pull-request-comment.ts';
import type { WorkflowContext } from './workflow-context.ts';

export type CommentAddresses = { readonly api: string; readonly graphql: string };

/**
 * Write, update or leave the comment of this gate. A comment that fails is a warning and no reason to fail: the verdict
 * stands without it.
 *
 * @param passed a gate that failed gets a comment, one that passes only updates it, unless the input is `always`
 */
export async function commentOnPullRequest(
  { comment, githubToken, configPath }: ActionInputs,
  passed: boolean,
  markdown: string,
  context: WorkflowContext,
  addresses: CommentAddresses,
  host: ActionHost,
): Promise<void> {
  const { pullRequestNumber: number, repository } = context;
  if (comment === 'off' || number === undefined || repository === undefined) return;
  if (githubToken === undefined) return warn(host, 'it needs a token', NEEDS_TOKEN);
  const body = fitText(markdown, MAX_COMMENT_LENGTH, "the summary on the run's page");
  const mayCreate = comment === 'always' || !passed;
  try {
    const target = { ...addresses, token: githubToken, repository, number };
    host.write(`comment: ${await upsertComment(target, configPath, body, mayCreate)}\n`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    warn(host, reason.replaceAll(githubToken, '***'), context.isFork ? FORKS_MAY_NOT : NEEDS_PERMISSION);
  }
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax of GitHub Actions.
const NEEDS_TOKEN = 'give the step `github-token: ${{ github.token }}`';
const NEEDS_PERMISSION = 'give the job `permissions: pull-requests: write`, if it is this that it lacks';
const FORKS_MAY_NOT =
  'a workflow on the pull request of a fork never has `pull-requests: write`; the summary of the run says the same as the comment would';

function warn(host: ActionHost, reason: string, fix: string): void {
  const message = `the comment is not written: ${reason}\nfix: ${fix}`;
  host.annotate({ level: 'warning', title: 'bitgate: no comment', message });
}
