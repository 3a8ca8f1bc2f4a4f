import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LocalSet } from '../../src/cache/local-set.ts';
import { createLocalStore } from '../../src/cache/local-store.ts';
import { describeRejections } from '../../src/cache/record-lines.ts';
import { nodeCacheFiles } from '../../src/entry/cache-files.ts';
import { KEY, OTHER_KEY, record } from './records.ts';

let directory: string;

beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'bitgate-cache-')), 'cache');
});

afterEach(() => rmSync(join(directory, '..'), { recursive: true, force: true }));

function storeHere(limitBytes?: number) {
  const limit = limitBytes === undefined ? {} : { limitBytes };
  return createLocalStore({ directory, files: nodeCacheFiles, newName: randomUUID, ...limit });
}

async function unitsOf(set: LocalSet): Promise<string[]> {
  return [...(await set.read()).records.keys()].sort();
}

function recordFiles(key = KEY): string[] {
  const folder = join(directory, 'v1', key);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .map((name) => join(folder, name));
}

const keyNumber = (index: number) => index.toString(16).padStart(64, '0');

describe('open, read, append', () => {
  it('append: another opening of the set reads the same records', async () => {
    const set = await storeHere().open(KEY, 'resnet20.onnx');
    expect((await set.read()).records.size).toBe(0);
    await set.append([record('a'), record('b')]);
    await set.append([record('c')]);
    const { records, rejections } = await (await storeHere().open(KEY, 'resnet20.onnx')).read();
    expect(records).toEqual(new Map(['a', 'b', 'c'].map((unit) => [unit, record(unit)])));
    expect(rejections.size).toBe(0);
  });

  it('append: sets do not see each other', async () => {
    await (await storeHere().open(KEY, '')).append([record('a')]);
    expect(await unitsOf(await storeHere().open(OTHER_KEY, ''))).toEqual([]);
  });

  it('append: a measurement that is none is refused, and nothing is written', async () => {
    const set = await storeHere().open(KEY, '');
    await expect(set.append([record('a'), record('b', { losses: { b: Number.NaN } })])).rejects.toThrow(
      new RangeError('the measurement cannot be kept: losses must be number'),
    );
    expect(recordFiles()).toEqual([]);
  });

  it.skipIf(process.platform === 'win32')(
    'open: nobody else can enter, also where the folder was open before',
    async () => {
      mkdirSync(join(directory, 'v1', KEY), { recursive: true });
      chmodSync(join(directory, 'v1'), 0o777);
      chmodSync(join(directory, 'v1', KEY), 0o777);
      await (await storeHere().open(KEY, '')).append([record('a')]);
      expect(statSync(join(directory, 'v1')).mode & 0o777).toBe(0o700);
      expect(statSync(join(directory, 'v1', KEY)).mode & 0o777).toBe(0o700);
      expect(statSync(recordFiles()[0]!).mode & 0o777).toBe(0o600);
    },
  );

  it('open: a directory that cannot be made is named', async () => {
    writeFileSync(directory, 'a file');
    await expect(storeHere().open(KEY, '')).rejects.toThrow(
      `${directory}/v1: cannot be written: not a directory\n  fix: choose a folder that this user can write to`,
    );
  });

  it('open: what is no key is not made a path', async () => {
    await expect(storeHere().open('../elsewhere', '')).rejects.toThrow(
      new RangeError('"../elsewhere" is no key of a measurement set'),
    );
  });

  it('read: lines cut off, foreign and broken are counted, and spoil no other line', async () => {
    const set = await storeHere().open(KEY, '');
    await set.append([record('a')]);
    const [file] = recordFiles() as [string];
    appendFileSync(file, '{"schemaVersion":1,"key":"cut o');
    await set.append([record('b')]);
    appendFileSync(file, Uint8Array.of(0, 255, 10));
    const { records, rejections } = await set.read();
    expect([...records.keys()]).toEqual(['a', 'b']);
    expect(describeRejections(rejections, 'on this machine')).toEqual([
      '2 kept measurements are unusable on this machine, and measured anew if needed: no JSON (2)',
    ]);
  });

  it('read: a file too large to be records is passed over', async () => {
    const set = await storeHere().open(KEY, '');
    await set.append([record('a')]);
    const large = join(directory, 'v1', KEY, 'large.jsonl');
    writeFileSync(large, new Uint8Array(64 * 2 ** 20 + 1));
    const { records, rejections } = await set.read();
    expect([...records.keys()]).toEqual(['a']);
    expect([...rejections.keys()]).toEqual([
      `a whole file, ${large}: the file has 67108865 bytes, expected at most 67108864`,
    ]);
  });
});

describe('tidy', () => {
  it('tidy: many files become one with the same records, and unusable lines go', async () => {
    for (let index = 0; index < 9; index++) {
      await (await storeHere().open(KEY, '')).append([record(`u${index}`), record('common')]);
    }
    appendFileSync(recordFiles()[0]!, 'broken\n');
    const set = await storeHere().open(KEY, '');
    const before = await set.read();
    await set.tidy();
    expect(recordFiles()).toHaveLength(1);
    const after = await set.read();
    expect(after.records).toEqual(new Map([...before.records].sort()));
    expect(after.rejections.size).toBe(0);
  });

  it('tidy: one broken line is reason enough, a few files are not', async () => {
    const set = await storeHere().open(KEY, '');
    await set.append([record('a')]);
    const [file] = recordFiles() as [string];
    await set.tidy();
    expect(recordFiles()).toEqual([file]);
    appendFileSync(file, 'broken\n');
    await set.tidy();
    expect(await set.read()).toEqual({ records: new Map([['a', record('a')]]), rejections: new Map() });
    expect(recordFiles()).not.toContain(file);
  });

  it('tidy: what is appended afterwards by a process that was there before is kept', async () => {
    const early = await storeHere().open(KEY, '');
    await early.append([record('a')]);
    for (let index = 0; index < 9; index++) await (await storeHere().open(KEY, '')).append([record(`u${index}`)]);
    await (await storeHere().open(KEY, '')).tidy();
    await early.append([record('late')]);
    expect(await unitsOf(early)).toEqual(['a', 'late', ...Array.from({ length: 9 }, (_, index) => `u${index}`)]);
  });
});

describe('list, clear, drop, and the cap', () => {
  it('list: names the sets, the one used last first, with all their bytes', async () => {
    const store = storeHere();
    expect(await store.list()).toEqual([]);
    await (await store.open(KEY, 'first\u001b[31m\n.onnx')).append([record('a')]);
    await store.open(OTHER_KEY, 'second.onnx');
    utimesSync(join(directory, 'v1', KEY, 'label'), 1_000_000, 1_000_000);
    const sets = await store.list();
    expect(sets.map(({ key, label }) => [key, label])).toEqual([
      [OTHER_KEY, 'second.onnx'],
      [KEY, 'first [31m .onnx'],
    ]);
    expect(sets[1]!.usedAt).toBe(1e9);
    expect(sets[1]!.sizeBytes).toBe(statSync(recordFiles()[0]!).size + 'first [31m .onnx'.length);
  });

  it('clear: removes every set and what an interrupted removal left, and nothing else', async () => {
    const store = storeHere();
    expect(await store.clear()).toEqual({ count: 0, sizeBytes: 0 });
    await store.open(KEY, 'four');
    await store.open(OTHER_KEY, 'sixsix');
    mkdirSync(join(directory, 'v1', 'trash-left'), { recursive: true });
    mkdirSync(join(directory, 'v1', 'something'));
    writeFileSync(join(directory, 'notes.txt'), 'mine');
    expect(await store.clear()).toEqual({ count: 2, sizeBytes: 10 });
    expect(readdirSync(join(directory, 'v1'))).toEqual(['something']);
    expect(existsSync(join(directory, 'notes.txt'))).toBe(true);
  });

  it('drop: forgets the set, and keeps what comes afterwards', async () => {
    const set = await storeHere().open(KEY, 'label');
    await set.append([record('poisoned')]);
    await set.drop();
    expect(await unitsOf(set)).toEqual([]);
    await set.append([record('fresh')]);
    expect(await unitsOf(set)).toEqual(['fresh']);
    expect((await storeHere().list()).map(({ label }) => label)).toEqual(['label']);
  });

  it('open: over the cap the sets unused for longest go, never the one in use', async () => {
    const size = 1000;
    for (let index = 0; index < 4; index++) {
      await storeHere().open(keyNumber(index), '');
      writeFileSync(join(directory, 'v1', keyNumber(index), 'r.jsonl'), 'x'.repeat(size));
      utimesSync(join(directory, 'v1', keyNumber(index), 'label'), 1000 + index, 1000 + index);
    }
    const keys = async () => (await storeHere().list()).map(({ key }) => key).sort();
    await storeHere(4 * size).open(keyNumber(0), '');
    expect(await keys()).toEqual([0, 1, 2, 3].map(keyNumber));
    await storeHere(3 * size).open(keyNumber(0), '');
    expect(await keys()).toEqual([0, 2, 3].map(keyNumber));
    await storeHere(size - 1).open(keyNumber(2), '');
    expect(await keys()).toEqual([2].map(keyNumber));
  });
});

describe('several processes', () => {
  const script = fileURLToPath(new URL('append-process.ts', import.meta.url));
  const start = (prefix: string, count: number) => spawn(process.execPath, [script, directory, prefix, String(count)]);
  const linesOf = async (child: ChildProcess) => {
    let text = '';
    child.stdout!.on('data', (data) => {
      text += data;
    });
    const errors: string[] = [];
    child.stderr!.on('data', (data) => errors.push(String(data)));
    await once(child, 'close');
    return { kept: text.split('\n').slice(0, -1), errors: errors.join('') };
  };

  it('append: two processes write one set while a third tidies up, and no record is lost', async () => {
    const children = [start('x', 60), start('y', 60)];
    const outputs = children.map(linesOf);
    const set = await storeHere().open(KEY, '');
    let isDone = false;
    const all = Promise.all(outputs).finally(() => {
      isDone = true;
    });
    for (let round = 0; !isDone; round++) {
      // A broken line each time, so that there is always something to tidy.
      writeFileSync(join(directory, 'v1', KEY, `broken-${round}.jsonl`), 'broken\n');
      await set.tidy();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    for (const { kept, errors } of await all) {
      expect(errors).toBe('');
      expect(kept).toHaveLength(60);
    }
    expect((await set.read()).records.size).toBe(120);
  });

  it('append: what a killed process had reported as kept is there', async () => {
    const child = start('x', Number.POSITIVE_INFINITY);
    const output = linesOf(child);
    await once(child.stdout!, 'data');
    await new Promise((resolve) => setTimeout(resolve, 150));
    child.kill('SIGKILL');
    const { kept } = await output;
    expect(kept.length).toBeGreaterThan(0);
    const { records, rejections } = await (await storeHere().open(KEY, '')).read();
    expect(kept.filter((unit) => !records.has(unit))).toEqual([]);
    expect(records.size - kept.length).toBeLessThanOrEqual(1);
    expect(rejections.size).toBe(0);
  });
});
