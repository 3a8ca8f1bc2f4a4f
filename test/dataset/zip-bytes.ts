/** Writes zip archives (PKWARE APPNOTE 6.3.10), right ones and ones that lie. */
import { crc32, deflateRawSync } from 'node:zlib';
import { joined } from './npy-bytes.ts';

export type ZipPart = {
  readonly name: string;
  readonly content: Uint8Array;
  readonly isDeflated?: boolean;
  /** What the directory says, where that is not the truth. */
  readonly says?: Partial<Record<'method' | 'flags' | 'checksum' | 'sizeBytes' | 'compressedSizeBytes', number>>;
  /** The directory has sizes and place in its zip64 extra field. */
  readonly isZip64?: boolean;
  /** Length of an extra field that only the local header has. */
  readonly localExtraLength?: number;
};

export type ZipOptions = {
  readonly comment?: string;
  /** The end record refers to a zip64 one for the directory's place and count. */
  readonly isZip64?: boolean;
  /** What the end record says of the number of entries. */
  readonly entryCount?: number;
};

export function zip(parts: readonly ZipPart[], options: ZipOptions = {}): Uint8Array {
  const locals: Uint8Array[] = [];
  const records: Uint8Array[] = [];
  let offset = 0;
  for (const part of parts) {
    const stored = part.isDeflated ? deflateRawSync(part.content) : part.content;
    const local = localHeader(part, stored);
    records.push(directoryRecord(part, stored, offset));
    locals.push(local, stored);
    offset += local.length + stored.length;
  }
  const end = records.reduce((sum, record) => sum + record.length, offset);
  const directory = { start: offset, end, entryCount: options.entryCount ?? parts.length };
  return joined(...locals, ...records, ...endRecords(directory, options));
}

/** Arrays by name, as numpy.savez and numpy.savez_compressed write them. */
export function npz(arrays: Readonly<Record<string, Uint8Array>>, isDeflated = false): Uint8Array {
  return zip(Object.entries(arrays).map(([name, content]) => ({ name: `${name}.npy`, content, isDeflated })));
}

function localHeader({ name, isDeflated, localExtraLength = 0 }: ZipPart, stored: Uint8Array): Uint8Array {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(isDeflated ? 8 : 0, 8);
  header.writeUInt32LE(stored.length, 18);
  header.writeUInt16LE(Buffer.byteLength(name), 26);
  header.writeUInt16LE(localExtraLength, 28);
  return joined(header, Buffer.from(name), new Uint8Array(localExtraLength));
}

function directoryRecord(part: ZipPart, stored: Uint8Array, offset: number): Uint8Array {
  const { name, content, isDeflated, says = {}, isZip64 = false } = part;
  const { method = isDeflated ? 8 : 0, flags = 0, checksum = crc32(content) } = says;
  const places = [says.sizeBytes ?? content.length, says.compressedSizeBytes ?? stored.length, offset] as const;
  const [sizeBytes, compressedSizeBytes, headerOffset] = isZip64 ? [0xffffffff, 0xffffffff, 0xffffffff] : places;
  const record = Buffer.alloc(46);
  record.writeUInt32LE(0x02014b50, 0);
  record.writeUInt16LE(flags, 8);
  record.writeUInt16LE(method, 10);
  record.writeUInt32LE(checksum, 16);
  record.writeUInt32LE(compressedSizeBytes, 20);
  record.writeUInt32LE(sizeBytes, 24);
  record.writeUInt16LE(Buffer.byteLength(name), 28);
  record.writeUInt32LE(headerOffset, 42);
  const extra = isZip64 ? zip64Extra(places) : new Uint8Array(0);
  record.writeUInt16LE(extra.length, 30);
  return joined(record, Buffer.from(name), extra);
}

/** A foreign field first, as archives have them, then the zip64 one. */
function zip64Extra(places: readonly number[]): Uint8Array {
  const foreign = Buffer.from([0x55, 0x54, 1, 0, 9]);
  const field = Buffer.alloc(4 + 8 * places.length);
  field.writeUInt16LE(1, 0);
  field.writeUInt16LE(8 * places.length, 2);
  places.forEach((place, index) => {
    field.writeBigUInt64LE(BigInt(place), 4 + 8 * index);
  });
  return joined(foreign, field);
}

type Directory = { readonly start: number; readonly end: number; readonly entryCount: number };

function endRecords(directory: Directory, { comment = '', isZip64 = false }: ZipOptions): Uint8Array[] {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(isZip64 ? 0xffff : directory.entryCount, 10);
  end.writeUInt32LE(isZip64 ? 0xffffffff : directory.start, 16);
  end.writeUInt16LE(comment.length, 20);
  return [...(isZip64 ? zip64EndRecords(directory) : []), end, Buffer.from(comment)];
}

/** The zip64 end record right behind the directory, and the locator that says so. */
function zip64EndRecords(directory: Directory): Uint8Array[] {
  const end = Buffer.alloc(56);
  end.writeUInt32LE(0x06064b50, 0);
  end.writeBigUInt64LE(BigInt(directory.entryCount), 32);
  end.writeBigUInt64LE(BigInt(directory.start), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(directory.end), 8);
  return [end, locator];
}
