/** Measurement sets on this machine: `<directory>/v1/<key>/`, with a cap on what they take. */
import type { CacheFiles } from './cache-files.ts';
import { entryNames } from './entry-names.ts';
import { type LocalSet, openLocalSet } from './local-set.ts';

export type LocalStore = {
  /**
   * Opens one set, and removes others when all take too much.
   *
   * @param label what a person would call the set, for `list`
   * @throws UserError if the directory cannot be used
   */
  open(key: string, label: string): Promise<LocalSet>;
  /** What is kept, the set used last first. */
  list(): Promise<readonly KeptSet[]>;
  /** Removes every set, and nothing else that may lie in the directory. */
  clear(): Promise<{ readonly count: number; readonly sizeBytes: number }>;
};

export type KeptSet = {
  readonly key: string;
  readonly label: string;
  readonly sizeBytes: number;
  /** Milliseconds since 1970. */
  readonly usedAt: number;
};

export type LocalStoreOptions = {
  /** Absolute. */
  readonly directory: string;
  readonly files: CacheFiles;
  /** The sets unused for longest are removed when all take more than this. */
  readonly limitBytes?: number;
  /** A name that no other process uses, such as a random UUID. */
  newName(): string;
};

/** Room for hundreds of sets of some hundred kilobytes. */
export const DEFAULT_LIMIT_BYTES = 256e6;

/** Version of the layout of the directory. */
const LAYOUT = 'v1';
const KEY = /^[0-9a-f]{64}$/;
/** A set on its way out is renamed first, so that nobody finds half of it. */
const TRASH = /^trash-[\w-]+$/;

/** Its content names the set for people; its time of change says when the set was last used. */
const LABEL_FILE = 'label';
const MAX_LABEL_LENGTH = 200;

export function createLocalStore({
  directory,
  files,
  limitBytes = DEFAULT_LIMIT_BYTES,
  newName,
}: LocalStoreOptions): LocalStore {
  const root = `${directory}/${LAYOUT}`;
  const list = () => listSets(root, files);
  const remove = async (key: string) => {
    const trash = `${root}/trash-${newName()}`;
    if (await files.rename(`${root}/${key}`, trash)) await files.remove(trash);
  };
  const open = async (key: string, label: string) => {
    if (!KEY.test(key)) throw new RangeError(`"${key}" is no key of a measurement set`);
    const folder = `${root}/${key}`;
    const prepare = async () => {
      for (const path of [root, folder]) await files.makePrivateFolder(path);
      await files.writeFileAtomically(`${folder}/${LABEL_FILE}`, plainLabel(label));
    };
    await prepare();
    for (const old of unaffordable(await list(), key, limitBytes)) await remove(old);
    return openLocalSet({ key, folder, files, newName, prepare, drop: () => remove(key) });
  };
  const clear = async () => {
    const sets = await list();
    for (const { key } of sets) await remove(key);
    const names = await entryNames(root, 'folder', files);
    for (const name of names.filter((each) => TRASH.test(each))) await files.remove(`${root}/${name}`);
    return { count: sets.length, sizeBytes: totalBytes(sets) };
  };
  return { open, list, clear };
}

async function listSets(root: string, files: CacheFiles): Promise<KeptSet[]> {
  const keys = (await entryNames(root, 'folder', files)).filter((name) => KEY.test(name));
  const sets = await Promise.all(keys.map((key) => describeSet(root, key, files)));
  return sets.sort((a, b) => b.usedAt - a.usedAt || (a.key < b.key ? -1 : 1));
}

async function describeSet(root: string, key: string, files: CacheFiles): Promise<KeptSet> {
  const folder = `${root}/${key}`;
  const names = await entryNames(folder, 'file', files);
  const statuses = await Promise.all(names.map((name) => files.statusOf(`${folder}/${name}`)));
  const usedAt = (await files.statusOf(`${folder}/${LABEL_FILE}`))?.modifiedAt ?? 0;
  const sizeBytes = statuses.reduce((sum, status) => sum + (status?.sizeBytes ?? 0), 0);
  return { key, label: await readLabel(`${folder}/${LABEL_FILE}`, files), sizeBytes, usedAt };
}

/** A set whose label is lost still counts and can still be removed. */
async function readLabel(path: string, files: CacheFiles): Promise<string> {
  try {
    return plainLabel(new TextDecoder().decode(await files.readFile(path, 4 * MAX_LABEL_LENGTH)));
  } catch {
    return '';
  }
}

/** One line without control characters, because `list` is printed. */
function plainLabel(text: string): string {
  return text
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, ' ')
    .trim()
    .slice(0, MAX_LABEL_LENGTH);
}

/** The sets unused for longest, as many as it takes; never the one in use. */
function unaffordable(sets: readonly KeptSet[], keyInUse: string, limitBytes: number): string[] {
  const removed: KeptSet[] = [];
  for (const set of sets.filter(({ key }) => key !== keyInUse).reverse()) {
    if (totalBytes(sets) - totalBytes(removed) > limitBytes) removed.push(set);
  }
  return removed.map(({ key }) => key);
}

function totalBytes(sets: readonly KeptSet[]): number {
  return sets.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
