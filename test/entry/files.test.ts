import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeFiles } from '../../src/entry/files.ts';
import { UserError } from '../../src/errors.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bitgate-files-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function messageOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message.replaceAll(folder, '<folder>');
}

describe('kindOf', () => {
  it('kindOf: tells files, folders and what is missing apart, also through links', async () => {
    writeFileSync(join(folder, 'a'), 'x');
    symlinkSync(folder, join(folder, 'link'));
    symlinkSync(join(folder, 'nowhere'), join(folder, 'broken'));
    expect(await nodeFiles.kindOf(join(folder, 'a'))).toBe('file');
    expect(await nodeFiles.kindOf(folder)).toBe('folder');
    expect(await nodeFiles.kindOf(join(folder, 'link'))).toBe('folder');
    expect(await nodeFiles.kindOf(join(folder, 'none'))).toBe('missing');
    expect(await nodeFiles.kindOf(join(folder, 'broken'))).toBe('missing');
    expect(await nodeFiles.kindOf(join(folder, 'a', 'below-a-file'))).toBe('missing');
  });

  it.skipIf(process.platform === 'win32')('kindOf: a device is refused', async () => {
    expect(await messageOf(nodeFiles.kindOf('/dev/null'))).toBe(
      '/dev/null: neither a file nor a folder\n  fix: name a regular file or a folder',
    );
  });
});

describe('listFolder', () => {
  it('listFolder: entries have the kind of what a link leads to', async () => {
    writeFileSync(join(folder, 'file'), 'x');
    mkdirSync(join(folder, 'sub'));
    symlinkSync(join(folder, 'sub'), join(folder, 'to-sub'));
    symlinkSync(join(folder, 'nowhere'), join(folder, 'broken'));
    const entries = [...(await nodeFiles.listFolder(folder))].sort((a, b) => a.name.localeCompare(b.name));
    expect(entries).toEqual([
      { name: 'broken', kind: 'other' },
      { name: 'file', kind: 'file' },
      { name: 'sub', kind: 'folder' },
      { name: 'to-sub', kind: 'folder' },
    ]);
  });

  it('listFolder: a missing folder is named', async () => {
    expect(await messageOf(nodeFiles.listFolder(join(folder, 'none')))).toBe(
      '<folder>/none: no such file or folder\n  fix: check the path',
    );
  });
});

describe('readFile', () => {
  it('readFile: returns the bytes', async () => {
    writeFileSync(join(folder, 'a'), Uint8Array.of(0, 255, 10));
    expect(await nodeFiles.readFile(join(folder, 'a'))).toEqual(Uint8Array.of(0, 255, 10));
    writeFileSync(join(folder, 'empty'), '');
    expect(await nodeFiles.readFile(join(folder, 'empty'))).toEqual(new Uint8Array());
  });

  it('readFile: a missing file, a folder, and a file over the limit are refused by name', async () => {
    writeFileSync(join(folder, 'a'), '12345');
    expect(await messageOf(nodeFiles.readFile(join(folder, 'none')))).toBe(
      '<folder>/none: no such file or folder\n  fix: check the path',
    );
    expect(await messageOf(nodeFiles.readFile(folder))).toBe('<folder>: a folder, expected a file');
    expect(await messageOf(nodeFiles.readFile(join(folder, 'a'), 4))).toBe(
      '<folder>/a: the file has 5 bytes, expected at most 4',
    );
    expect(await nodeFiles.readFile(join(folder, 'a'), 5)).toHaveLength(5);
  });
});

describe('externalDataOf', () => {
  beforeEach(() => {
    mkdirSync(join(folder, 'model', 'weights'), { recursive: true });
    writeFileSync(join(folder, 'model', 'weights', 'w.bin'), '0123456789');
    writeFileSync(join(folder, 'secret'), 'secret');
    symlinkSync(join(folder, 'secret'), join(folder, 'model', 'link'));
  });

  const read = (location: string, offset = 0, length?: number) =>
    nodeFiles.externalDataOf(join(folder, 'model', 'm.onnx'))(location, offset, length);

  it('externalDataOf: reads a range, or from an offset to the end', async () => {
    expect(new TextDecoder().decode(await read('weights/w.bin', 2, 3))).toBe('234');
    expect(new TextDecoder().decode(await read('weights/w.bin', 8))).toBe('89');
  });

  it.each(['../secret', 'weights/../../secret', 'link', '.', ''])(
    'externalDataOf: %j is outside the folder of the model',
    async (location) => {
      expect(await messageOf(read(location))).toBe(
        `<folder>/model/m.onnx: the model names external data outside its folder: ${JSON.stringify(location)}\n` +
          '  fix: keep the external data beside the model',
      );
    },
  );

  it('externalDataOf: an absolute path is outside, even when the file exists', async () => {
    expect(await messageOf(read(join(folder, 'secret')))).toContain('outside its folder');
  });

  it('externalDataOf: a range beyond the end is refused before memory is taken', async () => {
    expect(await messageOf(read('weights/w.bin', 8, 3))).toBe(
      '<folder>/model/weights/w.bin: the file has 10 bytes, expected 3 bytes from byte 8\n' +
        '  fix: the file is cut short or belongs to another model; copy it again',
    );
    expect(await messageOf(read('weights/w.bin', 0, 2 ** 40))).toContain('expected at most 2147483647');
    expect(await messageOf(read('weights/w.bin', 11))).toContain('the file has 10 bytes');
  });

  it('externalDataOf: a missing file is named', async () => {
    expect(await messageOf(read('none'))).toBe('<folder>/model/none: no such file or folder\n  fix: check the path');
  });
});

describe('writeFileAtomically', () => {
  it('writeFileAtomically: makes folders, replaces what is there, leaves no other file', async () => {
    const path = join(folder, 'a', 'b', 'out.onnx');
    await nodeFiles.writeFileAtomically(path, 'first');
    await nodeFiles.writeFileAtomically(path, Uint8Array.of(1, 2));
    expect([...readFileSync(path)]).toEqual([1, 2]);
    expect(readdirSync(join(folder, 'a', 'b'))).toEqual(['out.onnx']);
  });

  it('writeFileAtomically: a folder below a file cannot be written', async () => {
    writeFileSync(join(folder, 'file'), 'x');
    expect(await messageOf(nodeFiles.writeFileAtomically(join(folder, 'file', 'sub', 'out'), 'x'))).toBe(
      '<folder>/file/sub: cannot be written: not a directory\n  fix: choose a folder that this user can write to',
    );
    expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('x');
  });

  it('writeFileAtomically: when the rename fails, the temporary file is removed', async () => {
    mkdirSync(join(folder, 'taken', 'full'), { recursive: true });
    expect(await messageOf(nodeFiles.writeFileAtomically(join(folder, 'taken'), 'x'))).toMatch(
      /^<folder>\/taken: cannot be written: .*\n {2}fix: choose a folder that this user can write to$/,
    );
    expect(readdirSync(folder)).toEqual(['taken']);
  });
});

describe('assertFileCanBeWritten, assertFolderCanBeWritten', () => {
  it('assertFileCanBeWritten: passes for a new file in folders to come, and leaves no trace', async () => {
    await nodeFiles.assertFileCanBeWritten(join(folder, 'x', 'y', 'out.onnx'));
    await nodeFiles.assertFolderCanBeWritten(join(folder, 'report'));
    expect(readdirSync(folder)).toEqual([]);
  });

  it('assertFileCanBeWritten: a folder in the place of the file is refused', async () => {
    expect(await messageOf(nodeFiles.assertFileCanBeWritten(folder))).toBe(
      '<folder>: a folder, expected a place for a file\n  fix: name a file',
    );
  });

  it('assertFolderCanBeWritten: a file in the place of the folder, or above it, is refused', async () => {
    writeFileSync(join(folder, 'file'), 'x');
    for (const path of [join(folder, 'file'), join(folder, 'file', 'report')]) {
      expect(await messageOf(nodeFiles.assertFolderCanBeWritten(path))).toBe(
        `${path.replace(folder, '<folder>')}: cannot be written: not a directory\n` +
          '  fix: choose a folder that this user can write to',
      );
    }
  });
});
