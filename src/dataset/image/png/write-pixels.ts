/** Unfiltered PNG scanlines to RGB pixels (PNG, sections 7.2 and 13.12). */
import { FormatError } from '../../format-error.ts';
import type { PngHeader } from './png-header.ts';

/** A pass over the picture with its size in pixels. */
export type SizedPass = {
  readonly x: number;
  readonly y: number;
  readonly stepX: number;
  readonly stepY: number;
  readonly columns: number;
  readonly rows: number;
};

const PALETTE_COLOUR = 3;

/**
 * Write the pixels of one pass to their places.
 *
 * @param lines rows after their filter bytes, unfiltered
 * @param palette colours, shape [count, 3]; used by the palette colour type alone
 * @param pixels shape [height, width, 3]
 */
export function writePixels(
  lines: Uint8Array,
  pass: SizedPass,
  header: PngHeader,
  palette: Uint8Array,
  pixels: Uint8Array,
): void {
  const { bitDepth, colourType, samplesPerPixel } = header;
  const lineLength = lines.length / pass.rows;
  const isColour = samplesPerPixel >= 3;
  // Grey levels of 1, 2 and 4 bits stretch to the full range: 255, 85 and 17 per step.
  const greyStep = bitDepth < 8 ? 255 / (2 ** bitDepth - 1) : 1;
  for (let row = 0; row < pass.rows; row++) {
    const line = lines.subarray(row * lineLength + 1, (row + 1) * lineLength);
    for (let column = 0; column < pass.columns; column++) {
      const target = ((pass.y + row * pass.stepY) * header.width + pass.x + column * pass.stepX) * 3;
      const first = column * samplesPerPixel;
      if (colourType === PALETTE_COLOUR) writeColour(pixels, target, palette, readSample(line, first, bitDepth));
      else {
        for (let c = 0; c < 3; c++)
          pixels[target + c] = readSample(line, isColour ? first + c : first, bitDepth) * greyStep;
      }
    }
  }
}

function writeColour(pixels: Uint8Array, target: number, palette: Uint8Array, index: number): void {
  if (index * 3 + 3 > palette.length) throw new FormatError(`uses colour ${index}, which its palette lacks`);
  for (let c = 0; c < 3; c++) pixels[target + c] = palette[index * 3 + c]!;
}

/** The sample's value, the high byte of it at 16 bits; the first sample of a byte stands highest. */
function readSample(line: Uint8Array, index: number, bitDepth: number): number {
  if (bitDepth === 8) return line[index]!;
  if (bitDepth === 16) return line[index * 2]!;
  const bitOffset = index * bitDepth;
  return (line[bitOffset >> 3]! >> (8 - bitDepth - (bitOffset & 7))) & ((1 << bitDepth) - 1);
}
