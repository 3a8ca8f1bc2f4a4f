/** The built action with the Actions cache: measured once, resumed after a cancelled job, and never stopped by a cache. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CacheService, type Permission, startCacheService, tokenOf } from '../cache/cache-service.ts';
import { pullRequest, push, release } from './events.ts';
import { CONFIG, ROOT, workspaceWith } from './glyphs.ts';
import { type JobSettings, runJob } from './runner.ts';

let service: CacheService;
beforeEach(async () => {
  service = await startCacheService();
});
afterEach(() => service.close());

/** A job on a fresh runner, which may do so much with the cache of the branch. */
function run(
  config = CONFIG,
  { permission = 3, ...settings }: Partial<JobSettings> & { permission?: Permission } = {},
) {
  const environment = {
    ACTIONS_RESULTS_URL: service.url,
    ACTIONS_RUNTIME_TOKEN: tokenOf({ Scope: 'refs/heads/main', Permission: permission }),
    ACTIONS_CACHE_SERVICE_V2: 'true',
  };
  return runJob({ action: ROOT, workspace: workspaceWith(config), event: push, environment, ...settings });
}

describe('cached', () => {
  it('cached: a second job with another budget measures nothing, and decides anew', async () => {
    const first = await run();
    expect(first.main.exitCode, first.main.log).toBe(0);
    expect(first.main.log).toMatch(/cache miss/);
    expect(service.entries).toHaveLength(1);

    const second = await run(CONFIG.replace('bits: 4.0', 'bits: 3.0'));
    expect(second.main.outputs.verdict, second.main.log).toMatch(/^(pass|fail)$/);
    expect(second.main.log).toContain('nothing to measure');
    expect(second.main.log).toMatch(/cache hit bitgate-v1-/);
    expect(second.main.outputs['artifact-size-bytes']).not.toBe(first.main.outputs['artifact-size-bytes']);
    expect(service.entries).toHaveLength(1);
    expect([...first.main.annotations, ...first.main.complaints, ...second.main.complaints]).toEqual([]);
    expect(first.main.log + second.main.log).not.toContain(tokenOf({ Scope: 'refs/heads/main', Permission: 3 }));
  });

  it('cached: a job that may only read takes what is there, and says that it keeps nothing', async () => {
    const { main } = await run(CONFIG, { permission: 1, event: pullRequest() });
    expect({ exitCode: main.exitCode, annotations: main.annotations }, main.log).toEqual({
      exitCode: 0,
      annotations: [],
    });
    expect(service.entries).toHaveLength(0);
    expect(main.summary).toContain('the measurements are not saved in the Actions cache: this run may only read it');
  });

  it('cached: a release is measured from nothing', async () => {
    const { main } = await run(CONFIG, { event: release });
    expect({ exitCode: main.exitCode, calls: service.calls }, main.log).toEqual({ exitCode: 0, calls: [] });
    expect(main.summary).toContain('cache: off, because this is a release');
  });

  it('cached: a service that fails is worked without', async () => {
    service.failures.status = 400;
    const { main } = await run();
    expect({ exitCode: main.exitCode, annotations: main.annotations }, main.log).toEqual({
      exitCode: 0,
      annotations: [],
    });
    expect(main.summary).toMatch(/nothing was restored from the Actions cache/);
  });
});

/** Whether a first unit of measuring is on the disk of the runner. */
function hasRecord(temporary: string): boolean {
  const folder = join(temporary, 'bitgate-measurements');
  if (!existsSync(folder)) return false;
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.jsonl'));
  return files.some((name) => statSync(join(folder, name)).size > 0);
}

describe('resumed', () => {
  it('resumed: what a cancelled job had measured is saved by its post step, and the next job goes on from there', async () => {
    const config = CONFIG.replace('method: diagonal', 'method: pairwise').replace('samples: 32', 'samples: 256');
    const cancelled = await run(config, { cancelWhen: hasRecord });
    expect(cancelled.main.exitCode, cancelled.main.log).toBe(130);
    expect(cancelled.post.exitCode, cancelled.post.log).toBe(0);
    expect(cancelled.post.summary).toMatch(/[1-9]\d* of \d+ units kept: the next run goes on from there\./);
    expect(cancelled.post.annotations).toMatchObject([{ level: 'warning', title: 'bitgate: interrupted' }]);
    expect(service.entries).toHaveLength(1);

    const resumed = await run(config);
    expect(resumed.main.exitCode, resumed.main.log).toBe(0);
    expect(resumed.main.log).toMatch(/cache partial bitgate-v1-/);
    expect(resumed.post).toMatchObject({ exitCode: 0, summary: '', annotations: [] });
  });
});

describe('local', () => {
  it('local: a folder that the workflow names is used by the next job, wherever it is', async () => {
    const folder = workspaceWith();
    const inputs = { cache: 'local', 'cache-dir': join(folder, 'cache') };
    const first = await run(CONFIG, { inputs });
    expect(first.main.exitCode, first.main.log).toBe(0);
    const second = await run(CONFIG, { inputs });
    expect(second.main.log).toContain('nothing to measure');
    expect(service.calls).toEqual([]);
    const files = readdirSync(join(folder, 'cache'), { recursive: true, encoding: 'utf8' });
    const records = files.filter((name) => name.endsWith('.jsonl'));
    expect(readFileSync(join(folder, 'cache', records[0]!), 'utf8')).toContain('"losses"');
  });
});
