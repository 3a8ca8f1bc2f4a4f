/**
 * A PNG decoder (W3C PNG, third edition): every colour type, bit depth and interlacing, to 8-bit RGB.
 *
 * Transparency is dropped, not blended, and 16-bit samples keep their high byte, as Pillow has it; only grey of 16 bits,
 * which Pillow clips to white, is treated like the others. Every chunk's checksum is checked, and no more is inflated than the header says there is.
 */
import { crc32, inflateSync } from 'node:zlib';
import { FormatError } from '../../format-error.ts';
import type { PixelImage } from '../pixel-image.ts';
import { type PngHeader, readPngHeader } from './png-header.ts';
import { undoFilters } from './undo-filters.ts';
import { writePixels } from './write-pixels.ts';

/** Every n-th pixel of every m-th row, from an origin: one pass over the picture. */
type Pass = { readonly x: number; readonly y: number; readonly stepX: number; readonly stepY: number };

const ONE_PASS: readonly Pass[] = [{ x: 0, y: 0, stepX: 1, stepY: 1 }];

/** The seven passes of Adam7 (PNG, section 8.1). */
const ADAM7_PASSES: readonly Pass[] = [
  { x: 0, y: 0, stepX: 8, stepY: 8 },
  { x: 4, y: 0, stepX: 8, stepY: 8 },
  { x: 0, y: 4, stepX: 4, stepY: 8 },
  { x: 2, y: 0, stepX: 4, stepY: 4 },
  { x: 0, y: 2, stepX: 2, stepY: 4 },
  { x: 1, y: 0, stepX: 2, stepY: 2 },
  { x: 0, y: 1, stepX: 1, stepY: 2 },
];

/** @throws FormatError if the file is damaged, truncated or of a kind that PNG does not know */
export function decodePng(data: Uint8Array): PixelImage {
  const { header, palette, compressed } = readChunks(data);
  const passes = (header.isInterlaced ? ADAM7_PASSES : ONE_PASS)
    .map((pass) => ({ ...pass, ...passSize(header, pass) }))
    .filter(({ columns, rows }) => columns > 0 && rows > 0);
  const scanlines = inflate(
    compressed,
    passes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  );
  const pixels = new Uint8Array(header.width * header.height * 3);
  let offset = 0;
  for (const pass of passes) {
    const passLines = scanlines.subarray(offset, offset + pass.sizeBytes);
    undoFilters(passLines, pass.rows, Math.ceil((header.samplesPerPixel * header.bitDepth) / 8));
    writePixels(passLines, pass, header, palette, pixels);
    offset += pass.sizeBytes;
  }
  return { width: header.width, height: header.height, data: pixels };
}

/** Columns and rows of a pass, and its bytes with a filter byte before every row. */
function passSize({ width, height, samplesPerPixel, bitDepth }: PngHeader, { x, y, stepX, stepY }: Pass) {
  const columns = Math.ceil((width - x) / stepX);
  const rows = Math.ceil((height - y) / stepY);
  return { columns, rows, sizeBytes: rows * (1 + Math.ceil((columns * samplesPerPixel * bitDepth) / 8)) };
}

function readChunks(data: Uint8Array): { header: PngHeader; palette: Uint8Array; compressed: Uint8Array } {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const parts: Uint8Array[] = [];
  let header: PngHeader | undefined;
  let palette: Uint8Array = new Uint8Array(0);
  for (let offset = 8; ; ) {
    if (offset + 12 > data.length) throw new FormatError('is truncated: its end chunk is missing');
    const bodyLength = view.getUint32(offset);
    const end = offset + 12 + bodyLength;
    if (end > data.length) throw new FormatError('is truncated inside a chunk');
    const type = String.fromCharCode(...data.subarray(offset + 4, offset + 8));
    if (crc32(data.subarray(offset + 4, end - 4)) !== view.getUint32(end - 4)) {
      throw new FormatError(`is damaged: the checksum of its chunk at byte ${offset} does not match`);
    }
    const body = data.subarray(offset + 8, end - 4);
    if (type === 'IHDR') header = readPngHeader(body);
    else if (type === 'PLTE') palette = body;
    else if (type === 'IDAT') parts.push(body);
    else if (type === 'IEND') break;
    offset = end;
  }
  if (header === undefined) throw new FormatError('has no header chunk');
  return { header, palette, compressed: Buffer.concat(parts) };
}

function inflate(compressed: Uint8Array, sizeBytes: number): Uint8Array {
  let scanlines: Uint8Array;
  try {
    scanlines = inflateSync(compressed, { maxOutputLength: sizeBytes });
  } catch (error) {
    throw new FormatError(`holds pixel data that cannot be inflated (${(error as Error).message})`, { cause: error });
  }
  if (scanlines.length < sizeBytes) throw new FormatError('is truncated: pixels are missing');
  return scanlines;
}
