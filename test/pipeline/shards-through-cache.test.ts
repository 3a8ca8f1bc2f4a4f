/** Shares that travel through the Actions cache: nothing but the plan is handed from job to job. */
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { createCommands } from '../../src/entry/create-commands.ts';
import { createWorld } from '../../src/entry/create-world.ts';
import { nodeFiles } from '../../src/entry/files.ts';
import { readConfig } from '../../src/entry/read-config.ts';
import { type CacheService, startCacheService, tokenOf } from '../cache/cache-service.ts';
import { createFolder, removeFolder, type Settings, writeConfig } from './workspace.ts';

const PAIRS: Settings = { quantize: { bits: [2, 4] }, sensitivity: { method: 'pairwise' } };

let folder: string;
let config: Config;
let service: CacheService;

beforeAll(async () => {
  folder = createFolder();
  config = await readConfig(writeConfig(folder, PAIRS), { workingDirectory: folder }, nodeFiles);
});
beforeEach(async () => {
  service = await startCacheService();
});
afterEach(() => service.close());
afterAll(() => removeFolder(folder));

/** The commands of a job on a fresh runner of the action. */
function job() {
  const notes: string[] = [];
  const environment = {
    ...process.env,
    RUNNER_TEMP: mkdtempSync(join(folder, 'runner-')),
    ACTIONS_RESULTS_URL: service.url,
    ACTIONS_RUNTIME_TOKEN: tokenOf({ Scope: 'refs/heads/main', Permission: 3 }),
    ACTIONS_CACHE_SERVICE_V2: 'true',
    GITHUB_EVENT_NAME: 'push',
    GITHUB_REF: 'refs/heads/main',
  };
  const note = (line: string) => void notes.push(line);
  const world = createWorld({ environment, note, signal: new AbortController().signal, isAction: true });
  return { ...createCommands(world), notes };
}

const silent = () => {};
const artifact = () => readFileSync(join(folder, 'out/quantized.onnx'));

it('decide: takes from the cache what no share brings, and comes to the bytes of a run in one job', async () => {
  const { token, matrix } = await job().planMeasurement(config, 2, silent);
  expect(JSON.parse(matrix).include).toHaveLength(2);
  for (const number of [1, 2]) {
    await job().measureShard(config, { shard: { number, count: 2 }, planToken: token }, silent);
  }
  expect(service.entries).toHaveLength(2);

  const deciding = job();
  const decided = await deciding.runGate(config, silent, { shares: { files: [], planToken: token } });
  expect(decided.sensitivity).toMatchObject({ cache: 'hit', method: 'pairwise' });
  expect(deciding.notes.join('\n')).toContain('24 sessions known already, nothing to measure');
  const bytes = artifact();
  // The whole is saved too: the next run in one job has it at once.
  const whole = await job().runGate(config, silent);
  expect(whole.sensitivity).toMatchObject({ cache: 'hit', cacheKey: expect.stringMatching(/^bitgate-v1-/) });
  expect(artifact().equals(bytes)).toBe(true);
  await job().runGate({ ...config, cache: { setting: 'off', verifyCount: 0 } }, silent);
  expect(artifact().equals(bytes)).toBe(true);
});

it('decide: a shard that is neither in a share nor in the cache is named', async () => {
  const { token } = await job().planMeasurement(config, 2, silent);
  await job().measureShard(config, { shard: { number: 1, count: 2 }, planToken: token }, silent);
  const decided = job().runGate(config, silent, { shares: { files: [], planToken: token } });
  await expect(decided).rejects.toThrow(/^the share of shard 2\/2 is missing, 12 units\n {2}fix: run shard 2\/2$/);
});
