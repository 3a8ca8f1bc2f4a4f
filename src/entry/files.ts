/** The disk as the stages use it. Every failure that a person can repair is a UserError that names the path. */
import { randomBytes } from 'node:crypto';
import {
  type FileHandle,
  mkdir,
  mkdtemp,
  open,
  readdir,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { DatasetFiles, FileKind, FolderEntry } from '../dataset/dataset-files.ts';
import { UserError } from '../errors.ts';
import type { ReadExternalData } from '../onnx/external-data.ts';

/** What the stages may do with the disk. Paths are absolute. */
export type Files = Omit<DatasetFiles, 'readFile'> & {
  /** @throws UserError if the file is missing, no regular file, unreadable, or larger than `maxBytes` */
  readFile(path: string, maxBytes?: number): Promise<Uint8Array>;
  /** A reader of the external data of the model at `modelPath`, kept inside the model's folder. */
  externalDataOf(modelPath: string): ReadExternalData;
  /** Makes a folder and those above it; an existing one is left as it is. */
  makeFolder(path: string): Promise<void>;
  /** Writes a whole file or nothing: a temporary file in the same folder, flushed to the disk, then renamed. */
  writeFileAtomically(path: string, content: Uint8Array | string): Promise<void>;
  /** Gives `use` a file of that name in a folder of its own in `folder`; both are gone afterwards. */
  useTemporaryFile<Result>(
    folder: string,
    name: string,
    content: Uint8Array,
    use: (path: string) => Promise<Result>,
  ): Promise<Result>;
  /** Makes sure, without leaving a trace, that a file could be written at `path`. */
  assertFileCanBeWritten(path: string): Promise<void>;
  /** The same for files in the folder `path`, which need not exist yet. */
  assertFolderCanBeWritten(path: string): Promise<void>;
};

/** One read of node:fs returns at most this much (2 GiB − 1, `kIoMaxLength`). */
const LARGEST_READ_BYTES = 2 ** 31 - 1;

export const nodeFiles: Files = {
  kindOf,
  listFolder,
  readFile: (path, maxBytes = LARGEST_READ_BYTES) =>
    reading(path, (handle) => readRange(handle, path, 0, undefined, maxBytes)),
  externalDataOf,
  makeFolder,
  writeFileAtomically,
  useTemporaryFile,
  assertFileCanBeWritten,
  assertFolderCanBeWritten,
};

async function kindOf(path: string): Promise<FileKind> {
  try {
    const status = await stat(path);
    if (status.isDirectory()) return 'folder';
    if (status.isFile()) return 'file';
  } catch (cause) {
    if (isMissing(cause)) return 'missing';
    throw cannotRead(path, cause);
  }
  throw new UserError({ what: 'neither a file nor a folder', where: path, fix: 'name a regular file or a folder' });
}

async function listFolder(path: string): Promise<readonly FolderEntry[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return await Promise.all(
      entries.map(async (entry) => ({
        name: entry.name,
        // A link counts as what it leads to.
        kind: entry.isSymbolicLink() ? await linkedKind(join(path, entry.name)) : kindOfStatus(entry),
      })),
    );
  } catch (cause) {
    throw cannotRead(path, cause);
  }
}

async function linkedKind(path: string): Promise<FolderEntry['kind']> {
  try {
    return kindOfStatus(await stat(path));
  } catch (cause) {
    if (isMissing(cause)) return 'other';
    throw cause;
  }
}

function kindOfStatus(status: { isFile(): boolean; isDirectory(): boolean }): FolderEntry['kind'] {
  if (status.isDirectory()) return 'folder';
  return status.isFile() ? 'file' : 'other';
}

async function reading<Result>(path: string, read: (handle: FileHandle) => Promise<Result>): Promise<Result> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    return await read(handle);
  } catch (cause) {
    throw cause instanceof UserError ? cause : cannotRead(path, cause);
  } finally {
    await handle?.close();
  }
}

/** Reads `length` bytes from `offset`, or to the end; checks the range against the file before memory is taken. */
async function readRange(
  handle: FileHandle,
  path: string,
  offset: number,
  length: number | undefined,
  maxBytes: number,
): Promise<Uint8Array> {
  const status = await handle.stat();
  if (!status.isFile()) {
    throw new UserError({ what: status.isDirectory() ? 'a folder, expected a file' : 'no regular file', where: path });
  }
  const byteCount = length ?? Math.max(0, status.size - offset);
  if (byteCount > maxBytes) {
    throw new UserError({ what: `the file has ${byteCount} bytes, expected at most ${maxBytes}`, where: path });
  }
  if (offset + byteCount > status.size) {
    const what = `the file has ${status.size} bytes, expected ${byteCount} bytes from byte ${offset}`;
    throw new UserError({ what, where: path, fix: 'the file is cut short or belongs to another model; copy it again' });
  }
  const bytes = new Uint8Array(byteCount);
  let filled = 0;
  while (filled < byteCount) {
    const { bytesRead } = await handle.read(bytes, filled, byteCount - filled, offset + filled);
    if (bytesRead === 0) throw new UserError({ what: 'the file became shorter while it was read', where: path });
    filled += bytesRead;
  }
  return bytes;
}

function externalDataOf(modelPath: string): ReadExternalData {
  return async (location, offset, length) => {
    const path = resolve(dirname(modelPath), location);
    await refuseOutside(path, dirname(modelPath), modelPath, location);
    return reading(path, (handle) => readRange(handle, path, offset, length, LARGEST_READ_BYTES));
  };
}

/** A model is not trusted: it may name any file, also through links. */
async function refuseOutside(path: string, folder: string, modelPath: string, location: string): Promise<void> {
  const isInside = async () => isWithin(path, folder) && isWithin(await realpath(path), await realpath(folder));
  try {
    if (await isInside()) return;
  } catch (cause) {
    throw cannotRead(path, cause);
  }
  throw new UserError({
    what: `the model names external data outside its folder: ${JSON.stringify(location)}`,
    where: modelPath,
    fix: 'keep the external data beside the model',
  });
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
}

async function writeFileAtomically(path: string, content: Uint8Array | string): Promise<void> {
  await makeFolder(dirname(path));
  const temporaryPath = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await writeAndFlush(temporaryPath, content);
    await rename(temporaryPath, path);
  } catch (cause) {
    // What went wrong first is what the user needs to know.
    await rm(temporaryPath, { force: true }).catch(() => undefined);
    throw cannotWrite(path, cause);
  }
}

async function useTemporaryFile<Result>(
  folder: string,
  name: string,
  content: Uint8Array,
  use: (path: string) => Promise<Result>,
): Promise<Result> {
  await makeFolder(folder);
  const own = await mkdtemp(join(folder, '.bitgate-')).catch((cause) => {
    throw cannotWrite(folder, cause);
  });
  const path = join(own, name);
  try {
    await writeFile(path, content).catch((cause) => {
      throw cannotWrite(path, cause);
    });
    return await use(path);
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

async function writeAndFlush(path: string, content: Uint8Array | string): Promise<void> {
  const handle = await open(path, 'wx');
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function assertFileCanBeWritten(path: string): Promise<void> {
  if ((await kindOf(path)) === 'folder') {
    throw new UserError({ what: 'a folder, expected a place for a file', where: path, fix: 'name a file' });
  }
  await assertFolderCanBeWritten(dirname(path));
}

/** Tries it in the nearest folder that exists, because permission bits do not tell of full or read-only disks. */
async function assertFolderCanBeWritten(path: string): Promise<void> {
  let folder = path;
  while ((await kindOf(folder)) === 'missing' && dirname(folder) !== folder) folder = dirname(folder);
  try {
    await rmdir(await mkdtemp(join(folder, '.bitgate-')));
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
}

export function isMissing(cause: unknown): boolean {
  const code = codeOf(cause);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
}

function cannotRead(path: string, cause: unknown): UserError {
  if (isMissing(cause)) {
    return new UserError({ what: 'no such file or folder', where: path, fix: 'check the path' }, { cause });
  }
  return new UserError({ what: `cannot be read: ${reasonOf(cause)}`, where: path }, { cause });
}

export function cannotWrite(path: string, cause: unknown): UserError {
  const what = `cannot be written: ${reasonOf(cause)}`;
  return new UserError({ what, where: path, fix: 'choose a folder that this user can write to' }, { cause });
}

/** "permission denied" of "EACCES: permission denied, open '/x'", because the path is already said. */
function reasonOf(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return /^[A-Z0-9_]+: ([^,]+)/.exec(message)?.[1] ?? message;
}
