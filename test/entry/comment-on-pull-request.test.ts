import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { ActionHost, Annotation } from '../../src/entry/action-host.ts';
import type { ActionInputs } from '../../src/entry/action-inputs.ts';
import { commentOnPullRequest } from '../../src/entry/comment-on-pull-request.ts';
import { readWorkflowContext } from '../../src/entry/workflow-context.ts';
import { FORK, pullRequest, push, REPOSITORY, type WorkflowEvent } from '../action/events.ts';
import { createGithub, type Github } from '../action/github.ts';

const TOKEN = 'ghs_secret';
const MARK = '<!-- bitgate: ci/bitgate.yml -->';

let server: Server | undefined;
afterEach(() => server?.close());

async function listen(github: Github): Promise<{ api: string; graphql: string }> {
  server = createServer(github.listener);
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  const api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { api, graphql: `${api}/graphql` };
}

async function comment(
  github: Github,
  {
    mode = 'always',
    passed = false,
    markdown = '## failed',
    event = pullRequest(),
    token = TOKEN as string | null,
  } = {},
) {
  const annotations: Annotation[] = [];
  let log = '';
  const host = {
    annotate: (annotation: Annotation) => void annotations.push(annotation),
    write: (text: string) => {
      log += text;
    },
  } as ActionHost;
  const inputs = {
    comment: mode,
    configPath: 'ci/bitgate.yml',
    ...(token === null ? {} : { githubToken: token }),
  } as ActionInputs;
  const context = readWorkflowContext(
    { GITHUB_EVENT_NAME: event.name, GITHUB_REPOSITORY: REPOSITORY },
    (event as WorkflowEvent).payload,
  );
  await commentOnPullRequest(inputs, passed, markdown, context, await listen(github), host);
  return { annotations, log };
}

describe('commentOnPullRequest', () => {
  it('commentOnPullRequest: the first run creates the comment, and the next updates it', async () => {
    const github = createGithub(TOKEN);
    expect((await comment(github)).log).toBe('comment: created\n');
    expect(github.comments).toMatchObject([{ author: 'github-actions', body: `${MARK}\n## failed` }]);
    expect((await comment(github, { markdown: '## passed', passed: true })).log).toBe('comment: updated\n');
    expect(github.comments).toMatchObject([{ body: `${MARK}\n## passed` }]);
    expect((await comment(github, { markdown: '## passed', passed: true })).log).toBe('comment: unchanged\n');
    expect(github.writes).toBe(2);
  });

  it('commentOnPullRequest: on-failure creates for a failure only, and updates always', async () => {
    const github = createGithub(TOKEN);
    expect((await comment(github, { mode: 'on-failure', passed: true })).log).toBe('comment: absent\n');
    expect((await comment(github, { mode: 'on-failure' })).log).toBe('comment: created\n');
    const { log } = await comment(github, { mode: 'on-failure', passed: true, markdown: '## passed' });
    expect(log).toBe('comment: updated\n');
  });

  it('commentOnPullRequest: a comment of someone else, a hidden one and one of another gate are left alone', async () => {
    const github = createGithub(TOKEN);
    github.add({ author: 'stranger', body: `${MARK}\nmine` });
    github.add({ author: 'github-actions', body: `${MARK}\nold`, isMinimized: true });
    github.add({ author: 'github-actions', body: '<!-- bitgate: other.yml -->\nx' });
    github.add({ author: 'github-actions', body: `quoting ${MARK}` });
    expect((await comment(github)).log).toBe('comment: created\n');
    expect(github.comments.map(({ body }) => body.split('\n')[1])).toEqual([
      'mine',
      'old',
      'x',
      undefined,
      '## failed',
    ]);
  });

  it('commentOnPullRequest: the comment is found on any page of the conversation', async () => {
    const github = createGithub(TOKEN);
    for (let count = 0; count < 250; count++) github.add({ author: 'stranger', body: 'chat' });
    await comment(github);
    for (let count = 0; count < 150; count++) github.add({ author: 'stranger', body: 'chat' });
    expect((await comment(github, { markdown: 'new' })).log).toBe('comment: updated\n');
    expect(github.comments[250]!.body).toBe(`${MARK}\nnew`);
  });

  it('commentOnPullRequest: a summary that is too long is cut, and says where the rest is', async () => {
    const github = createGithub(TOKEN);
    await comment(github, { markdown: 'row\n'.repeat(30_000) });
    const [{ body } = { body: '' }] = github.comments;
    expect(body.length).toBeLessThan(65_536);
    expect(body).toContain("Cut at 65000 bytes; the summary on the run's page has all of it.");
  });

  it.each([
    ['off', pullRequest()],
    ['always', push],
  ])('commentOnPullRequest: nothing is asked of GitHub with %s on %s', async (mode, event) => {
    const github = createGithub(TOKEN);
    expect(await comment(github, { mode, event })).toEqual({ annotations: [], log: '' });
    expect(github.requests).toBe(0);
  });

  it.each([
    [
      'a permission that is missing',
      createGithub(TOKEN, { mayWrite: false }),
      {},
      'Resource not accessible by integration\nfix: give the job `permissions: pull-requests: write`, if it is this that it lacks',
    ],
    [
      'a fork',
      createGithub(TOKEN, { mayWrite: false }),
      { event: pullRequest(FORK) },
      'Resource not accessible by integration\nfix: a workflow on the pull request of a fork never has `pull-requests: write`; the summary of the run says the same as the comment would',
    ],
    [
      'a token that is wrong',
      createGithub('other'),
      {},
      'Bad credentials\nfix: give the job `permissions: pull-requests: write`, if it is this that it lacks',
    ],
    [
      'no token',
      createGithub(TOKEN),
      { token: null },
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax of GitHub Actions.
      'it needs a token\nfix: give the step `github-token: ${{ github.token }}`',
    ],
    ['a server that fails', createGithub(TOKEN, { status: 502 }), {}, 'the answer is 502\nfix: '],
  ])('commentOnPullRequest: %s is a warning that says what is missing', async (_, github, settings, message) => {
    const { annotations } = await comment(github, settings);
    expect(annotations).toEqual([
      {
        level: 'warning',
        title: 'bitgate: no comment',
        message: expect.stringContaining(`the comment is not written: ${message}`),
      },
    ]);
    expect(JSON.stringify(annotations)).not.toContain(TOKEN);
  });
});
