import { describe, expect, it } from 'vitest';
import { FormatError } from '../../src/dataset/format-error.ts';
import type { PixelImage } from '../../src/dataset/image/pixel-image.ts';
import { resizeImage } from '../../src/dataset/image/resize-image.ts';
import { seededRandom } from '../../src/random.ts';
import { pixelFixture } from './fixtures.ts';

const SOURCE = pixelFixture('source');

/** The definition in floating point: every target pixel the mean of all source pixels, weighted by both triangles. */
function resizeSlowly({ width, height, data }: PixelImage, targetWidth: number, targetHeight: number): number[] {
  const across = triangleWeights(width, targetWidth);
  const down = triangleWeights(height, targetHeight);
  const target: number[] = [];
  for (const rowWeights of down)
    for (const columnWeights of across)
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        for (let y = 0; y < height; y++)
          for (let x = 0; x < width; x++)
            sum += rowWeights[y]! * columnWeights[x]! * data[(y * width + x) * 3 + channel]!;
        target.push(sum);
      }
  return target;
}

function triangleWeights(length: number, targetLength: number): number[][] {
  const scale = length / targetLength;
  const reach = Math.max(scale, 1);
  return Array.from({ length: targetLength }, (_, position) => {
    const weights = Array.from({ length }, (_, source) =>
      Math.max(0, 1 - Math.abs(source + 0.5 - (position + 0.5) * scale) / reach),
    );
    const sum = weights.reduce((total, weight) => total + weight);
    return weights.map((weight) => weight / sum);
  });
}

function randomImage(width: number, height: number, seed: number): PixelImage {
  const random = seededRandom(seed);
  return { width, height, data: Uint8Array.from({ length: width * height * 3 }, () => Math.floor(random() * 256)) };
}

describe('resizeImage', () => {
  it.each([
    [14, 9],
    [37, 8],
    [60, 50],
    [1, 1],
  ])('resizeImage: to %d×%d the pixels are those of Pillow', (width, height) => {
    expect(resizeImage(SOURCE, width, height)).toEqual(pixelFixture(`resized-${width}x${height}`));
  });

  it.each([
    [1, 7, 12, 5],
    [2, 12, 5, 30],
    [3, 1, 9, 4],
    [4, 40, 3, 1],
    [5, 16, 16, 8],
  ])('resizeImage: the bytes are the definition rounded twice (seed %d)', (seed, width, height, size) => {
    const image = randomImage(width, height, seed);
    const exact = resizeSlowly(image, size, size + 1);
    const { data } = resizeImage(image, size, size + 1);
    expect(data).toHaveLength(exact.length);
    // Half a level for each of the two roundings; the first one's is averaged, but not below its own size.
    for (const [index, value] of data.entries()) expect(Math.abs(value - exact[index]!)).toBeLessThanOrEqual(1.001);
  });

  it('resizeImage: a uniform picture stays uniform, at both ends of the range', () => {
    for (const level of [0, 1, 254, 255]) {
      const image = { width: 13, height: 11, data: new Uint8Array(13 * 11 * 3).fill(level) };
      for (const size of [1, 5, 12, 40]) expect(new Set(resizeImage(image, size, size).data)).toEqual(new Set([level]));
    }
  });

  it('resizeImage: a picture of the size is itself', () => {
    expect(resizeImage(SOURCE, 37, 21)).toBe(SOURCE);
  });

  it('resizeImage: a line of pixels that would become a sheet on the way is refused before memory is taken', () => {
    const line = { width: 1, height: 2_000_000, data: new Uint8Array(6_000_000) };
    const before = process.memoryUsage().arrayBuffers;
    const message = 'is 1×2000000 pixels; resized to 224×224 it takes more than 67108864 pixels';
    const fix = 'set a smaller data.preprocess.resize, or remove the picture';
    expect(() => resizeImage(line, 224, 224)).toThrow(new FormatError(message, { fix }));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
    expect(() => resizeImage(SOURCE, 65535, 65535)).toThrow(
      'is 37×21 pixels; resized to 65535×65535 it takes more than 67108864 pixels',
    );
  });
});
