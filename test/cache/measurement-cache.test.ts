import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ActionsCacheClient, RestoreReply } from '../../src/cache/actions-cache-client.ts';
import type { CachePolicy } from '../../src/cache/cache-policy.ts';
import { createGithubStore } from '../../src/cache/github-store.ts';
import { createLocalStore } from '../../src/cache/local-store.ts';
import { type CacheStores, openMeasurementCache, saveKept } from '../../src/cache/measurement-cache.ts';
import { encodeRecordLines, parseRecordLines } from '../../src/cache/record-lines.ts';
import { nodeCacheFiles } from '../../src/entry/cache-files.ts';
import { KEY, measurement, record } from './records.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bitgate-measurement-cache-'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const NOW = Date.parse('2026-11-01T12:00:10.000Z');

const wantedUnits = (...units: readonly string[]) => units.map((unit) => ({ unit, lossNames: [unit] }));

function storesHere(more: Partial<CacheStores> = {}): CacheStores {
  const local = createLocalStore({ directory, files: nodeCacheFiles, newName: randomUUID });
  return { local, now: () => NOW, environment: 'linux-x64 [2 cores] é', ...more };
}

function open(store: CachePolicy['store'], units: readonly string[], more: Partial<CacheStores> = {}) {
  return openMeasurementCache(
    { policy: { store }, key: KEY, label: 'm.onnx', wanted: wantedUnits(...units) },
    storesHere(more),
  );
}

/** An Actions cache with one entry or none; remembers what is saved, by key. */
function actionsCache(reply: RestoreReply = { outcome: 'absent', hasZstd: true }) {
  const saved = new Map<string, string>();
  const client: ActionsCacheClient = {
    restore: async () => reply,
    save: async (key, text) => {
      saved.set(key, text);
      return { outcome: 'saved' };
    },
  };
  const unitsSaved = () =>
    [...saved.values()].map((text) => [...parseRecordLines(new TextEncoder().encode(text), KEY).records.keys()]);
  return { github: createGithubStore({ client }), saved, unitsSaved };
}

const holding = (matchedKey: string, ...units: readonly string[]): RestoreReply => ({
  outcome: 'restored',
  matchedKey,
  content: new TextEncoder().encode(encodeRecordLines(units.map((unit) => record(unit)))),
  hasZstd: true,
});

describe('on this machine', () => {
  it('a first run knows nothing, the next one everything, and how old it is', async () => {
    const first = await open('local', ['a', 'b']);
    expect(first.status).toEqual({ store: 'local', status: 'miss', knownUnits: 0, wantedUnits: 2, notes: [] });
    for (const unit of ['a', 'b']) await first.keep(measurement(unit));
    await first.finish();
    const second = await open('local', ['a', 'b'], { now: () => NOW + 60_000 });
    expect(second.status).toEqual({
      store: 'local',
      status: 'hit',
      knownUnits: 2,
      wantedUnits: 2,
      matchedKey: KEY,
      ageSeconds: 60,
      notes: [],
    });
    expect(second.known.get('b')).toEqual({
      ...record('b'),
      measuredAt: new Date(NOW).toISOString(),
      environment: 'linux-x64 _2 cores_ _',
    });
  });

  it('an interrupted run is known as far as it came', async () => {
    const interrupted = await open('local', ['a', 'b', 'c']);
    await interrupted.keep(measurement('c'));
    await interrupted.keep(measurement('a'));
    const { status, known } = await open('local', ['a', 'b', 'c']);
    expect([status.status, status.knownUnits]).toEqual(['partial', 2]);
    expect([...known.keys()]).toEqual(['a', 'c']);
  });

  it('what is kept and not wanted stays for others', async () => {
    await (await open('local', ['a'])).keep(measurement('a'));
    const other = await open('local', ['z']);
    expect(other.status.status).toBe('miss');
    await other.finish();
    expect((await open('local', ['a'])).status.status).toBe('hit');
  });

  it('a record with other losses than its unit has is measured anew', async () => {
    await (await open('local', ['a'])).keep(measurement('a', { a: 1, more: 2 }));
    await (await open('local', ['a'])).keep(measurement('b', { other: 2 }));
    const { status, known } = await open('local', ['a', 'b']);
    expect(known.size).toBe(0);
    expect(status.notes).toEqual(['2 kept measurements have other losses than their units, and are measured anew']);
  });

  it('a measurement that is none is not kept, and that is said', async () => {
    const cache = await open('local', ['a']);
    await cache.keep(measurement('a', { a: Number.NaN }));
    expect(cache.status.notes).toEqual([
      'the unit a is not kept: the measurement cannot be kept: losses must be number',
    ]);
    expect((await open('local', ['a'])).status.status).toBe('miss');
  });

  it('a directory that cannot be used costs a note, not the run', async () => {
    rmSync(directory, { recursive: true });
    writeFileSync(directory, 'a file');
    const cache = await open('local', ['a']);
    await cache.keep(measurement('a'));
    await cache.finish();
    expect(cache.status.status).toBe('miss');
    expect(cache.status.notes).toEqual([
      `measurements are not kept on this machine: ${directory}/v1: cannot be written: not a directory\n` +
        '  fix: choose a folder that this user can write to',
    ]);
  });

  it('what is dropped is gone, and what is measured afterwards is kept', async () => {
    await (await open('local', ['a', 'b'])).keep(measurement('a', { a: 666 }));
    const cache = await open('local', ['a', 'b']);
    await cache.drop('a was measured as 1');
    expect(cache.known.size).toBe(0);
    expect(cache.status).toMatchObject({ status: 'miss', notes: ['what was known is dropped: a was measured as 1'] });
    await cache.keep(measurement('b'));
    expect([...(await open('local', ['a', 'b'])).known.keys()]).toEqual(['b']);
  });
});

describe('off', () => {
  it('nothing is known, nothing is kept, and the reason is noted', async () => {
    await (await open('local', ['a'])).keep(measurement('a'));
    const policy = { store: 'off', notice: 'cache: off, because a tag is built' } as const;
    const cache = await openMeasurementCache(
      { policy, key: KEY, label: '', wanted: wantedUnits('a', 'b') },
      storesHere(),
    );
    await cache.keep(measurement('b'));
    await cache.finish();
    expect(cache.status).toEqual({
      store: 'off',
      status: 'off',
      knownUnits: 0,
      wantedUnits: 2,
      notes: ['cache: off, because a tag is built'],
    });
    expect([...(await open('local', ['a', 'b'])).known.keys()]).toEqual(['a']);
  });
});

describe('in the Actions cache', () => {
  it('what is found is added to, and saved whole', async () => {
    const { github, unitsSaved } = actionsCache(holding('bitgate-v1-x', 'a', 'other'));
    const cache = await open('github', ['a', 'b'], { github });
    expect(cache.status).toEqual({
      store: 'github',
      status: 'partial',
      knownUnits: 1,
      wantedUnits: 2,
      matchedKey: 'bitgate-v1-x',
      ageSeconds: 10,
      notes: [],
    });
    await cache.keep(measurement('b'));
    await cache.finish();
    expect(unitsSaved()).toEqual([['a', 'b', 'other']]);
  });

  it('an entry that already has everything is not saved again', async () => {
    const first = actionsCache();
    const writer = await open('github', ['a'], { github: first.github });
    await writer.keep(measurement('a'));
    await writer.finish();
    const [[savedKey]] = [...first.saved] as [[string, string]];
    const second = actionsCache(holding(savedKey, 'a'));
    const reader = await open('github', ['a'], { github: second.github });
    expect(reader.status.status).toBe('hit');
    await reader.finish();
    expect(second.saved.size).toBe(0);
  });

  it('after a drop, what is measured is saved as another entry', async () => {
    const { github, saved, unitsSaved } = actionsCache(holding('bitgate-v1-poisoned', 'a', 'b'));
    const cache = await open('github', ['a', 'b'], { github });
    await cache.drop('a lie');
    await cache.keep(measurement('a', { a: 0.5 }));
    await cache.finish();
    expect(unitsSaved()).toEqual([['a']]);
    expect(cache.status).not.toHaveProperty('matchedKey');
    expect([...saved.keys()]).not.toContain('bitgate-v1-poisoned');
  });

  it('a run that may not read is denied', async () => {
    const { github } = actionsCache({ outcome: 'failed', reason: 'cache read denied: no scope', hasZstd: true });
    const { status } = await open('github', ['a'], { github });
    expect([status.status, status.notes]).toEqual([
      'denied',
      ['this run may not read the Actions cache: cache read denied: no scope'],
    ]);
  });

  it('a cache in trouble, and a full disk, are said and worked without', async () => {
    const broken = {
      restore: () => Promise.reject(new Error('restore')),
      save: () => Promise.reject(new Error('save')),
    };
    const files = { ...nodeCacheFiles, appendAndFlush: () => Promise.reject(new Error('disk full')) };
    const local = createLocalStore({ directory, files, newName: randomUUID });
    const cache = await open('github', ['a', 'b'], { github: broken, local });
    for (const unit of ['a', 'b']) await cache.keep(measurement(unit));
    await cache.finish();
    expect(cache.status.notes).toEqual([
      'nothing is restored: restore',
      'units are not kept on this machine: disk full',
      'the measurements are not saved: save',
    ]);
  });

  it('saveKept: a later process saves what an interrupted job restored and measured', async () => {
    const job = await open('github', ['a', 'b', 'c'], { github: actionsCache(holding('k', 'a')).github });
    await job.keep(measurement('b'));
    const { github, unitsSaved } = actionsCache();
    const saved = await saveKept({ key: KEY, label: 'm.onnx' }, { local: storesHere().local, github });
    expect(saved).toMatchObject({ outcome: 'saved', unitCount: 2, notes: [] });
    expect(unitsSaved()).toEqual([['a', 'b']]);
  });
});
