import { describe, expect, it } from 'vitest';
import type { ActionsCacheClient, RestoreReply, SaveReply } from '../../src/cache/actions-cache-client.ts';
import { createGithubStore } from '../../src/cache/github-store.ts';
import { encodeRecordLines } from '../../src/cache/record-lines.ts';
import { KEY, OTHER_KEY, record } from './records.ts';

/** A client that answers from a list, and remembers what it was asked. */
function answering(...replies: readonly (RestoreReply | SaveReply)[]) {
  const asked: unknown[][] = [];
  const answer = async (...request: unknown[]) => replies[asked.push(request) - 1] as never;
  const client: ActionsCacheClient = { restore: answer, save: answer };
  return { client, asked };
}

const contentOf = (text: string) => new TextEncoder().encode(text);
const RECORDS = ['a', 'b'].map((unit) => record(unit));

describe('restore', () => {
  it('restore: asks for the wanted units first, then for any of the set', async () => {
    const { client, asked } = answering({ outcome: 'absent', hasZstd: true });
    await createGithubStore({ client }).restore(KEY, ['b', 'a']);
    const [[prefixes]] = asked as [[string[]]];
    expect(prefixes).toEqual([expect.stringMatching(`^bitgate-v1-${KEY}-[0-9a-f]{16}-$`), `bitgate-v1-${KEY}-`]);
  });

  it('restore: the entry that save names is found by what restore asks for', async () => {
    const saving = answering({ outcome: 'saved' });
    const restoring = answering({ outcome: 'absent', hasZstd: true });
    await createGithubStore({ client: saving.client }).save(KEY, [...RECORDS].reverse());
    await createGithubStore({ client: restoring.client }).restore(KEY, ['a', 'b']);
    const [[savedKey]] = saving.asked as [[string]];
    const [[[first]]] = restoring.asked as [[[string]]];
    expect(savedKey.startsWith(first)).toBe(true);
    expect(savedKey.length).toBeLessThan(512);
  });

  it('restore: what is unusable in an entry is said and left out', async () => {
    const text = `${encodeRecordLines([record('a'), record('b', { key: OTHER_KEY })])}{"poison":1}\n`;
    const { client } = answering({ outcome: 'restored', matchedKey: 'k', content: contentOf(text), hasZstd: true });
    expect(await createGithubStore({ client }).restore(KEY, ['a'])).toEqual({
      outcome: 'found',
      matchedKey: 'k',
      records: new Map([['a', record('a')]]),
      notes: [
        '2 kept measurements are unusable in the Actions cache, and measured anew if needed: ' +
          "of another measurement set (1), the record must have required property 'schemaVersion' (1)",
      ],
    });
  });

  it.each<[string, RestoreReply, string, string[]]>([
    ['nothing there', { outcome: 'absent', hasZstd: true }, 'absent', []],
    [
      'nothing there, and no zstd',
      { outcome: 'absent', hasZstd: false },
      'absent',
      ['zstd is not installed on this runner, so it shares no cache with runners that have it'],
    ],
    [
      'no service',
      { outcome: 'unavailable', hasZstd: true },
      'failed',
      ['nothing was restored from the Actions cache: there is no cache service here (ACTIONS_RESULTS_URL is not set)'],
    ],
    [
      'a service in trouble',
      { outcome: 'failed', reason: 'on fire', hasZstd: true },
      'failed',
      ['nothing was restored from the Actions cache: on fire'],
    ],
    [
      'a token without scopes',
      { outcome: 'failed', reason: 'cache read denied: none', hasZstd: true },
      'denied',
      ['this run may not read the Actions cache: cache read denied: none'],
    ],
  ])('restore: %s', async (_, reply, outcome, notes) => {
    const restored = await createGithubStore({ client: answering(reply).client }).restore(KEY, ['a']);
    expect(restored).toEqual({ outcome, notes, records: new Map() });
  });
});

describe('save', () => {
  const keyOf = async (records: Parameters<ReturnType<typeof createGithubStore>['save']>[1]) => {
    const { client, asked } = answering({ outcome: 'saved' });
    await createGithubStore({ client }).save(KEY, records);
    return (asked as [[string]])[0][0];
  };

  it('save: the key follows the units and the losses, not times or order', async () => {
    const key = await keyOf(RECORDS);
    expect(await keyOf([...RECORDS].reverse())).toBe(key);
    expect(await keyOf(RECORDS.map((each) => ({ ...each, seconds: 9, measuredAt: '2026-11-02T00:00:00.000Z' })))).toBe(
      key,
    );
    expect(await keyOf([record('a', { losses: { a: 0.25 } }), record('b')])).not.toBe(key);
    expect(await keyOf([record('a')])).not.toBe(key);
  });

  it('save: what was restored whole, and nothing at all, are not saved', async () => {
    const { client, asked } = answering();
    const store = createGithubStore({ client });
    expect(await store.save(KEY, RECORDS, await keyOf(RECORDS))).toEqual({ outcome: 'known', notes: [] });
    expect(await store.save(KEY, [])).toEqual({ outcome: 'known', notes: [] });
    expect(asked).toEqual([]);
  });

  it.each<[string, SaveReply, object]>([
    ['saved', { outcome: 'saved' }, { outcome: 'saved', savedKey: expect.any(String), notes: [] }],
    ['there already', { outcome: 'exists' }, { outcome: 'known', savedKey: expect.any(String), notes: [] }],
    [
      'a token that may only read',
      { outcome: 'failed', reason: 'cache write denied: read-only' },
      {
        outcome: 'denied',
        notes: [
          'the measurements are not saved in the Actions cache: this run may only read it: cache write denied: read-only',
        ],
      },
    ],
    [
      'a service in trouble',
      { outcome: 'failed', reason: 'on fire' },
      { outcome: 'failed', notes: ['the measurements are not saved in the Actions cache: on fire'] },
    ],
  ])('save: %s', async (_, reply, saved) => {
    expect(await createGithubStore({ client: answering(reply).client }).save(KEY, RECORDS)).toEqual(saved);
  });
});

describe('ACTIONS_CACHE_MODE', () => {
  it.each([
    ['none', 'denied', 'denied'],
    ['read', 'absent', 'denied'],
    ['write', 'absent', 'saved'],
    [' Write-Only ', 'denied', 'saved'],
    ['something new', 'absent', 'saved'],
    [undefined, 'absent', 'saved'],
  ])('mode %j: restore is %s, save is %s', async (mode, restored, saved) => {
    const restoring = answering({ outcome: 'absent', hasZstd: true });
    const saving = answering({ outcome: 'saved' });
    const options = mode === undefined ? {} : { mode };
    const restore = await createGithubStore({ client: restoring.client, ...options }).restore(KEY, ['a']);
    const save = await createGithubStore({ client: saving.client, ...options }).save(KEY, RECORDS);
    expect([restore.outcome, save.outcome]).toEqual([restored, saved]);
    expect([restoring.asked.length, saving.asked.length]).toEqual([
      restored === 'denied' ? 0 : 1,
      saved === 'denied' ? 0 : 1,
    ]);
  });

  it('mode none: the notes name it', async () => {
    const store = createGithubStore({ client: answering().client, mode: 'none' });
    expect((await store.restore(KEY, ['a'])).notes).toEqual([
      'ACTIONS_CACHE_MODE is "none", so the Actions cache is not read',
    ]);
    expect((await store.save(KEY, RECORDS)).notes).toEqual([
      'the measurements are not saved in the Actions cache: ACTIONS_CACHE_MODE is "none"',
    ]);
  });
});
