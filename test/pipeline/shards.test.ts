import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bitgate } from './bitgate.ts';
import { refusal } from './refusal.ts';
import { lasting } from './results.ts';
import { createFolder, readResult, removeFolder, type Settings, writeConfig } from './workspace.ts';

const PROGRAM = resolve(import.meta.dirname, '../../src/entry/bin.ts');

/** A session for each of 24 bases, and nowhere a clock that decides. */
const PAIRS: Settings = { quantize: { bits: [2, 4] }, sensitivity: { method: 'pairwise' } };

let folder: string;

beforeAll(() => {
  folder = createFolder();
  writeConfig(folder, PAIRS);
});

afterAll(() => removeFolder(folder));

/** A run in a process of its own, as on a machine of its own: with nothing that is kept. */
function runAlone(...options: readonly string[]): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [PROGRAM, 'run', '--cache', 'off', ...options], { cwd: folder });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data) => {
    stdout += String(data);
  });
  child.stderr.on('data', (data) => {
    stderr += String(data);
  });
  return new Promise((done) => child.on('close', (exitCode) => done({ exitCode, stdout, stderr })));
}

const artifact = () => readFileSync(join(folder, 'out/quantized.onnx'));
const shareNames = () => readdirSync(join(folder, 'd')).sort();

describe('four shards', () => {
  it('plan: a matrix with even parts, from one run of the model', async () => {
    const { exitCode, stdout, stderr, sessionCount } = await bitgate(
      ['run', '--mode', 'plan', '--shards', '4'],
      folder,
    );
    expect(exitCode).toBe(0);
    const { include } = JSON.parse(stdout) as { readonly include: { shard: string; units: number }[] };
    expect(include.map(({ shard }) => shard)).toEqual(['1/4', '2/4', '3/4', '4/4']);
    expect(include.reduce((sum, { units }) => sum + units, 0)).toBe(24);
    expect(sessionCount).toBe(1);
    expect(stderr).toContain('the plan, for --plan of the other machines: 4:0-23\n');
    const [, works] = /^pairwise: 24 units, 0 known already; forwards by shard: (.*)$/m.exec(stderr) ?? [];
    const loads = works!.split(', ').map(Number);
    expect(Math.max(...loads) / Math.min(...loads)).toBeLessThan(1.1);
  });

  it('measure and decide: as four processes, to the bytes and the report of one', async () => {
    const shards = await Promise.all(
      ['1/4', '2/4', '3/4', '4/4'].map((shard) => runAlone('--shard', shard, '--share-dir', 'd')),
    );
    for (const { exitCode, stdout, stderr } of shards) {
      expect(exitCode, stderr).toBe(0);
      expect(existsSync(stdout.trim())).toBe(true);
    }
    expect(shareNames().map((name) => name.replace(/-[0-9a-f]{16}-/, '-<key>-'))).toEqual(
      [1, 2, 3, 4].map((number) => `share-<key>-${number}of4.jsonl`),
    );
    const decided = await bitgate(['run', '--mode', 'decide', '--share-dir', 'd'], folder);
    expect(decided.exitCode).toBe(0);
    expect(decided.stderr).toContain('24 sessions known already, nothing to measure');
    const [bytes, report] = [artifact(), readResult(folder)];
    expect((await bitgate(['run', '--cache', 'off'], folder)).exitCode).toBe(0);
    expect(artifact().equals(bytes)).toBe(true);
    expect(lasting(report)).toEqual(lasting(readResult(folder)));
  });

  it('decide: what the shares hold is kept, so that the next run measures nothing', async () => {
    expect((await bitgate(['run'], folder)).exitCode).toBe(0);
    expect(readResult(folder).sensitivity.cache).toBe('hit');
  });

  it('plan: nothing is left where all is known, and decide needs no share', async () => {
    const plan = await bitgate(['run', '--mode', 'plan', '--shards', '4'], folder);
    expect(plan.stdout).toBe('{"include":[]}\n');
    const decided = await bitgate(['run', '--mode', 'decide', '--share-dir', 'nowhere', '--plan', '4:'], folder);
    expect(decided.exitCode).toBe(0);
  });
});

describe('decide', () => {
  const decide = (...options: readonly string[]) =>
    refusal(folder, ['run', '--mode', 'decide', '--share-dir', 'd', '--cache', 'off', ...options]);

  it('a share that is missing is named', async () => {
    const third = shareNames()[2]!;
    renameSync(join(folder, 'd', third), join(folder, third));
    const { message } = await decide();
    expect(message).toMatch(/^error: the share of shard 3\/4 is missing, \d units\n {2}fix: run shard 3\/4\n$/);
    renameSync(join(folder, third), join(folder, 'd', third));
  });

  it('a share of other settings is named', async () => {
    writeConfig(folder, { ...PAIRS, sensitivity: { method: 'pairwise', loss: 'mse' } });
    await runAlone('--shard', '2/4', '--share-dir', 'foreign');
    writeConfig(folder, PAIRS);
    mkdirSync(join(folder, 'd'), { recursive: true });
    const [foreign] = readdirSync(join(folder, 'foreign'));
    copyFileSync(join(folder, 'foreign', foreign!), join(folder, 'd', foreign!));
    const { message } = await decide();
    expect(message).toContain(
      `${foreign}: measures something else: another model, calibration set, setting, runtime or device`,
    );
  });

  it('a plan for other units is named', async () => {
    expect((await decide('--plan', '4:0-99')).message).toMatch(
      /the plan: was planned for other units than are wanted here/,
    );
  });
});

it.each([[['--mode', 'plan', '--shards', '2']], [['--shard', '1/2']], [['--mode', 'decide']]])(
  'auto: every machine would choose for itself, so %j is refused',
  async (options) => {
    writeConfig(folder, { ...PAIRS, sensitivity: { method: 'auto' } });
    const { message } = await refusal(folder, ['run', ...options]);
    expect(message).toContain('`sensitivity.method` is auto, which each machine would choose for itself');
  },
);
