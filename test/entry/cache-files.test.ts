import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeCacheFiles } from '../../src/entry/cache-files.ts';
import { UserError } from '../../src/errors.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bitgate-cache-files-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('appendAndFlush', () => {
  it('appendAndFlush: makes the file, private, and adds to it', async () => {
    const path = join(folder, 'log');
    await nodeCacheFiles.appendAndFlush(path, 'a\n');
    await nodeCacheFiles.appendAndFlush(path, 'b\n');
    expect(readFileSync(path, 'utf8')).toBe('a\nb\n');
    if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('appendAndFlush: a text is never only in a file that was renamed and read before it', async () => {
    const path = join(folder, 'log');
    const found = new Set<string>();
    const collect = (from: string) => {
      for (const line of readFileSync(from, 'utf8').split('\n')) found.add(line);
    };
    let isOver = false;
    const append = (text: string): Promise<void> => nodeCacheFiles.appendAndFlush(path, text).catch(() => append(text));
    const appending = (async () => {
      for (let index = 0; index < 100; index++) await append(`${index}\n`);
      isOver = true;
    })();
    for (let count = 0; !isOver; count++) {
      const taken = join(folder, `taken-${count}`);
      if (await nodeCacheFiles.rename(path, taken)) collect(taken);
      // Slow enough that some texts get through, and out of step with them.
      await new Promise((resolve) => setTimeout(resolve, 1 + (count % 5)));
    }
    await appending;
    if (existsSync(path)) collect(path);
    const lost = Array.from({ length: 100 }, (_, index) => `${index}`).filter((line) => !found.has(line));
    expect(lost).toEqual([]);
  });

  it('appendAndFlush: a missing folder is the caller’s to make', async () => {
    await expect(nodeCacheFiles.appendAndFlush(join(folder, 'none', 'log'), 'x')).rejects.toThrow(
      new UserError({
        what: 'cannot be written: no such file or directory',
        where: join(folder, 'none', 'log'),
        fix: 'choose a folder that this user can write to',
      }),
    );
  });
});

describe('makePrivateFolder', () => {
  it.skipIf(process.platform === 'win32')('makePrivateFolder: new or not, only its user can enter', async () => {
    const old = join(folder, 'old');
    mkdirSync(old);
    chmodSync(old, 0o777);
    for (const path of [old, join(folder, 'a', 'b')]) {
      await nodeCacheFiles.makePrivateFolder(path);
      expect(statSync(path).mode & 0o777).toBe(0o700);
    }
  });
});

describe('statusOf, rename, remove', () => {
  it('statusOf: size and time; undefined for what is missing', async () => {
    writeFileSync(join(folder, 'a'), '12345');
    const { mtimeMs } = statSync(join(folder, 'a'));
    expect(await nodeCacheFiles.statusOf(join(folder, 'a'))).toEqual({ sizeBytes: 5, modifiedAt: mtimeMs });
    expect(await nodeCacheFiles.statusOf(join(folder, 'none'))).toBeUndefined();
  });

  it('rename: says whether there was something to rename', async () => {
    writeFileSync(join(folder, 'a'), 'x');
    expect(await nodeCacheFiles.rename(join(folder, 'a'), join(folder, 'b'))).toBe(true);
    expect(await nodeCacheFiles.rename(join(folder, 'a'), join(folder, 'b'))).toBe(false);
    expect(readFileSync(join(folder, 'b'), 'utf8')).toBe('x');
  });

  it('remove: a file, a folder with its content, and what is missing', async () => {
    mkdirSync(join(folder, 'a', 'b'), { recursive: true });
    writeFileSync(join(folder, 'a', 'b', 'c'), 'x');
    renameSync(join(folder, 'a', 'b', 'c'), join(folder, 'c'));
    for (const name of ['a', 'c', 'none']) {
      await nodeCacheFiles.remove(join(folder, name));
      expect(existsSync(join(folder, name))).toBe(false);
    }
  });
});
