import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeRecord, parseRecord } from '../../src/cache/measurement-record.ts';
import { bitgate, type Outcome } from './bitgate.ts';
import { lasting } from './results.ts';
import { createFolder, readResult, removeFolder, type Settings, writeConfig } from './workspace.ts';

/** Twelve layers at two widths: a session for each of 24 bases. */
const PAIRS: Settings = {
  quantize: { bits: [2, 4] },
  sensitivity: { method: 'pairwise' },
  gate: { min: 0 },
};

let folder: string;
let first: Outcome;
/** The lines of records that the first run left, by their file. */
let kept: Readonly<Record<string, string>>;

function recordFiles(): string[] {
  const files = readdirSync(join(folder, 'cache'), { recursive: true, encoding: 'utf8' });
  return files.filter((name) => name.endsWith('.jsonl')).map((name) => join(folder, 'cache', name));
}

/** What the first run left, each line changed. */
function keepInstead(change: (line: string, index: number) => string | undefined): void {
  for (const path of recordFiles()) rmSync(path);
  for (const [path, text] of Object.entries(kept)) {
    const lines = text.split('\n').filter((line) => line !== '');
    writeFileSync(path, lines.flatMap((line, index) => change(line, index) ?? []).join('\n'));
  }
}

async function runAgain(changes: Settings = {}, variables: Readonly<Record<string, string>> = {}) {
  writeConfig(folder, { ...PAIRS, ...changes });
  const outcome = await bitgate(['run'], folder, variables);
  expect(outcome).toMatchObject({ exitCode: 0 });
  return { ...outcome, ...readResult(folder) };
}

beforeAll(async () => {
  folder = createFolder();
  writeConfig(folder, PAIRS);
  first = await bitgate(['run'], folder);
  kept = Object.fromEntries(recordFiles().map((path) => [path, readFileSync(path, 'utf8')]));
});

afterAll(() => removeFolder(folder));

describe('a second run', () => {
  it('measures nothing, and gives the same', async () => {
    expect(first.exitCode).toBe(0);
    const before = readResult(folder);
    expect(before.sensitivity).toMatchObject({ cache: 'miss', method: 'pairwise' });
    const units = Object.values(kept).join('').match(/^\{/gm)!.length;
    const { sensitivity, sessionCount, stderr } = await runAgain();
    expect(sensitivity).toMatchObject({ cache: 'hit', cacheKey: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(sensitivity.cacheAgeSeconds).toBeGreaterThan(0);
    expect(stderr).toMatch(new RegExp(`^pairwise: .*, ${units} sessions known already, nothing to measure$`, 'm'));
    expect([units, first.sessionCount - sessionCount]).toEqual([24, 24]);
    expect(lasting(readResult(folder))).toEqual(lasting(before));
  });

  it('with another budget and other limits still measures nothing', async () => {
    const { sensitivity, budget } = await runAgain({ budget: { bits: 2.5 }, gate: { 'max-drop': 1 } });
    expect([sensitivity.cache, budget]).toMatchObject(['hit', { limitBitsPerWeight: 2.5 }]);
  });

  it('measures what is not known, and gives the same', async () => {
    await runAgain();
    const whole = lasting(readResult(folder));
    keepInstead((line, index) => (index % 3 === 0 ? undefined : line));
    const { sensitivity, stderr } = await runAgain();
    expect(sensitivity.cache).toBe('partial');
    expect(stderr).toMatch(/, 16 sessions known already, about [\d.]+ s here$/m);
    expect(lasting(readResult(folder))).toEqual(whole);
    expect((await runAgain()).sensitivity.cache).toBe('hit');
  });
});

describe('what is not to be believed', () => {
  it('damage is said, and measured anew', async () => {
    await runAgain();
    const whole = lasting(readResult(folder));
    keepInstead((line, index) => (index === 4 ? line.replace('"losses":{', '"losses":{ ') : line));
    const { sensitivity, warnings } = await runAgain();
    expect(sensitivity.cache).toBe('partial');
    expect(warnings).toEqual([
      '1 kept measurement is unusable on this machine, and measured anew if needed: damaged: its text does not match its checksum (1)',
    ]);
    expect(lasting(readResult(folder))).toEqual(whole);
  });

  it('cache-verify: what was put there by someone else is found, dropped, and measured anew', async () => {
    await runAgain();
    const whole = lasting(readResult(folder));
    keepInstead(halveLosses);
    const { sensitivity, warnings } = await runAgain({ 'cache-verify': 3 });
    expect(sensitivity.cache).toBe('miss');
    expect(warnings).toEqual([
      expect.stringMatching(
        /^what was known is dropped: the loss \S+ of unit base=\S+ was known as [\d.e-]+, and is measured as [\d.e-]+$/,
      ),
    ]);
    expect(lasting(readResult(folder))).toEqual(whole);
    const again = await runAgain({ 'cache-verify': 3 });
    expect([again.sensitivity.cache, again.warnings]).toEqual(['hit', []]);
    expect(again.stderr).toContain('cache-verify: 3 known units measured again, as known');
  });
});

describe('where nothing is to be kept', () => {
  it('cache: off leaves nothing behind and looks at nothing', async () => {
    const { sensitivity } = await runAgain({ cache: 'off', sensitivity: { method: 'diagonal' } });
    expect(sensitivity).not.toHaveProperty('cacheKey');
    expect(sensitivity.cache).toBe('off');
  });

  it('a release is measured from nothing, and says so', async () => {
    const release = { GITHUB_EVENT_NAME: 'release', GITHUB_REF: 'refs/tags/v1' };
    const { sensitivity, warnings } = await runAgain({ sensitivity: { method: 'diagonal' } }, release);
    expect(sensitivity.cache).toBe('off');
    expect(warnings).toEqual([
      'cache: off, because this is a release: what is released is measured from nothing (`cache: github` or `local` would use it)',
    ]);
  });
});

describe('cache', () => {
  it('list names what is kept, and clear removes it', async () => {
    await runAgain();
    const listed = await bitgate(['cache', 'list'], folder);
    expect(listed.stdout).toMatch(
      /^[0-9a-f]{12} {2,}\d+ bytes {2}used \d+ seconds? ago +glyphs\.onnx, kl, rtn, none\n1 measurement set, \d+ bytes in \S+\/cache\/bitgate\/measurements\n$/,
    );
    const { cacheKey } = readResult(folder).sensitivity;
    expect(cacheKey?.startsWith(listed.stdout.slice(0, 12))).toBe(true);
    expect((await bitgate(['cache', 'clear'], folder)).stdout).toMatch(/^1 measurement set, \d+ bytes removed from /);
    expect((await bitgate(['cache', 'list'], folder)).stdout).toMatch(/^nothing is kept in /);
    expect((await runAgain()).sensitivity.cache).toBe('miss');
  });
});

it('auto takes a method that is known, however short the time', async () => {
  const known = await runAgain({ sensitivity: { method: 'auto', 'time-limit': 0 } });
  expect(known.sensitivity).toMatchObject({ method: 'pairwise', cache: 'hit' });
  const unknown = await runAgain({ cache: 'off', sensitivity: { method: 'auto', 'time-limit': 0 } });
  expect(unknown.sensitivity).toMatchObject({ method: 'local', cache: 'off' });
});

function halveLosses(line: string): string {
  const { key } = JSON.parse(line) as { readonly key: string };
  const parsed = parseRecord(line, key);
  if (parsed.kind === 'rejected') throw new Error(parsed.reason);
  const { losses } = parsed.record;
  const halved = Object.fromEntries(Object.entries(losses).map(([name, loss]) => [name, loss / 2]));
  return encodeRecord({ ...parsed.record, losses: halved });
}
