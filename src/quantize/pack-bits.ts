/**
 * Integers of 1 to 7 bits in exactly their bits. A width is split into chunks of 4, 2 and 1 bits (7 = 4 + 2 + 1), because those
 * divide a byte; each chunk is packed on its own. Elements are padded with zeros to a multiple of eight.
 */
import type { Grid } from './grid.ts';

/** One bit field of every element: `width` bits starting at bit `shift`. */
export type Chunk = { readonly width: 1 | 2 | 4; readonly shift: number };

/** The chunks of a width from 1 to 7, widest first, which take the low bits first. */
export function chunksOf(bitWidth: number): Chunk[] {
  if (!Number.isInteger(bitWidth) || bitWidth < 1 || bitWidth > 7)
    throw new RangeError(`no chunks for ${bitWidth} bits`);
  const chunks: Chunk[] = [];
  let shift = 0;
  for (const width of [4, 2, 1] as const) {
    if ((bitWidth & width) === 0) continue;
    chunks.push({ width, shift });
    shift += width;
  }
  return chunks;
}

/** How many elements the padded sequence has. */
export function paddedCount(elementCount: number): number {
  return Math.ceil(elementCount / 8) * 8;
}

/**
 * Pack one chunk of every integer. Integers are stored as value − quantMin. With M bytes, element k·M + m lies in byte m, in the
 * k-th field from the low end, so that unpacking is one shift of all bytes per field.
 *
 * @param values integers on `grid`, shape [elementCount]
 * @returns shape [paddedCount · width / 8]
 * @throws RangeError if a value is off the grid: packing never clips, a clipped weight is a different model
 */
export function packChunk(values: Int8Array, grid: Grid, chunk: Chunk): Uint8Array {
  const byteCount = (paddedCount(values.length) * chunk.width) / 8;
  const mask = 2 ** chunk.width - 1;
  const packed = new Uint8Array(byteCount);
  for (const [index, value] of values.entries()) {
    if (value < grid.quantMin || value > grid.quantMax) throw offGrid(value, grid);
    const field = Math.floor(index / byteCount);
    packed[index % byteCount]! |= (((value - grid.quantMin) >>> chunk.shift) & mask) << (field * chunk.width);
  }
  return packed;
}

/** The inverse of packing every chunk: shape [elementCount]. */
export function unpackChunks(packed: readonly Uint8Array[], grid: Grid, elementCount: number): Int8Array {
  const chunks = chunksOf(grid.bitWidth);
  return Int8Array.from({ length: elementCount }, (_, index) => {
    let level = 0;
    for (const [position, { width, shift }] of chunks.entries()) {
      const bytes = packed[position]!;
      const field = Math.floor(index / bytes.length);
      level |= ((bytes[index % bytes.length]! >>> (field * width)) & (2 ** width - 1)) << shift;
    }
    return level + grid.quantMin;
  });
}

function offGrid(value: number, grid: Grid): RangeError {
  return new RangeError(`${value} is not on the grid ${grid.quantMin}…${grid.quantMax}`);
}
