import { FormatError } from '../format-error.ts';
import { decodeJpeg } from './jpeg/decode-jpeg.ts';
import type { PixelImage } from './pixel-image.ts';
import { decodePng } from './png/decode-png.ts';

const JPEG_SIGNATURE = [0xff, 0xd8];
const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/**
 * Decode a JPEG or PNG file, told apart by its first bytes: many a data set has files with the wrong ending.
 *
 * @throws FormatError if it is neither, damaged, or of a kind that is not handled
 */
export function decodeImage(data: Uint8Array): PixelImage {
  if (data.length === 0) throw new FormatError('is empty');
  if (beginsWith(data, JPEG_SIGNATURE)) return decodeJpeg(data);
  if (beginsWith(data, PNG_SIGNATURE)) return decodePng(data);
  throw new FormatError('is neither a JPEG nor a PNG file');
}

function beginsWith(data: Uint8Array, signature: readonly number[]): boolean {
  return signature.every((byte, index) => data[index] === byte);
}
