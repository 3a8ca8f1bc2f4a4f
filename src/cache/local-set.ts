/**
 * One measurement set in a folder of files with lines of records.
 *
 * Several processes may work on it without locks. Each appends to a file of its own; who tidies up renames files before
 * reading them, and `appendAndFlush` notices that, so no record is lost. Readers take every file they see.
 */
import type { CacheFiles } from './cache-files.ts';
import { entryNames } from './entry-names.ts';
import { encodeRecord, type MeasurementRecord } from './measurement-record.ts';
import {
  addRejections,
  encodeRecordLines,
  firstOfEachUnit,
  MAX_RECORDS_BYTES,
  parseRecordLines,
  type ReadRecords,
} from './record-lines.ts';

export type LocalSet = {
  /** Reads what is kept now, by all processes. */
  read(): Promise<ReadRecords>;
  /** The records are on the disk when it returns. @throws RangeError if one cannot be kept */
  append(records: readonly MeasurementRecord[]): Promise<void>;
  /** Puts many files, or some with unusable lines, into one without. */
  tidy(): Promise<void>;
  /** Forgets all that is kept; what is appended later is kept. */
  drop(): Promise<void>;
};

export type LocalSetOptions = {
  readonly key: string;
  readonly folder: string;
  readonly files: CacheFiles;
  /** A name that no other process uses, such as a random UUID. */
  newName(): string;
  /** Makes the folder when another process has removed it, to make room or because it was told to. */
  prepare(): Promise<void>;
  drop(): Promise<void>;
};

const RECORDS_FILE = /^[\w-]+\.jsonl$/;

/** One file per run that measured something; more are put together. */
const MAX_FILES = 8;

/** Listing and reading again because files went away between the two. */
const MAX_READS = 10;

export function openLocalSet(options: LocalSetOptions): LocalSet {
  const { key, folder, files, prepare, drop } = options;
  const ownPath = newPath(options);
  return {
    read: () => readSet(folder, key, files),
    append: async (records) => {
      // It starts with a line end too: what a full disk cut off before it then spoils no line of this one.
      const text = `\n${records.map((record) => `${encodeRecord(record)}\n`).join('')}`;
      try {
        await files.appendAndFlush(ownPath, text);
      } catch {
        await prepare();
        await files.appendAndFlush(ownPath, text);
      }
    },
    tidy: () => tidySet(options),
    drop,
  };
}

async function readSet(folder: string, key: string, files: CacheFiles): Promise<ReadRecords> {
  for (let count = 1; ; count++) {
    const paths = await recordPaths(folder, files);
    const parts = await Promise.all(paths.map((path) => readPart(path, key, files)));
    // A file that went away in between was renamed or put into another.
    if (!parts.includes(undefined) || count === MAX_READS) return joinParts(parts);
  }
}

/** Undefined when the file is gone. */
async function readPart(path: string, key: string, files: CacheFiles): Promise<ReadRecords | undefined> {
  try {
    return parseRecordLines(await files.readFile(path, MAX_RECORDS_BYTES), key);
  } catch (error) {
    if ((await files.statusOf(path)) === undefined) return undefined;
    const [reason] = (error instanceof Error ? error.message : String(error)).split('\n');
    return { records: new Map(), rejections: new Map([[`a whole file, ${reason}`, 1]]) };
  }
}

function joinParts(parts: readonly (ReadRecords | undefined)[]): ReadRecords {
  const read = parts.filter((part) => part !== undefined);
  return {
    records: firstOfEachUnit(read.flatMap(({ records }) => [...records.values()])),
    rejections: addRejections(read.map(({ rejections }) => rejections)),
  };
}

/**
 * Every file is renamed before it is read: what its writer appends later goes into a new file under the old name, and a
 * second process that tidies up finds the old name gone. Only the last step removes anything.
 */
async function tidySet({ key, folder, files, newName }: LocalSetOptions): Promise<void> {
  const paths = await recordPaths(folder, files);
  const { rejections } = await readSet(folder, key, files);
  if (paths.length <= MAX_FILES && rejections.size === 0) return;
  const taken: string[] = [];
  for (const path of paths) {
    const renamed = newPath({ folder, newName });
    if (await files.rename(path, renamed)) taken.push(renamed);
  }
  const { records } = joinParts(await Promise.all(taken.map((path) => readPart(path, key, files))));
  if (records.size > 0) {
    await files.writeFileAtomically(newPath({ folder, newName }), encodeRecordLines(records.values()));
  }
  for (const path of taken) await files.remove(path);
}

function newPath({ folder, newName }: Pick<LocalSetOptions, 'folder' | 'newName'>): string {
  return `${folder}/${newName()}.jsonl`;
}

async function recordPaths(folder: string, files: CacheFiles): Promise<string[]> {
  const names = await entryNames(folder, 'file', files);
  return names.filter((name) => RECORDS_FILE.test(name)).map((name) => `${folder}/${name}`);
}
