import { FormatError } from '../../format-error.ts';
import { checkImageSize } from '../pixel-image.ts';

/** Colour types by their number, with samples per pixel and allowed bit depths (PNG, table 12). */
const COLOUR_TYPES: Readonly<
  Record<number, { readonly samplesPerPixel: number; readonly bitDepths: readonly number[] }>
> = {
  0: { samplesPerPixel: 1, bitDepths: [1, 2, 4, 8, 16] },
  2: { samplesPerPixel: 3, bitDepths: [8, 16] },
  3: { samplesPerPixel: 1, bitDepths: [1, 2, 4, 8] },
  4: { samplesPerPixel: 2, bitDepths: [8, 16] },
  6: { samplesPerPixel: 4, bitDepths: [8, 16] },
};

/** The header chunk, IHDR. */
export type PngHeader = {
  readonly width: number;
  readonly height: number;
  readonly bitDepth: number;
  readonly colourType: number;
  readonly samplesPerPixel: number;
  readonly isInterlaced: boolean;
};

/** @throws FormatError if the combination is none that PNG defines, or the picture too large */
export function readPngHeader(body: Uint8Array): PngHeader {
  if (body.length !== 13) throw new FormatError('has a damaged header chunk');
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const bitDepth = body[8]!;
  const colourType = body[9]!;
  const [compressionMethod, filterMethod, interlaceMethod] = body.subarray(10);
  const kind = COLOUR_TYPES[colourType];
  if (!kind?.bitDepths.includes(bitDepth)) {
    throw new FormatError(`declares colour type ${colourType} with ${bitDepth} bits, which PNG does not know`);
  }
  if (compressionMethod !== 0 || filterMethod !== 0 || interlaceMethod! > 1) {
    throw new FormatError('declares a compression, filter or interlace method that PNG does not know');
  }
  const width = view.getUint32(0);
  const height = view.getUint32(4);
  checkImageSize(width, height);
  return {
    width,
    height,
    bitDepth,
    colourType,
    samplesPerPixel: kind.samplesPerPixel,
    isInterlaced: interlaceMethod === 1,
  };
}
