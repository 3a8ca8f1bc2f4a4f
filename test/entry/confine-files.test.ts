import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { confineFiles } from '../../src/entry/confine-files.ts';
import { type Files, nodeFiles } from '../../src/entry/files.ts';
import { temporaryFolder, writeFiles } from '../runtime/packages.ts';

let workspace: string;
let outside: string;
let files: Files;

beforeEach(() => {
  const base = temporaryFolder();
  workspace = writeFiles(join(base, 'workspace'), { 'a.txt': 'inside' });
  outside = writeFiles(join(base, 'workspace-other'), { 'secret.txt': 'secret' });
  files = confineFiles(nodeFiles, [workspace]);
});

describe('confineFiles', () => {
  it('confineFiles: what is inside works as before', async () => {
    expect(await files.kindOf(workspace)).toBe('folder');
    expect(await files.kindOf(join(workspace, 'none/such'))).toBe('missing');
    expect(new TextDecoder().decode(await files.readFile(join(workspace, 'a.txt')))).toBe('inside');
    expect(await files.listFolder(workspace)).toEqual([{ name: 'a.txt', kind: 'file' }]);
    await files.assertFolderCanBeWritten(join(workspace, 'new/folder'));
    await files.writeFileAtomically(join(workspace, 'new/b.txt'), 'b');
    expect(readFileSync(join(workspace, 'new/b.txt'), 'utf8')).toBe('b');
  });

  it.each([
    'kindOf',
    'readFile',
    'listFolder',
    'makeFolder',
    'assertFileCanBeWritten',
    'assertFolderCanBeWritten',
  ] as const)('confineFiles: %s refuses a path outside, there or not', async (operation) => {
    for (const path of [join(outside, 'secret.txt'), join(outside, 'none/such'), join(workspace, '../x')]) {
      await expect(files[operation](path)).rejects.toThrow(
        `${path}: the path is outside the workspace\n  fix: keep it`,
      );
    }
  });

  it('confineFiles: links are followed, also a folder above, and a link to nothing', async () => {
    symlinkSync(join(outside, 'secret.txt'), join(workspace, 'link.txt'));
    symlinkSync(outside, join(workspace, 'folder'));
    await expect(files.readFile(join(workspace, 'link.txt'))).rejects.toThrow(
      `link.txt: the path is outside the workspace, it leads to ${join(outside, 'secret.txt')}`,
    );
    await expect(files.readFile(join(workspace, 'folder/secret.txt'))).rejects.toThrow('outside the workspace');
    await expect(files.writeFileAtomically(join(workspace, 'folder/new/x'), 'x')).rejects.toThrow(
      'outside the workspace',
    );
    expect(existsSync(join(outside, 'new'))).toBe(false);
  });

  it('confineFiles: a link inside that leads inside is fine', async () => {
    symlinkSync(join(workspace, 'a.txt'), join(workspace, 'link.txt'));
    expect(new TextDecoder().decode(await files.readFile(join(workspace, 'link.txt')))).toBe('inside');
  });

  it('confineFiles: writing over a link to nowhere replaces the link, and nothing appears where it led', async () => {
    const target = join(outside, 'made.txt');
    symlinkSync(target, join(workspace, 'out.onnx'));
    await files.writeFileAtomically(join(workspace, 'out.onnx'), 'x').catch(() => undefined);
    expect(existsSync(target)).toBe(false);
  });

  it('confineFiles: further folders may be allowed, and the workspace may itself be a link', async () => {
    const link = join(workspace, '../link');
    symlinkSync(workspace, link);
    const allowed = confineFiles(nodeFiles, [link, outside]);
    expect(new TextDecoder().decode(await allowed.readFile(join(link, 'a.txt')))).toBe('inside');
    expect(new TextDecoder().decode(await allowed.readFile(join(outside, 'secret.txt')))).toBe('secret');
  });

  it('confineFiles: nothing is written into a .git folder', async () => {
    mkdirSync(join(workspace, '.git'));
    writeFileSync(join(workspace, '.git/config'), '[core]');
    for (const name of ['.git/config', '.GIT/hooks/x', 'sub/.git/x']) {
      await expect(files.writeFileAtomically(join(workspace, name), 'x')).rejects.toThrow(
        `${join(workspace, name)}: nothing is written into a .git folder`,
      );
    }
    expect(readFileSync(join(workspace, '.git/config'), 'utf8')).toBe('[core]');
    expect(await files.kindOf(join(workspace, '.git/config'))).toBe('file');
  });
});
