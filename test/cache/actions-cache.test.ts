import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ActionsCacheClient } from '../../src/cache/actions-cache-client.ts';
import { createGithubStore, type GithubStore } from '../../src/cache/github-store.ts';
import { type ActionsCacheOptions, createActionsCacheClient } from '../../src/entry/actions-cache.ts';
import { nodeCacheFiles } from '../../src/entry/cache-files.ts';
import { type CacheService, type Scope, startCacheService, tokenOf } from './cache-service.ts';
import { KEY, OTHER_KEY, record } from './records.ts';

const HAS_GNU_TAR = String(spawnSync('tar', ['--version']).stdout).includes('GNU tar');
const HAS_ZSTD = spawnSync('zstd', ['--version']).status === 0;

const MAIN: Scope = { Scope: 'refs/heads/main', Permission: 3 };
const MAIN_READ: Scope = { Scope: 'refs/heads/main', Permission: 1 };
const pull = (number: number): Scope => ({ Scope: `refs/pull/${number}/merge`, Permission: 3 });

/** The client waits for seconds between attempts; its process gets a clock that runs a thousand times as fast. */
const FAST_CLOCK = `--import=data:text/javascript,${encodeURIComponent(
  'const wait = globalThis.setTimeout; globalThis.setTimeout = (f, ms, ...rest) => wait(f, ms / 1000, ...rest);',
)}`;

/** A service of its own for each test, and runners that use it. */
type World = {
  readonly service: CacheService;
  client(scopes: readonly Scope[], environment?: object, options?: Partial<ActionsCacheOptions>): ActionsCacheClient;
  store(...scopes: readonly Scope[]): GithubStore;
};

async function withService(work: (world: World) => Promise<void>): Promise<void> {
  const service = await startCacheService();
  const folder = mkdtempSync(join(tmpdir(), 'bitgate-actions-cache-'));
  const client: World['client'] = (scopes, environment = {}, options = {}) =>
    createActionsCacheClient({
      processFile: new URL('../../src/entry/actions-cache-process.ts', import.meta.url),
      environment: {
        PATH: process.env.PATH,
        ACTIONS_RESULTS_URL: service.url,
        ACTIONS_RUNTIME_TOKEN: tokenOf(...scopes),
        ACTIONS_CACHE_SERVICE_V2: 'True',
        ...environment,
      },
      temporaryDirectory: folder,
      files: nodeCacheFiles,
      ...options,
    });
  try {
    await work({ service, client, store: (...scopes) => createGithubStore({ client: client(scopes) }) });
    // Nothing is left of any request: no archive, no restored file.
    expect(readdirSync(folder)).toEqual([]);
  } finally {
    await service.close();
    rmSync(folder, { recursive: true });
  }
}

/** A request takes a process most of a second, so tests run side by side. */
function test(name: string, work: (world: World) => Promise<void>): void {
  it.concurrent(name, () => withService(work));
}

const A = record('a');
const B = record('b');

describe('scopes', () => {
  test('main saves, is found exactly, and saves the same only once', async ({ service, store }) => {
    const { outcome, savedKey } = await store(MAIN).save(KEY, [A, B]);
    expect(outcome).toBe('saved');
    const records = new Map([A, B].map((each) => [each.unit, each]));
    expect(await store(MAIN).restore(KEY, ['a', 'b'])).toEqual({
      outcome: 'found',
      matchedKey: savedKey,
      records,
      notes: [],
    });
    service.calls.length = 0;
    expect(await store(MAIN).save(KEY, [A, B])).toEqual({ outcome: 'known', savedKey, notes: [] });
    expect(service.calls).toEqual(['GetCacheEntryDownloadURL']);
    expect(service.entries).toHaveLength(1);
  });

  test('a pull request finds what its base has by prefix, and adds to it for itself alone', async ({
    service,
    store,
  }) => {
    const { savedKey } = await store(MAIN).save(KEY, [A]);
    const own = store(pull(7), MAIN_READ);
    const { matchedKey, records } = await own.restore(KEY, ['a', 'b']);
    expect([matchedKey, [...records.keys()]]).toEqual([savedKey, ['a']]);
    expect((await own.save(KEY, [A, B], matchedKey)).outcome).toBe('saved');
    expect(service.entries.map(({ scope }) => scope)).toEqual(['refs/heads/main', 'refs/pull/7/merge']);
    // The other pull request would rather have both units.
    expect((await store(pull(8), MAIN_READ).restore(KEY, ['a', 'b'])).matchedKey).toBe(savedKey);
  });

  test('another branch, and another set, are a miss', async ({ store }) => {
    await store(pull(7), MAIN_READ).save(KEY, [A]);
    const absent = { outcome: 'absent', records: new Map(), notes: [] };
    expect(await store(pull(8), MAIN_READ).restore(KEY, ['a'])).toEqual(absent);
    expect(await store(pull(7), MAIN_READ).restore(OTHER_KEY, ['a'])).toEqual(absent);
  });

  test('all that is wanted, in the base, comes before a newer part of it in the own scope', async ({ store }) => {
    const { savedKey } = await store(MAIN).save(KEY, [A, B]);
    await store(pull(7)).save(KEY, [A]);
    expect((await store(pull(7), MAIN_READ).restore(KEY, ['a', 'b'])).matchedKey).toBe(savedKey);
  });
});

describe('refusals', () => {
  test('a read-only token is told that it may not save', async ({ store }) => {
    const { outcome, notes } = await store(MAIN_READ).save(KEY, [A, B]);
    expect(outcome).toBe('denied');
    expect(notes).toEqual([
      expect.stringMatching(
        /^the measurements are not saved in the Actions cache: this run may only read it: Unable to reserve cache with key bitgate-v1-\S+\. More details: cache write denied: the token is read-only$/,
      ),
    ]);
  });

  test('a token that may only write is told that it may not restore, and saves', async ({ store }) => {
    const writer = store({ ...MAIN, Permission: 2 });
    const { outcome, notes } = await writer.restore(KEY, ['a']);
    expect(outcome).toBe('denied');
    expect(notes).toEqual([
      'this run may not read the Actions cache: Failed to GetCacheEntryDownloadURL: Received non-retryable error: ' +
        'Failed request: (403) Forbidden: cache read denied: no readable scope',
    ]);
    expect((await writer.save(KEY, [A])).outcome).toBe('saved');
  });
});

describe('trouble', () => {
  test('a service that is down is asked five times, and its words are passed on without the token', async (world) => {
    const { service } = world;
    service.failures.status = 503;
    service.failures.message = `down, dear ${tokenOf(MAIN)}`;
    const store = createGithubStore({ client: world.client([MAIN], { NODE_OPTIONS: FAST_CLOCK }) });
    const reason =
      'Failed to GetCacheEntryDownloadURL: Failed to make request after 5 attempts: ' +
      'Failed request: (503) Service Unavailable: down, dear ***';
    expect(await store.restore(KEY, ['a'])).toEqual({
      outcome: 'failed',
      records: new Map(),
      notes: [`nothing was restored from the Actions cache: ${reason}`],
    });
    expect(service.calls).toHaveLength(5);
    expect(await store.save(KEY, [A])).toEqual({
      outcome: 'failed',
      notes: [`the measurements are not saved in the Actions cache: ${reason}`],
    });
  });

  test('an upload that fails leaves no entry to be found', async ({ service, client }) => {
    service.failures.uploadStatus = 507;
    const store = createGithubStore({ client: client([MAIN], { NODE_OPTIONS: FAST_CLOCK }) });
    const { outcome, notes } = await store.save(KEY, [A]);
    expect(outcome).toBe('failed');
    expect(notes).toEqual([
      expect.stringMatching(
        /^the measurements are not saved in the Actions cache: uploadCacheArchiveSDK: internal error/,
      ),
    ]);
    expect(notes.join()).not.toContain('secret-up');
    expect(service.entries.map(({ content }) => content)).toEqual([undefined]);
  });

  test('a download cut short, one with wrong bytes, and a link for a file give nothing', async ({ service, store }) => {
    await store(MAIN).save(KEY, [A, B]);
    const restored = () => store(MAIN).restore(KEY, ['a', 'b']);
    const failed = (reason: unknown) => ({ outcome: 'failed', records: new Map(), notes: [reason] });
    service.failures.download = 'cut';
    expect(await restored()).toEqual(failed('nothing was restored from the Actions cache: aborted'));
    service.failures.download = 'damage';
    expect(await restored()).toEqual(
      failed(expect.stringMatching(/^nothing was restored from the Actions cache: .*tar.* failed with exit code \d+$/)),
    );
    delete service.failures.download;
    service.entries[0]!.content = archiveOfLink();
    expect(await restored()).toEqual(
      failed(
        'nothing was restored from the Actions cache: .bitgate-cache/measurements.jsonl in the archive is no file',
      ),
    );
  });

  it.runIf(HAS_GNU_TAR)('an archive that would write outside of its folder does not', () =>
    withService(async ({ service, store }) => {
      const outside = mkdtempSync(join(tmpdir(), 'bitgate-outside-'));
      await store(MAIN).save(KEY, [A]);
      service.entries[0]!.content = archive(
        (folder) => {
          for (const name of ['a-absolute', 'b-parent', 'd-through']) writeFileSync(join(folder, name), 'evil');
          symlinkSync(outside, join(folder, 'c-link'));
        },
        `--transform=s,^a-absolute,${outside}/absolute,;s,^b-parent,../../${basename(outside)}/parent,;s,^d-,c-link/,`,
      );
      expect((await store(MAIN).restore(KEY, ['a'])).outcome).toBe('failed');
      expect(readdirSync(outside)).toEqual([]);
      rmSync(outside, { recursive: true });
    }),
  );

  test('a client that does not answer in time is ended', async ({ client }) => {
    const slow = client([MAIN], {}, { timeoutSeconds: 0.05 });
    expect(await slow.restore(['a'])).toMatchObject({ outcome: 'failed', reason: 'no answer within 0.05 seconds' });
  });

  test('a client that cannot start says why', async ({ client }) => {
    const missing = client([MAIN], {}, { processFile: new URL('none.ts', import.meta.url) });
    expect(await missing.save('a', 'x')).toEqual({
      outcome: 'failed',
      reason: expect.stringMatching(/^the client ended with exit code 1: Error: Cannot find module .*none\.ts/),
    });
  });

  test('where there is no service, that is said', async ({ client }) => {
    const outside = client([MAIN], { ACTIONS_RESULTS_URL: undefined });
    expect((await outside.restore(['a'])).outcome).toBe('unavailable');
  });

  test('without zstd, what was saved with it is not found, and that is said', async ({ client, store }) => {
    if (HAS_ZSTD) await store(MAIN).save(KEY, [A]);
    const without = createGithubStore({ client: client([MAIN], { PATH: '/nowhere' }) });
    expect(await without.restore(KEY, ['a'])).toEqual({
      outcome: 'absent',
      records: new Map(),
      notes: ['zstd is not installed on this runner, so it shares no cache with runners that have it'],
    });
  });
});

describe('the service itself', () => {
  test('blocks are put together in the order of their list', async ({ service }) => {
    const call = async (method: string, body: object) => {
      const response = await fetch(`${service.url}twirp/github.actions.results.api.v1.CacheService/${method}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${tokenOf(MAIN)}` },
        body: JSON.stringify(body),
      });
      return (await response.json()) as Record<string, string>;
    };
    const entry = { key: 'k', version: 'v' };
    const { signed_upload_url: url } = await call('CreateCacheEntry', entry);
    const put = (query: string, body: string) => fetch(`${url}${query}`, { method: 'PUT', body });
    await put('&comp=block&blockid=Mg==', 'world');
    await put('&comp=block&blockid=MQ==', 'hello ');
    await put('&comp=blocklist', '<BlockList><Latest>MQ==</Latest><Latest>Mg==</Latest></BlockList>');
    expect(await call('FinalizeCacheEntryUpload', { ...entry, size_bytes: '10' })).toMatchObject({ ok: false });
    expect(await call('FinalizeCacheEntryUpload', { ...entry, size_bytes: '11' })).toMatchObject({ ok: true });
    const { signed_download_url: download } = await call('GetCacheEntryDownloadURL', entry);
    expect(await (await fetch(download!)).text()).toBe('hello world');
  });
});

/** What `tar` packs, as the client compresses it, from a folder that `fill` has filled. */
function archive(fill: (folder: string) => void, ...options: readonly string[]): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'bitgate-archive-'));
  try {
    fill(folder);
    const compression = HAS_ZSTD ? '--use-compress-program=zstd' : '-z';
    return execFileSync('tar', [compression, '-P', '-cf', '-', ...options, '-C', folder, ...readdirSync(folder)]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function archiveOfLink(): Buffer {
  return archive((folder) => {
    mkdirSync(join(folder, '.bitgate-cache'));
    symlinkSync('/dev/zero', join(folder, '.bitgate-cache', 'measurements.jsonl'));
  });
}
