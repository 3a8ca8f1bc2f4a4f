import { FormatError } from '../format-error.ts';

/** A decoded picture: 8-bit RGB, rows from the top, interleaved. */
export type PixelImage = {
  readonly width: number;
  readonly height: number;
  /** Shape [height, width, 3]. */
  readonly data: Uint8Array;
};

/** Largest picture that is decoded, in pixels: 64 megapixels, beyond any camera a vision model is trained on. */
export const MAX_IMAGE_PIXELS = 64 * 2 ** 20;

/** Refuses a size before anything is allocated for it. */
export function checkImageSize(width: number, height: number): void {
  if (width < 1 || height < 1) throw new FormatError(`declares a size of ${width}×${height} pixels`);
  if (width * height > MAX_IMAGE_PIXELS) {
    throw new FormatError(`declares ${width}×${height} pixels, more than the ${MAX_IMAGE_PIXELS} that are decoded`);
  }
}
