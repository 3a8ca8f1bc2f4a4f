import { describe, expect, it } from 'vitest';
import { FormatError } from '../../src/dataset/format-error.ts';
import { listZipEntries, readZipEntry } from '../../src/dataset/zip-archive.ts';
import { fixture } from './fixtures.ts';
import { joined } from './npy-bytes.ts';
import { type ZipPart, zip } from './zip-bytes.ts';

const HELLO = Buffer.from('hello, hello, hello');
const PLENTY = 2 ** 20;

function contentsOf(archive: Uint8Array, limitBytes = PLENTY): Record<string, string> {
  return Object.fromEntries(
    listZipEntries(archive).map((entry) => [
      entry.name,
      new TextDecoder().decode(readZipEntry(archive, entry, limitBytes)),
    ]),
  );
}

function messageOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof FormatError) return error.message;
    throw error;
  }
  throw new Error('read without an error');
}

const hello = (part: Partial<ZipPart> = {}): ZipPart => ({ name: 'a.txt', content: HELLO, ...part });

describe('listZipEntries and readZipEntry', () => {
  it.each([
    ['stored', [hello()], {}],
    ['deflated', [hello({ isDeflated: true })], {}],
    ['zip64 sizes and places', [hello({ isZip64: true, isDeflated: true })], {}],
    ['a zip64 directory', [hello()], { isZip64: true }],
    ['zip64 in everything', [hello({ isZip64: true })], { isZip64: true }],
    ['a comment behind the directory', [hello()], { comment: 'PK is no signature' }],
    ['a longer extra field in the local header', [hello({ localExtraLength: 20 })], {}],
  ])('readZipEntry: an entry is read: %s', (_, parts, options) => {
    expect(contentsOf(zip(parts, options))).toEqual({ 'a.txt': HELLO.toString() });
  });

  it('readZipEntry: several entries, an empty one among them, each have their own content', () => {
    const parts = [hello(), { name: 'ü/b.txt', content: Buffer.from('b') }, { name: 'c', content: Buffer.alloc(0) }];
    for (const isDeflated of [false, true]) {
      const archive = zip(parts.map((part) => ({ ...part, isDeflated })));
      expect(Object.values(contentsOf(archive))).toEqual([HELLO.toString(), 'b', '']);
    }
  });

  it.each(['stored.npz', 'compressed.npz'])('listZipEntries: %s of NumPy lists its arrays', (name) => {
    const archive = fixture(name);
    const entries = listZipEntries(archive);
    expect(entries.map((entry) => entry.name)).toContain('labels.npy');
    for (const entry of entries) expect(readZipEntry(archive, entry, PLENTY)).toHaveLength(entry.sizeBytes);
  });

  it('listZipEntries: an archive without entries has none', () => {
    expect(listZipEntries(zip([]))).toEqual([]);
  });
});

describe('readZipEntry, limits', () => {
  const zeros = new Uint8Array(2 ** 26);
  const bomb = zip([{ name: 'zeros', content: zeros, isDeflated: true }]);

  it('readZipEntry: an entry that declares more than the limit is refused before it is inflated', () => {
    expect(bomb.length).toBeLessThan(2 ** 17);
    const before = process.memoryUsage().arrayBuffers;
    expect(messageOf(() => contentsOf(bomb))).toBe('declares 67108864 bytes, more than the limit of 1048576');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(PLENTY);
  });

  it('readZipEntry: an entry that inflates to more than it declares is refused where it passes that', () => {
    const liar = zip([{ name: 'zeros', content: zeros, isDeflated: true, says: { sizeBytes: 1000 } }]);
    const before = process.memoryUsage().arrayBuffers;
    expect(messageOf(() => contentsOf(liar))).toBe('inflates to more than the 1000 bytes it declares');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(PLENTY);
  });

  it('readZipEntry: an entry that declares to be empty inflates to nothing', () => {
    const says = { sizeBytes: 0 };
    expect(messageOf(() => contentsOf(zip([hello({ isDeflated: true, says })])))).toBe(
      'inflates to more than the 0 bytes it declares',
    );
    expect(messageOf(() => contentsOf(zip([{ name: 'a', content: Buffer.from('x'), isDeflated: true, says }])))).toBe(
      'holds 1 bytes where 0 are declared',
    );
  });

  it('readZipEntry: an entry of exactly the limit is read', () => {
    expect(contentsOf(zip([hello()]), HELLO.length)).toEqual({ 'a.txt': HELLO.toString() });
    expect(messageOf(() => contentsOf(zip([hello()]), HELLO.length - 1))).toBe(
      'declares 19 bytes, more than the limit of 18',
    );
  });
});

describe('readZipEntry, damage', () => {
  it.each<[string, ZipPart, string]>([
    [
      'less than declared',
      hello({ isDeflated: true, says: { sizeBytes: 20 } }),
      'holds 19 bytes where 20 are declared',
    ],
    ['another stored size', hello({ says: { sizeBytes: 20 } }), 'holds 19 bytes where 20 are declared'],
    ['a wrong checksum', hello({ says: { checksum: 1 } }), 'is damaged: its checksum does not match'],
    ['no deflated data', hello({ says: { method: 8 } }), 'is damaged: it cannot be inflated'],
    [
      'another method',
      hello({ says: { method: 12 } }),
      'is compressed with method 12; stored and deflated entries are read',
    ],
    ['encryption', hello({ says: { flags: 1 } }), 'is encrypted'],
    ['a stored size beyond the file', hello({ says: { compressedSizeBytes: 10_000 } }), 'is truncated'],
  ])('readZipEntry: %s is refused', (_, part, message) => {
    expect(messageOf(() => contentsOf(zip([part])))).toBe(message);
  });

  it('readZipEntry: a directory that points to no header is refused', () => {
    const archive = zip([hello()]).with(0, 0);
    expect(messageOf(() => contentsOf(archive))).toBe('has no header where the directory points');
  });

  it('listZipEntries: fewer entries than the end record counts are refused', () => {
    const archive = zip([hello(), hello({ name: 'b.txt' })], { entryCount: 3 });
    expect(messageOf(() => listZipEntries(archive))).toBe('has a damaged directory');
  });

  it('listZipEntries: a damaged record is an error, not the end of the list', () => {
    const archive = zip([hello(), hello({ name: 'b.txt' })]);
    const second = Buffer.from(archive).lastIndexOf('PK\x01\x02');
    expect(messageOf(() => listZipEntries(archive.with(second, 0)))).toBe('has a damaged directory');
  });

  it.each([
    ['nothing', new Uint8Array(0)],
    ['text', Buffer.from('no archive at all, but more than 22 bytes')],
  ])('listZipEntries: %s is no archive', (_, bytes) => {
    expect(messageOf(() => listZipEntries(bytes))).toBe('is truncated, or no zip archive: its directory is missing');
  });

  it.each([{}, { isZip64: true }])('listZipEntries: an archive cut anywhere is refused (%j)', (options) => {
    const archive = zip([hello({ isZip64: true, isDeflated: true }), hello({ name: 'b' })], options);
    for (let length = 0; length < archive.length; length++) {
      expect(() => contentsOf(archive.subarray(0, length)), `${length} bytes`).toThrow(FormatError);
    }
  });

  it('listZipEntries: a zip64 field that is too short is refused', () => {
    const archive = Buffer.from(zip([hello({ isZip64: true })]));
    // The size of the zip64 field, behind its id.
    archive.writeUInt16LE(8, archive.lastIndexOf('a.txt') + 'a.txt'.length + 5 + 2);
    expect(messageOf(() => listZipEntries(archive))).toBe('has a damaged directory');
  });

  it('listZipEntries: bytes before the archive move every place, which is refused', () => {
    expect(() => contentsOf(joined(new Uint8Array(10), zip([hello()])))).toThrow(FormatError);
  });
});
