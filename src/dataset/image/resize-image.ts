/**
 * Bilinear resizing with antialiasing: when a picture shrinks, the triangle filter widens with it, so that every
 * source pixel counts. The fixed-point arithmetic is that of Pillow's `resize(…, BILINEAR)`, which torchvision and
 * timm use, so the pixels are theirs.
 */
import { FormatError } from '../format-error.ts';
import { MAX_IMAGE_PIXELS, type PixelImage } from './pixel-image.ts';

/** Fraction bits of a weight: 255 · 2^22 is the largest sum and fits 31 bits. */
const WEIGHT_BITS = 22;

/**
 * What one target position takes from a line of source pixels: weights of the pixels from `first` on, summing to
 * 2^22.
 */
type Tap = { readonly first: number; readonly weights: Int32Array };

/**
 * The picture in `width` × `height` pixels, across first and then down, each rounded to 8 bits; the picture itself
 * when it has that size.
 *
 * @throws FormatError if it, or the picture between the two steps, would have more pixels than are decoded: a line of
 * pixels a million high is a small file, but a hundred times the memory when it is widened
 */
export function resizeImage(image: PixelImage, width: number, height: number): PixelImage {
  if (width * Math.max(height, image.height) > MAX_IMAGE_PIXELS) {
    const size = `${image.width}×${image.height}`;
    throw new FormatError(
      `is ${size} pixels; resized to ${width}×${height} it takes more than ${MAX_IMAGE_PIXELS} pixels`,
      {
        fix: 'set a smaller data.preprocess.resize, or remove the picture',
      },
    );
  }
  const across = width === image.width ? image : resizeAcross(image, width);
  return height === image.height ? across : resizeDown(across, height);
}

function resizeAcross({ width, height, data }: PixelImage, targetWidth: number): PixelImage {
  const taps = filterTaps(width, targetWidth);
  const target = new Uint8Array(targetWidth * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < targetWidth; x++) {
      const { first, weights } = taps[x]!;
      let from = (y * width + first) * 3;
      let [red, green, blue] = [HALF, HALF, HALF];
      for (let i = 0; i < weights.length; i++, from += 3) {
        const weight = weights[i]!;
        red += Math.imul(data[from]!, weight);
        green += Math.imul(data[from + 1]!, weight);
        blue += Math.imul(data[from + 2]!, weight);
      }
      const to = (y * targetWidth + x) * 3;
      target[to] = red >> WEIGHT_BITS;
      target[to + 1] = green >> WEIGHT_BITS;
      target[to + 2] = blue >> WEIGHT_BITS;
    }
  }
  return { width: targetWidth, height, data: target };
}

function resizeDown({ width, height, data }: PixelImage, targetHeight: number): PixelImage {
  const rowLength = width * 3;
  const target = new Uint8Array(rowLength * targetHeight);
  const sums = new Int32Array(rowLength);
  filterTaps(height, targetHeight).forEach(({ first, weights }, y) => {
    sums.fill(HALF);
    weights.forEach((weight, i) => {
      const from = (first + i) * rowLength;
      for (let x = 0; x < rowLength; x++) sums[x]! += Math.imul(data[from + x]!, weight);
    });
    for (let x = 0; x < rowLength; x++) target[y * rowLength + x] = sums[x]! >> WEIGHT_BITS;
  });
  return { width, height: targetHeight, data: target };
}

/** Rounds a sum of weighted pixels to the nearest when its fraction bits are shifted out. */
const HALF = 1 << (WEIGHT_BITS - 1);

/**
 * The triangle filter around each target pixel's centre, one source pixel wide to each side, or as wide as the
 * shrinking asks.
 */
function filterTaps(sourceLength: number, targetLength: number): Tap[] {
  const scale = sourceLength / targetLength;
  const reach = Math.max(scale, 1);
  return Array.from({ length: targetLength }, (_, position) => {
    const center = (position + 0.5) * scale;
    const first = Math.max(Math.trunc(center - reach + 0.5), 0);
    const end = Math.min(Math.trunc(center + reach + 0.5), sourceLength);
    const weights = Float64Array.from({ length: end - first }, (_, i) =>
      Math.max(1 - Math.abs((first + i - center + 0.5) * (1 / reach)), 0),
    );
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return {
      first,
      weights: Int32Array.from(weights, (weight) => Math.trunc(0.5 + (weight / sum) * 2 ** WEIGHT_BITS)),
    };
  });
}
