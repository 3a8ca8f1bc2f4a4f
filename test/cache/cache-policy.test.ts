import { describe, expect, it } from 'vitest';
import { type CacheCircumstances, cachePolicy } from '../../src/cache/cache-policy.ts';
import { describeCacheStatus } from '../../src/cache/cache-status.ts';

const PUSH = { name: 'push', ref: 'refs/heads/main' };
const TAG = { name: 'push', ref: 'refs/tags/v1' };
const RELEASE = { name: 'release', ref: 'refs/tags/v1' };

const off = (why: string) =>
  `off: cache: off, because ${why}: what is released is measured from nothing (\`cache: github\` or \`local\` would use it)`;

describe('cachePolicy', () => {
  it.each<[string, CacheCircumstances, string]>([
    ['the action, on a push', { configured: 'auto', isAction: true, event: PUSH }, 'github'],
    [
      'the action, on a pull request',
      { configured: 'auto', isAction: true, event: { name: 'pull_request', ref: 'refs/pull/7/merge' } },
      'github',
    ],
    ['the action, for a release', { configured: 'auto', isAction: true, event: RELEASE }, off('this is a release')],
    ['the action, on a tag', { configured: 'auto', isAction: true, event: TAG }, off('a tag is built')],
    [
      'a release, github asked for',
      { configured: 'github', isAction: true, event: RELEASE },
      'github: `cache: github` is used though this is a release',
    ],
    [
      'a tag, local asked for',
      { configured: 'local', isAction: true, event: TAG },
      'local: `cache: local` is used though a tag is built',
    ],
    ['the action, local asked for', { configured: 'local', isAction: true, event: PUSH }, 'local'],
    ['the action, off', { configured: 'off', isAction: true, event: RELEASE }, 'off'],
    ['the command line', { configured: 'auto', isAction: false }, 'local'],
    ['the command line in a job for a tag', { configured: 'auto', isAction: false, event: TAG }, off('a tag is built')],
    [
      'the command line, github asked for',
      { configured: 'github', isAction: false },
      'local: `cache: github` is for the action; here it means `local`',
    ],
    ['the command line, off', { configured: 'off', isAction: false }, 'off'],
  ])('cachePolicy: %s', (_, circumstances, expected) => {
    const { store, notice } = cachePolicy(circumstances);
    expect(notice === undefined ? store : `${store}: ${notice}`).toBe(expected);
  });
});

describe('describeCacheStatus', () => {
  const status = { store: 'github', status: 'partial', knownUnits: 12, wantedUnits: 43, notes: [] } as const;

  it('describeCacheStatus: says how much was known, from where, and how old it is', () => {
    expect(describeCacheStatus({ ...status, matchedKey: 'bitgate-v1-ab', ageSeconds: 3 * 3600 + 59 })).toBe(
      'partial, 12 of 43 units known (Actions cache, key bitgate-v1-ab, measured 3 hours ago)',
    );
    expect(describeCacheStatus({ ...status, store: 'local', status: 'miss', knownUnits: 0 })).toBe(
      'miss, 0 of 43 units known (this machine)',
    );
    expect(describeCacheStatus({ ...status, store: 'off', status: 'off' })).toBe('off');
  });

  it.each([
    [0, '0 seconds'],
    [1.9, '1 second'],
    [119, '119 seconds'],
    [120, '2 minutes'],
    [7199, '119 minutes'],
    [7200, '2 hours'],
    [172_800, '2 days'],
  ])('describeCacheStatus: %d seconds are "%s"', (ageSeconds, age) => {
    expect(describeCacheStatus({ ...status, ageSeconds })).toContain(`measured ${age} ago`);
  });
});
