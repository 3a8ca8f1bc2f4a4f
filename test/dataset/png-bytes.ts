/** Writes PNG files (PNG specification, third edition, §5 and §11), right ones and wrong ones. */
import { crc32, deflateSync } from 'node:zlib';
import { joined } from './npy-bytes.ts';

export const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

export function chunk(type: string, body: Uint8Array): Uint8Array {
  const content = joined(Buffer.from(type), body);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(body.length);
  checksum.writeUInt32BE(crc32(content));
  return joined(length, content, checksum);
}

export type Header = { width?: number; height?: number; bitDepth?: number; colourType?: number; methods?: number[] };

export function header({
  width = 2,
  height = 1,
  bitDepth = 8,
  colourType = 2,
  methods = [0, 0, 0],
}: Header = {}): Uint8Array {
  const body = Buffer.alloc(13);
  body.writeUInt32BE(width, 0);
  body.writeUInt32BE(height, 4);
  body.set([bitDepth, colourType, ...methods], 8);
  return chunk('IHDR', body);
}

export const END = chunk('IEND', new Uint8Array(0));

/** @param lines each scanline behind the number of its filter */
export function png(fields: Header, lines: Uint8Array, ...others: Uint8Array[]): Uint8Array {
  return joined(SIGNATURE, header(fields), ...others, chunk('IDAT', deflateSync(lines)), END);
}

/** A grey picture of one byte per pixel, shape [height, width], without filters. */
export function greyPng(width: number, height: number, pixels: Uint8Array): Uint8Array {
  const rows = Array.from({ length: height }, (_, row) => pixels.subarray(row * width, (row + 1) * width));
  return png({ width, height, colourType: 0 }, joined(...rows.flatMap((row) => [Uint8Array.of(0), row])));
}
