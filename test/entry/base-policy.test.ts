import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/parse-config.ts';
import { holdToBase } from '../../src/entry/base-policy.ts';
import { readCommitted } from '../../src/entry/git.ts';
import { temporaryFolder, writeFiles } from '../runtime/packages.ts';
import { CONFIG } from './fakes.ts';

const HEAD = CONFIG.replace('min: 0.9', 'min: 0.8').replace('max-drop: 0.01', 'max-drop: 0.005');

let repository: string;
let baseCommit: string;

function git(...args: readonly string[]): string {
  const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.com', '-c', 'commit.gpgsign=false'];
  return execFileSync('git', ['-C', repository, ...identity, ...args], { encoding: 'utf8' }).trim();
}

beforeAll(() => {
  repository = writeFiles(temporaryFolder(), { 'ci/bitgate.yml': CONFIG });
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '--message', 'base');
  baseCommit = git('rev-parse', 'HEAD');
  writeFiles(repository, { 'ci/bitgate.yml': HEAD, 'ci/new.yml': HEAD });
});

function hold(name = 'ci/bitgate.yml', context: object = { baseCommit }) {
  const overrides = { workingDirectory: repository };
  const workflow = { eventName: 'pull_request', isFork: false, isSelfHosted: false, ...context };
  const head = parseConfig(HEAD, name, overrides);
  return holdToBase(head, name, workflow, overrides, readCommitted);
}

describe('holdToBase', () => {
  it('holdToBase: the limits of the base count, and each one that the change moves is told of, on its line', async () => {
    const { config, notes } = await hold();
    expect(config.gate).toMatchObject({ min: 0.9, maxDrop: 0.01 });
    expect(notes).toEqual([
      {
        level: 'warning',
        title: 'bitgate: policy of the base',
        message: '`gate.min` is weakened by this change, from 0.9 to 0.8; 0.9 counts until it is merged',
        where: expect.objectContaining({ file: 'ci/bitgate.yml', line: 10 }),
      },
      {
        level: 'notice',
        title: 'bitgate: policy of the base',
        message: '`gate.max-drop` is changed by this change, from 0.01 to 0.005; 0.01 counts until it is merged',
        where: expect.objectContaining({ line: 11 }),
      },
    ]);
  });

  it('holdToBase: without a base the own limits count, and that is said', async () => {
    const { config, notes } = await hold('ci/bitgate.yml', { eventName: 'push' });
    expect(config.gate.min).toBe(0.8);
    expect(notes.map(({ level, message }) => `${level}: ${message}`)).toEqual([
      'notice: policy-ref: on push there is no base, so the limits here count',
    ]);
  });

  it('holdToBase: a config that the base has not is a warning', async () => {
    const { config, notes } = await hold('ci/new.yml');
    expect(config.gate.min).toBe(0.8);
    expect(notes.map(({ level, message }) => `${level}: ${message}`)).toEqual([
      `warning: policy-ref: the base ${baseCommit.slice(0, 10)} has no ci/new.yml, so the limits of this change count`,
    ]);
  });

  it('holdToBase: a base that is not in the checkout ends the run, and says how to get it', async () => {
    await expect(hold('ci/bitgate.yml', { baseCommit: '1'.repeat(40) })).rejects.toThrow(
      /^the base commit 1{40} is not in this checkout: fatal: .*\n {2}fix: give actions\/checkout `fetch-depth: 0`/,
    );
  });

  it('holdToBase: a base whose config cannot be used ends the run', async () => {
    const workflow = { eventName: 'pull_request', isFork: false, isSelfHosted: false, baseCommit };
    const head = parseConfig(HEAD, 'ci/bitgate.yml', { workingDirectory: repository });
    const reading = holdToBase(head, 'ci/bitgate.yml', workflow, {}, async () => 'version: 2\n');
    await expect(reading).rejects.toThrow(
      new RegExp(`^the config of the base ${baseCommit.slice(0, 10)} cannot be used: ci/bitgate\\.yml:1:1: `),
    );
  });
});

it('holdToBase: a further limit that the change raises, or drops, is that of the base, and told of on its line', async () => {
  const limits = (bops: string, more = '') => `${CONFIG}constraints:\n  - bops: ${bops}\n${more}`;
  const latency = '  - { name: latency, costs: latency.json, limit: 3 }\n';
  const workflow = { eventName: 'pull_request', isFork: false, isSelfHosted: false, baseCommit };
  const head = parseConfig(limits('20%'), 'ci/bitgate.yml', { workingDirectory: repository });
  const { config, notes } = await holdToBase(head, 'ci/bitgate.yml', workflow, {}, async () => limits('10%', latency));
  expect(config.constraints).toMatchObject([
    { bops: { kind: 'ratio', ratio: 0.1 }, location: head.constraints[0]!.location },
    { name: 'latency', limit: 3 },
  ]);
  expect(notes.map(({ level, message, where }) => [level, message.split(';')[0], where])).toEqual([
    [
      'warning',
      '`constraints.bops` is weakened by this change, from 10 % of the float model to 20 % of the float model',
      head.constraints[0]!.location,
    ],
    [
      'warning',
      expect.stringMatching(/^`constraints\.latency` is weakened by this change, from 3 by .* to not set$/),
      undefined,
    ],
  ]);
});

describe('readCommitted', () => {
  it('readCommitted: the file as it was, though git attributes ask for a filter', async () => {
    writeFiles(repository, { '.gitattributes': '*.yml diff=evil\n' });
    git('config', 'diff.evil.textconv', 'echo HACKED; cat');
    expect(await readCommitted(join(repository, 'ci/bitgate.yml'), baseCommit)).toBe(CONFIG);
  });

  it('readCommitted: outside a repository it is an error, and so is anything but a commit', async () => {
    await expect(readCommitted(join(temporaryFolder(), 'a.yml'), baseCommit)).rejects.toThrow(
      'is not in this checkout',
    );
    await expect(readCommitted('/a.yml', '--output=/tmp/x')).rejects.toThrow('no commit: "--output=/tmp/x"');
  });
});
