/**
 * Reading single entries of a zip archive (PKWARE APPNOTE 6.3.10) that may be hostile or damaged: an entry is
 * inflated to its declared size and not a byte further, that size is checked against a limit first, and the content
 * against its checksum.
 */
import { crc32, inflateRawSync } from 'node:zlib';
import { FormatError } from './format-error.ts';

export type ZipEntry = {
  readonly name: string;
  readonly method: number;
  readonly isEncrypted: boolean;
  readonly checksum: number;
  readonly compressedSizeBytes: number;
  readonly sizeBytes: number;
  /** Where its local header begins. */
  readonly headerOffset: number;
};

const END_SIGNATURE = 0x06054b50;
const ZIP64_LOCATOR_SIGNATURE = 0x07064b50;
const ZIP64_END_SIGNATURE = 0x06064b50;
const ENTRY_SIGNATURE = 0x02014b50;
const LOCAL_SIGNATURE = 0x04034b50;

/** Sizes of the records without their variable parts. */
const END_SIZE_BYTES = 22;
const ZIP64_LOCATOR_SIZE_BYTES = 20;
const ZIP64_END_SIZE_BYTES = 56;
const ENTRY_SIZE_BYTES = 46;
const LOCAL_SIZE_BYTES = 30;

/** A 32-bit field that holds this has its value in the zip64 extra field. */
const IN_ZIP64 = 0xffffffff;
const COUNT_IN_ZIP64 = 0xffff;
const ZIP64_EXTRA_ID = 1;

const STORED = 0;
const DEFLATED = 8;

/** The entries of the central directory, which stands at the end: a truncated archive has none. */
export function listZipEntries(archive: Uint8Array): ZipEntry[] {
  const view = viewOf(archive);
  const directory = findDirectory(view);
  const entries: ZipEntry[] = [];
  let offset = directory.offset;
  // An entry that is lost would be an array that is missing without a word.
  while (entries.length < directory.entryCount) {
    if (offset + ENTRY_SIZE_BYTES > archive.length || view.getUint32(offset, true) !== ENTRY_SIGNATURE) {
      throw new FormatError('has a damaged directory');
    }
    const nameLength = view.getUint16(offset + 28, true);
    const extraLength = view.getUint16(offset + 30, true);
    const commentLength = view.getUint16(offset + 32, true);
    const end = offset + ENTRY_SIZE_BYTES + nameLength + extraLength + commentLength;
    if (end > archive.length) throw new FormatError('has a damaged directory');
    entries.push(readEntry(archive.subarray(offset, end), nameLength, extraLength));
    offset = end;
  }
  return entries;
}

/**
 * The content of an entry.
 *
 * @throws FormatError if it is larger than `limitBytes`, is not as large as declared, or does not match its checksum
 */
export function readZipEntry(archive: Uint8Array, entry: ZipEntry, limitBytes: number): Uint8Array {
  if (entry.isEncrypted) throw new FormatError('is encrypted');
  if (entry.sizeBytes > limitBytes) {
    throw new FormatError(`declares ${entry.sizeBytes} bytes, more than the limit of ${limitBytes}`);
  }
  const content = unpack(storedBytes(archive, entry), entry);
  if (content.length !== entry.sizeBytes) {
    throw new FormatError(`holds ${content.length} bytes where ${entry.sizeBytes} are declared`);
  }
  if (crc32(content) !== entry.checksum) throw new FormatError('is damaged: its checksum does not match');
  return content;
}

function unpack(stored: Uint8Array, { method, sizeBytes }: ZipEntry): Uint8Array {
  if (method === STORED) return stored;
  if (method !== DEFLATED)
    throw new FormatError(`is compressed with method ${method}; stored and deflated entries are read`);
  try {
    // Zero would mean "no limit"; an empty entry may not inflate to anything either.
    return inflateRawSync(stored, { maxOutputLength: Math.max(sizeBytes, 1) });
  } catch (error) {
    const isTooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    const reason = isTooLarge
      ? `inflates to more than the ${sizeBytes} bytes it declares`
      : 'is damaged: it cannot be inflated';
    throw new FormatError(reason, { cause: error });
  }
}

function storedBytes(archive: Uint8Array, { headerOffset, compressedSizeBytes }: ZipEntry): Uint8Array {
  const view = viewOf(archive);
  if (headerOffset + LOCAL_SIZE_BYTES > archive.length || view.getUint32(headerOffset, true) !== LOCAL_SIGNATURE) {
    throw new FormatError('has no header where the directory points');
  }
  // The local name and extra field may differ in length from the directory's.
  const nameLength = view.getUint16(headerOffset + 26, true);
  const extraLength = view.getUint16(headerOffset + 28, true);
  const start = headerOffset + LOCAL_SIZE_BYTES + nameLength + extraLength;
  if (start + compressedSizeBytes > archive.length) throw new FormatError('is truncated');
  return archive.subarray(start, start + compressedSizeBytes);
}

type Directory = { readonly entryCount: number; readonly offset: number };

function findDirectory(view: DataView): Directory {
  const end = findEndRecord(view);
  const directory = { entryCount: view.getUint16(end + 10, true), offset: view.getUint32(end + 16, true) };
  const locator = end - ZIP64_LOCATOR_SIZE_BYTES;
  const isComplete = directory.entryCount !== COUNT_IN_ZIP64 && directory.offset !== IN_ZIP64;
  if (isComplete || locator < 0 || view.getUint32(locator, true) !== ZIP64_LOCATOR_SIGNATURE) return directory;
  const zip64End = readSize(view, locator + 8);
  if (zip64End + ZIP64_END_SIZE_BYTES > view.byteLength || view.getUint32(zip64End, true) !== ZIP64_END_SIGNATURE) {
    throw new FormatError('has a damaged directory');
  }
  return { entryCount: readSize(view, zip64End + 32), offset: readSize(view, zip64End + 48) };
}

/** The end record stands last, before a comment of at most 65,535 bytes. */
function findEndRecord(view: DataView): number {
  const last = view.byteLength - END_SIZE_BYTES;
  for (let offset = last; offset >= Math.max(last - 0xffff, 0); offset--) {
    if (view.getUint32(offset, true) === END_SIGNATURE) return offset;
  }
  throw new FormatError('is truncated, or no zip archive: its directory is missing');
}

function readEntry(record: Uint8Array, nameLength: number, extraLength: number): ZipEntry {
  const view = viewOf(record);
  const sizes = {
    sizeBytes: view.getUint32(24, true),
    compressedSizeBytes: view.getUint32(20, true),
    headerOffset: view.getUint32(42, true),
  };
  const extraOffset = ENTRY_SIZE_BYTES + nameLength;
  return {
    name: new TextDecoder().decode(record.subarray(ENTRY_SIZE_BYTES, extraOffset)),
    method: view.getUint16(10, true),
    isEncrypted: (view.getUint16(8, true) & 1) === 1,
    checksum: view.getUint32(16, true),
    ...withZip64Sizes(sizes, viewOf(record.subarray(extraOffset, extraOffset + extraLength))),
  };
}

type EntrySizes = Pick<ZipEntry, 'sizeBytes' | 'compressedSizeBytes' | 'headerOffset'>;

/**
 * Sizes that do not fit 32 bits stand in the zip64 extra field, in this order, those that fit left out (APPNOTE
 * 4.5.3).
 */
function withZip64Sizes(sizes: EntrySizes, extra: DataView): EntrySizes {
  const complete = { ...sizes };
  for (let offset = 0; offset + 4 <= extra.byteLength; offset += 4 + extra.getUint16(offset + 2, true)) {
    if (extra.getUint16(offset, true) !== ZIP64_EXTRA_ID) continue;
    let field = offset + 4;
    const fieldEnd = Math.min(field + extra.getUint16(offset + 2, true), extra.byteLength);
    for (const key of ['sizeBytes', 'compressedSizeBytes', 'headerOffset'] as const) {
      if (sizes[key] !== IN_ZIP64) continue;
      if (field + 8 > fieldEnd) throw new FormatError('has a damaged directory');
      complete[key] = readSize(extra, field);
      field += 8;
    }
  }
  return complete;
}

function readSize(view: DataView, offset: number): number {
  return Number(view.getBigUint64(offset, true));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
