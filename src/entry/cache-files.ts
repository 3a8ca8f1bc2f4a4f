/** The disk as the cache uses it: appending, renaming and removing beside other processes that do the same. */
import { chmod, type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { CacheFiles } from '../cache/cache-files.ts';
import { cannotWrite, isMissing, nodeFiles } from './files.ts';

export const nodeCacheFiles: CacheFiles = {
  listFolder: nodeFiles.listFolder,
  readFile: nodeFiles.readFile,
  writeFileAtomically: nodeFiles.writeFileAtomically,
  makePrivateFolder: (path) => changing(path, () => makePrivateFolder(path)),
  appendAndFlush: (path, text) => changing(path, () => appendAndFlush(path, text)),
  statusOf,
  rename: (from, to) => changing(from, () => unlessMissing(rename(from, to))),
  remove: (path) => changing(path, () => rm(path, { recursive: true, force: true })),
};

const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;

/** How often a text is written again because its file was renamed meanwhile; once is rare. */
const MAX_APPENDS = 10;

async function changing<Result>(path: string, change: () => Promise<Result>): Promise<Result> {
  try {
    return await change();
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
}

async function unlessMissing(change: Promise<void>): Promise<boolean> {
  try {
    await change;
    return true;
  } catch (cause) {
    if (isMissing(cause)) return false;
    throw cause;
  }
}

/** The mode is set in a call of its own, because `mkdir` leaves an existing folder as it is. */
async function makePrivateFolder(path: string): Promise<void> {
  await mkdir(path, { mode: PRIVATE_FOLDER, recursive: true });
  await chmod(path, PRIVATE_FOLDER);
}

async function appendAndFlush(path: string, text: string): Promise<void> {
  for (let count = 0; count < MAX_APPENDS; count++) {
    const handle = await open(path, 'a', PRIVATE_FILE);
    try {
      const isNew = (await handle.stat()).size === 0;
      await handle.appendFile(text);
      await handle.sync();
      if (isNew) await flushFolder(dirname(path));
      if (await isStillAt(path, handle)) return;
    } finally {
      await handle.close();
    }
  }
  throw new Error('other processes renamed the file over and over');
}

async function isStillAt(path: string, handle: FileHandle): Promise<boolean> {
  try {
    const [there, here] = await Promise.all([stat(path, { bigint: true }), handle.stat({ bigint: true })]);
    return there.ino === here.ino && there.dev === here.dev;
  } catch (cause) {
    if (isMissing(cause)) return false;
    throw cause;
  }
}

/** A new name is on the disk only when its folder is; where folders cannot be opened (Windows), the system sees to it. */
async function flushFolder(path: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    await handle.sync();
  } catch {
    // The text itself is flushed; only a power cut in this moment could lose it.
  } finally {
    await handle?.close();
  }
}

async function statusOf(path: string) {
  try {
    const { size, mtimeMs } = await stat(path);
    return { sizeBytes: size, modifiedAt: mtimeMs };
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw cannotWrite(path, cause);
  }
}
