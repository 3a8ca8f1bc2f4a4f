import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/random.ts';
import { bitgate } from './bitgate.ts';
import { lasting } from './results.ts';
import { createFolder, readResult, removeFolder, type Settings, writeConfig } from './workspace.ts';

const PROGRAM = resolve(import.meta.dirname, '../../src/entry/bin.ts');
const SEED = 20261125;

/** A session for every network: 24 singles with the first of their pairs, and the other pairs. */
const MANY_UNITS: Settings = {
  quantize: { bits: [2, 4] },
  sensitivity: { method: 'pairwise' },
  'memory-limit': 1,
};
const UNIT_COUNT = 266;

/** Loaded before the program: leaves a mark for every unit that is begun, as soon as its branch graph is given to the runtime. */
const MARK_UNITS = `--import=data:text/javascript,${encodeURIComponent(`
  import { appendFileSync } from 'node:fs';
  import { createRequire } from 'node:module';
  import { isMainThread } from 'node:worker_threads';
  if (isMainThread) {
    const { InferenceSession } = createRequire('${pathToFileURL(PROGRAM)}')('onnxruntime-node');
    const { create } = InferenceSession;
    InferenceSession.create = (model, ...rest) => {
      if (Buffer.from(model).includes('@branch')) appendFileSync('begun', '.');
      return create.call(InferenceSession, model, ...rest);
    };
  }
`)}`;

let folder: string;

beforeAll(() => {
  folder = createFolder();
  writeConfig(folder, MANY_UNITS);
});

afterAll(() => removeFolder(folder));

/** The units of every record that is kept in a cache, one list per run that kept some. */
function keptUnits(cache: string): string[][] {
  const directory = join(folder, cache);
  if (!existsSync(directory)) return [];
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.jsonl'));
  return files.map((name) => {
    const lines = readFileSync(join(directory, name), 'utf8').split('\n').slice(0, -1);
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line).unit as string);
  });
}

const countIn = (cache: string) => keptUnits(cache).flat().length;

/** How many units the last run began. */
function countBegun(): number {
  const path = join(folder, 'begun');
  return existsSync(path) ? readFileSync(path).length : 0;
}

type End = { readonly exitCode: number | null; readonly signal: NodeJS.Signals | null; readonly stderr: string };

function start(cache: string): { child: ChildProcess; ended: Promise<End> } {
  rmSync(join(folder, 'begun'), { force: true });
  const child = spawn(process.execPath, [PROGRAM, 'run', '--cache-dir', cache], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: MARK_UNITS },
  });
  let stderr = '';
  child.stderr!.on('data', (data) => {
    stderr += String(data);
  });
  const ended = new Promise<End>((done) => child.on('close', (exitCode, signal) => done({ exitCode, signal, stderr })));
  return { child, ended };
}

/** Run until some more units are kept, and a moment longer, and then no further. */
async function killAfter(
  moreUnits: number,
  milliseconds: number,
  signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL',
  cache: string,
) {
  const before = countIn(cache);
  const { child, ended } = start(cache);
  while (child.exitCode === null && countIn(cache) < before + moreUnits) await wait(2);
  await wait(milliseconds);
  const killedAt = performance.now();
  child.kill(signal);
  const end = await ended;
  return { ...end, milliseconds: performance.now() - killedAt, before, lost: countBegun() - (countIn(cache) - before) };
}

const INTERRUPTED = ['SIGINT', 'SIGINT', 'SIGINT', 'SIGINT', 'SIGINT'] as const;
const KILLED = ['SIGKILL', 'SIGTERM', 'SIGKILL', 'SIGKILL'] as const;

describe('a run that is ended at random moments', () => {
  let uninterrupted: unknown;

  beforeAll(async () => {
    await bitgate(['run', '--cache', 'off'], folder);
    uninterrupted = lasting(readResult(folder));
  });

  it.each([
    ['interrupted', INTERRUPTED],
    ['killed', KILLED],
  ] as const)(
    '%s: loses the unit that it is at, measures no other twice, and ends as one that ran through',
    async (name, signals) => {
      const random = seededRandom(SEED);
      const cache = `cache/${name}`;
      for (const signal of signals) {
        const moment = { moreUnits: 1 + Math.floor(random() * 40), milliseconds: Math.floor(random() * 40) };
        const end = await killAfter(moment.moreUnits, moment.milliseconds, signal, cache);
        const context = JSON.stringify({ seed: SEED, sent: signal, ...moment, ...end });
        const kept = countIn(cache);
        expect(kept, context).toBeGreaterThanOrEqual(end.before + moment.moreUnits);
        expect(kept, context).toBeLessThan(UNIT_COUNT);
        expect(end.lost, context).toBeGreaterThanOrEqual(0);
        expect(end.lost, context).toBeLessThanOrEqual(signal === 'SIGKILL' ? 2 : 1);
        if (signal === 'SIGKILL') {
          expect(end, context).toMatchObject({ exitCode: null, signal });
        } else {
          expect(end, context).toMatchObject({ exitCode: 130, signal: null });
          expect(end.stderr, context).toContain(`\n${kept} of ${UNIT_COUNT} units kept\n`);
          expect(end.milliseconds, context).toBeLessThan(7_500);
        }
      }
      const resumed = await bitgate(['run', '--cache-dir', cache], folder);
      expect(resumed.exitCode).toBe(0);
      const units = keptUnits(cache).flat();
      expect([units.length, new Set(units).size]).toEqual([UNIT_COUNT, UNIT_COUNT]);
      const result = readResult(folder);
      expect(result.sensitivity.cache).toBe('partial');
      expect(lasting(result)).toEqual(uninterrupted);
    },
  );
});

it('without a cache, an interrupted run says that nothing is kept', async () => {
  const child = spawn(process.execPath, [PROGRAM, 'run', '--cache', 'off'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (data) => {
    stderr += String(data);
    // Once: a second signal can meet a process that is ending and no longer listens.
    if (!child.killed && /^measuring layers and pairs: 0/m.test(stderr)) child.kill('SIGINT');
  });
  const exitCode = await new Promise((done) => child.on('close', done));
  expect(exitCode).toBe(130);
  expect(stderr).toMatch(/^nothing is kept: the cache is off$/m);
});
