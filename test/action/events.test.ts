/** The built action on every event, for branches and forks, on both kinds of runner, and when it is cancelled. */
import { execFileSync } from 'node:child_process';
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../runtime/packages.ts';
import { FORK, mergeGroup, pullRequest, push, REPOSITORY, release, schedule, workflowDispatch } from './events.ts';
import { createGithub } from './github.ts';
import { CONFIG, ROOT, workspaceWith } from './glyphs.ts';
import { type JobSettings, runJob } from './runner.ts';

/** Refused before any work, so that a test of what comes before the work takes no time. */
const INFEASIBLE = CONFIG.replace('bits: 4.0', 'bits: 1.5');

/** Little work, but all of it. */
const SMALL = CONFIG.replace('bits: [2, 4, 8]', 'bits: [4]').replace('samples: 32', 'samples: 16').replace('256', '64');

const run = (config: string, settings: Partial<JobSettings> = {}) =>
  runJob({ action: ROOT, workspace: workspaceWith(config), ...settings });

describe('events', () => {
  it.each([[pullRequest()], [push], [mergeGroup], [schedule], [workflowDispatch], [release]])(
    'event $name: the gate decides, and asks for no token',
    async (event) => {
      const { main, post } = await run(SMALL, { event, isSelfHosted: true });
      expect({ exitCode: main.exitCode, verdict: main.outputs.verdict }, main.log).toEqual({
        exitCode: 0,
        verdict: 'pass',
      });
      expect([...main.complaints, ...post.complaints, ...main.annotations]).toEqual([]);
    },
  );
});

describe('forks', () => {
  it('fork on a self-hosted runner: refused before anything is read', async () => {
    const workspace = workspaceWith('no config at all');
    const { main } = await runJob({ action: ROOT, workspace, event: pullRequest(FORK), isSelfHosted: true });
    expect(main.exitCode).toBe(2);
    expect(main.annotations).toMatchObject([
      {
        level: 'error',
        message: expect.stringMatching(/^this change comes from a fork, and the runner is self-hosted: /),
      },
    ]);
    expect(main.outputs).toEqual({ verdict: 'error' });
    expect(main.summary).toContain('allow-fork: true');
  });

  it.each([
    ['on a runner of GitHub', { event: pullRequest(FORK) }],
    [
      'where the workflow allows it',
      { event: pullRequest(FORK), isSelfHosted: true, inputs: { 'allow-fork': 'true' } },
    ],
  ])('fork %s: comes as far as a branch', async (_, settings) => {
    const { main } = await run(INFEASIBLE, settings);
    expect(main.annotations).toMatchObject([{ message: expect.stringMatching(/smallest/) }]);
  });
});

describe('policy-ref', () => {
  it('policy-ref base: the limits of the base decide, and the weakened one is a warning with both values', async () => {
    const workspace = workspaceWith(CONFIG.replace('min: 0.9', 'min: 0.999'));
    const git = (...args: readonly string[]) => {
      const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.com', '-c', 'commit.gpgsign=false'];
      return execFileSync('git', ['-C', workspace, ...identity, ...args], { encoding: 'utf8' }).trim();
    };
    git('init', '--quiet');
    git('add', 'bitgate.yml');
    git('commit', '--quiet', '--message', 'base');
    const event = pullRequest(REPOSITORY, { baseSha: git('rev-parse', 'HEAD') });
    writeFileSync(join(workspace, 'bitgate.yml'), CONFIG);

    const held = await runJob({ action: ROOT, workspace, event, inputs: { 'policy-ref': 'base' } });
    expect({ exitCode: held.main.exitCode, verdict: held.main.outputs.verdict }, held.main.log).toEqual({
      exitCode: 1,
      verdict: 'fail',
    });
    const message = '`gate.min` is weakened by this change, from 0.999 to 0.9; 0.999 counts until it is merged';
    expect(held.main.annotations).toMatchObject([
      { level: 'warning', message, file: 'bitgate.yml', line: 15 },
      { level: 'error', message: expect.stringMatching(/the limit is at least 99\.90 %/), line: 15 },
    ]);
    expect(held.main.summary).toContain('is weakened by this change, from 0.999 to 0.9');
    const own = await runJob({ action: ROOT, workspace, event });
    expect(own.main.exitCode).toBe(0);
  });

  it('policy-ref base: a base that is not in the checkout ends the run', async () => {
    const { main } = await run(CONFIG, { event: pullRequest(), inputs: { 'policy-ref': 'base' } });
    expect(main.exitCode).toBe(2);
    expect(main.annotations).toMatchObject([
      { message: expect.stringMatching(/fix: give actions\/checkout `fetch-depth: 0`/) },
    ]);
  });
});

describe('comment', () => {
  async function withGithub(mayWrite: boolean) {
    const github = createGithub('ghs_secret', { mayWrite });
    const server = createServer(github.listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const environment = { GITHUB_API_URL: address, GITHUB_GRAPHQL_URL: `${address}/graphql` };
    const inputs = { comment: 'on-failure', 'github-token': 'ghs_secret' };
    const result = await run(INFEASIBLE, { event: pullRequest(), environment, inputs });
    server.close();
    return { github, ...result };
  }

  it('comment: a run that fails says on the pull request why', async () => {
    const { github, main } = await withGithub(true);
    expect(main.exitCode).toBe(2);
    expect(github.comments.map(({ body }) => body)).toEqual([
      expect.stringMatching(/^<!-- bitgate: bitgate\.yml -->\n## bitgate: the input cannot be used\n[\s\S]*smallest/),
    ]);
    expect(main.log + main.summary + JSON.stringify(main.annotations)).not.toContain('ghs_secret');
  });

  it('comment: a missing permission is a warning that names it, and changes no exit code', async () => {
    const { github, main } = await withGithub(false);
    expect(main.exitCode).toBe(2);
    expect(main.annotations.filter(({ level }) => level === 'warning')).toMatchObject([
      {
        message: expect.stringMatching(
          /Resource not accessible by integration\nfix: .*`permissions: pull-requests: write`/,
        ),
      },
    ]);
    expect(github.comments).toEqual([]);
    expect(main.log + JSON.stringify(main.annotations)).not.toContain('ghs_secret');
  });
});

describe('allow-paths', () => {
  it('allow-paths: a data set on a disk of the runner is used where the workflow allows its folder', async () => {
    const workspace = workspaceWith(SMALL);
    const disk = temporaryFolder();
    renameSync(join(workspace, 'data'), join(disk, 'data'));
    writeFileSync(join(workspace, 'bitgate.yml'), SMALL.replaceAll('path: data', `path: ${disk}/data`));
    const allowed = await runJob({ action: ROOT, workspace, inputs: { 'allow-paths': `/nowhere\n${disk}` } });
    expect(allowed.main.exitCode, allowed.main.log).toBe(0);
    const refused = await runJob({ action: ROOT, workspace, inputs: { 'allow-paths': '/nowhere' } });
    expect(refused.main.annotations).toMatchObject([
      { message: expect.stringMatching(/^the path is outside the workspace/) },
    ]);
  });
});

describe('cancelled', () => {
  it('cancelled: the step ends within its grace, says so, and the post step tells how far it came', async () => {
    const config = CONFIG.replace('method: diagonal', 'method: pairwise').replace('samples: 32', 'samples: 512');
    const workspace = workspaceWith(config);
    const { main, post } = await runJob({ action: ROOT, workspace, cancelAt: /^measuring .*: 0\// });
    expect({ exitCode: main.exitCode, signal: main.signal }, main.log).toEqual({ exitCode: 130, signal: null });
    expect(main.outputs).toEqual({ verdict: 'error' });
    expect(main.log).toContain('interrupted by SIGINT');
    expect(main.complaints).toEqual([]);
    expect(main.annotations).toEqual([]);
    expect(existsSync(join(workspace, 'build'))).toBe(false);
    expect(post.exitCode).toBe(0);
    expect(post.annotations).toMatchObject([{ level: 'warning', title: 'bitgate: interrupted' }]);
    expect(post.summary).toMatch(/^## bitgate: interrupted\n\n.* It had come to: measuring .*: \d+\/\d+ /);
  });

  it('killed: the post step tells of it all the same', async () => {
    const { post } = await run(CONFIG, { cancelAt: /^bitgate /, patienceMilliseconds: [0, 0] });
    expect(post.exitCode).toBe(0);
  });
});
