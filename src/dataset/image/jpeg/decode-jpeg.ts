/**
 * A JPEG decoder: baseline, extended and progressive Huffman coding, 8 bits per sample, grey, RGB or CMYK (ITU-T
 * T.81).
 *
 * It exists because the pixels are a measuring instrument here: they equal, bit for bit, those of libjpeg-turbo,
 * which nearly every training pipeline reads its pictures with, and a damaged file is an error instead of a half grey
 * picture. EXIF orientation is not applied, as in those pipelines.
 */
import { FormatError } from '../../format-error.ts';
import type { PixelImage } from '../pixel-image.ts';
import { nextMarkerOffset } from './bit-reader.ts';
import { CONVERT_ROW, colourModel } from './convert-colour.ts';
import { NATURAL_ORDER } from './decode-block.ts';
import { decodeScan, type Tables } from './decode-scan.ts';
import { type Frame, readFrame } from './frame.ts';
import { buildHuffmanTable } from './huffman-table.ts';
import { inverseTransform } from './inverse-dct.ts';
import { ROW_MARGIN, rowWriter } from './upsample.ts';

/** Markers, by the second byte (T.81, table B.1). */
const MARKER = { DHT: 0xc4, EOI: 0xd9, SOI: 0xd8, SOS: 0xda, DQT: 0xdb, DRI: 0xdd, APP0: 0xe0, APP14: 0xee } as const;

/** Frame types: two are decoded, the others are named when they are refused. */
const FRAME_KINDS: Readonly<Record<number, 'sequential' | 'progressive' | { readonly unsupported: string }>> = {
  192: 'sequential',
  193: 'sequential',
  194: 'progressive',
  195: { unsupported: 'a lossless' },
  197: { unsupported: 'a hierarchical' },
  198: { unsupported: 'a hierarchical' },
  199: { unsupported: 'a hierarchical' },
  201: { unsupported: 'an arithmetic-coded' },
  202: { unsupported: 'an arithmetic-coded' },
  203: { unsupported: 'an arithmetic-coded' },
  205: { unsupported: 'an arithmetic-coded' },
  206: { unsupported: 'an arithmetic-coded' },
  207: { unsupported: 'an arithmetic-coded' },
};

/** Encoders write some ten scans; a small file with thousands would keep a processor busy for hours. */
const MAX_SCAN_COUNT = 100;

/** What has been read so far. */
type State = {
  readonly tables: Tables;
  frame: Frame | undefined;
  hasJfif: boolean;
  adobeTransform: number | undefined;
};

/** @throws FormatError if the file is damaged, truncated or of a kind that is not handled */
export function decodeJpeg(data: Uint8Array): PixelImage {
  const state: State = {
    tables: { quantization: [], dc: [], ac: [], restartInterval: 0 },
    frame: undefined,
    hasJfif: false,
    adobeTransform: undefined,
  };
  const sawEnd = readSegments(data, state);
  const { frame } = state;
  // A sequential picture is whole when every component had its scan; a progressive one only when the file says so.
  const isWhole = frame?.components.every(({ quantization }) => quantization !== undefined) === true;
  if (!isWhole || (frame.isProgressive && !sawEnd)) throw new FormatError('is truncated: the picture is not complete');
  return renderPixels(frame, state);
}

/** Returns whether the end marker was there. */
function readSegments(data: Uint8Array, state: State): boolean {
  let offset = 2;
  let scanCount = 0;
  for (;;) {
    offset = nextMarkerOffset(data, offset);
    const marker = data[offset + 1];
    if (marker === undefined) return false;
    if (marker === MARKER.EOI) return true;
    offset += 2;
    if (isStandalone(marker)) continue;
    const length = (data[offset]! << 8) | data[offset + 1]!;
    const body = data.subarray(offset + 2, offset + length);
    if (length < 2 || offset + length > data.length) throw new FormatError('is truncated inside a header');
    offset += length;
    if (marker === MARKER.SOS) {
      if (state.frame === undefined) throw new FormatError('has a scan before its frame header');
      if (++scanCount > MAX_SCAN_COUNT) throw new FormatError(`has more than ${MAX_SCAN_COUNT} scans`);
      offset = decodeScan(data, offset, body, state.frame, state.tables);
    } else {
      readHeader(marker, body, state, data.length);
    }
  }
}

/** Markers without a body: TEM, RST0…RST7 and SOI. */
function isStandalone(marker: number): boolean {
  return marker === 0x01 || (marker >= 0xd0 && marker <= MARKER.SOI);
}

function readHeader(marker: number, body: Uint8Array, state: State, fileSizeBytes: number): void {
  const kind = FRAME_KINDS[marker];
  if (kind !== undefined) {
    if (typeof kind === 'object') throw new FormatError(`is ${kind.unsupported} JPEG, which is not supported`);
    if (state.frame !== undefined) throw new FormatError('has more than one frame');
    state.frame = readFrame(body, kind === 'progressive', fileSizeBytes);
  } else if (marker === MARKER.DQT) readQuantizationTables(body, state.tables);
  else if (marker === MARKER.DHT) readHuffmanTables(body, state.tables);
  else if (marker === MARKER.DRI) state.tables.restartInterval = (body[0]! << 8) | body[1]!;
  else if (marker === MARKER.APP0 && startsWith(body, 'JFIF')) state.hasJfif = true;
  else if (marker === MARKER.APP14 && startsWith(body, 'Adobe')) state.adobeTransform = body[11];
}

function startsWith(body: Uint8Array, text: string): boolean {
  return Array.from(text).every((letter, index) => body[index] === letter.charCodeAt(0));
}

function readQuantizationTables(body: Uint8Array, tables: Tables): void {
  for (let offset = 0; offset < body.length; ) {
    const [precision, index] = [body[offset]! >> 4, body[offset]! & 15];
    const bytesPerStep = precision === 0 ? 1 : 2;
    const steps = body.subarray(offset + 1, offset + 1 + 64 * bytesPerStep);
    if (steps.length < 64 * bytesPerStep || precision > 1) throw new FormatError('has a damaged quantization table');
    const table = new Uint16Array(64);
    for (let k = 0; k < 64; k++) {
      table[NATURAL_ORDER[k]!] = precision === 0 ? steps[k]! : (steps[2 * k]! << 8) | steps[2 * k + 1]!;
    }
    tables.quantization[index] = table;
    offset += 1 + steps.length;
  }
}

function readHuffmanTables(body: Uint8Array, tables: Tables): void {
  for (let offset = 0; offset < body.length; ) {
    const [kind, index] = [body[offset]! >> 4, body[offset]! & 15];
    const codeCounts = body.subarray(offset + 1, offset + 17);
    const symbolCount = codeCounts.reduce((sum, count) => sum + count, 0);
    const symbols = body.subarray(offset + 17, offset + 17 + symbolCount);
    if (codeCounts.length < 16 || symbols.length < symbolCount || kind > 1) {
      throw new FormatError('has a damaged Huffman table');
    }
    tables[kind === 0 ? 'dc' : 'ac'][index] = buildHuffmanTable(codeCounts, symbols);
    offset += 17 + symbolCount;
  }
}

function renderPixels(frame: Frame, { hasJfif, adobeTransform }: State): PixelImage {
  const { width, height, components } = frame;
  const writers = components.map((component) => rowWriter(component, inverseTransform(component), frame));
  const rows = components.map(() => new Uint8Array(width + ROW_MARGIN));
  const convertRow =
    CONVERT_ROW[colourModel({ componentIds: components.map(({ id }) => id), hasJfif, adobeTransform })];
  const data = new Uint8ClampedArray(width * height * 3);
  for (let y = 0; y < height; y++) {
    writers.forEach((writeRow, index) => {
      writeRow(y, rows[index]!);
    });
    convertRow(rows, width, data, y * width * 3);
  }
  return { width, height, data: new Uint8Array(data.buffer) };
}
