/** The regular files of a tar archive as it streams by (POSIX.1-2017, pax, "ustar Interchange Format"). */

/** A file in an archive; `content` is its own copy. */
export type TarEntry = { readonly path: string; readonly content: Uint8Array };

const BLOCK = 512;
const REGULAR_FILE = 0x30;
/** Writers before POSIX left the type of a regular file empty. */
const OLD_REGULAR_FILE = 0;

/**
 * Read archives as npm writes them: names of at most 255 bytes, no extended headers that rename.
 *
 * @param wanted whether a file is read; the others are passed over without being kept
 * @throws Error if the archive ends early or a header is damaged
 */
export async function* tarEntries(
  chunks: AsyncIterable<Uint8Array>,
  wanted: (path: string) => boolean,
): AsyncGenerator<TarEntry> {
  const reader = createReader(chunks);
  for (;;) {
    const header = await reader.take(BLOCK);
    if (header === undefined || header.every((byte) => byte === 0)) return;
    const { path, size, type } = parseHeader(header);
    const isWanted = (type === REGULAR_FILE || type === OLD_REGULAR_FILE) && wanted(path);
    const padded = Math.ceil(size / BLOCK) * BLOCK;
    const content = isWanted ? await reader.take(padded) : await reader.skip(padded);
    if (content === undefined) throw new Error(`the archive ends inside ${path}`);
    if (isWanted) yield { path, content: content.subarray(0, size) };
  }
}

function parseHeader(header: Uint8Array): { path: string; size: number; type: number } {
  const text = (start: number, length: number) =>
    new TextDecoder().decode(header.subarray(start, start + length)).replace(/\0[\s\S]*$/, '');
  const number = (start: number, length: number) => Number.parseInt(text(start, length).trim(), 8);
  // The checksum counts its own field as spaces.
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  const size = number(124, 12);
  if (number(148, 8) !== sum || !(size >= 0)) throw new Error('a header of the archive is damaged');
  const prefix = text(345, 155);
  return { path: prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`, size, type: header[156]! };
}

/** Takes exact lengths out of chunks of any length; undefined when the end comes first. */
function createReader(chunks: AsyncIterable<Uint8Array>) {
  const iterator = chunks[Symbol.asyncIterator]();
  let rest = new Uint8Array();
  const more = async () => {
    const next = await iterator.next();
    if (next.done !== true) rest = new Uint8Array(next.value);
    return next.done !== true;
  };
  const forEachPart = async (length: number, use: (part: Uint8Array, offset: number) => void) => {
    for (let offset = 0; offset < length; ) {
      if (rest.length === 0 && !(await more())) return false;
      const part = rest.subarray(0, length - offset);
      use(part, offset);
      rest = rest.subarray(part.length);
      offset += part.length;
    }
    return true;
  };
  return {
    take: async (length: number) => {
      const parts: Uint8Array[] = [];
      return (await forEachPart(length, (part) => parts.push(part))) ? Buffer.concat(parts) : undefined;
    },
    skip: async (length: number) => ((await forEachPart(length, () => {})) ? new Uint8Array() : undefined),
  };
}
