import { describe, expect, it } from 'vitest';
import { FormatError } from '../../src/dataset/format-error.ts';
import type { PixelImage } from '../../src/dataset/image/pixel-image.ts';
import { resizeImage } from '../../src/dataset/image/resize-image.ts';
import { arrangePixels, fitImage, type ImageLayout, imageLayout } from '../../src/dataset/image-layout.ts';
import { UserError } from '../../src/errors.ts';
import { pixelFixture } from './fixtures.ts';
import { inputOf, preprocess } from './preprocess.ts';

const SOURCE = pixelFixture('source');

function messageOf(run: () => unknown, kind: typeof FormatError | typeof UserError): string {
  try {
    run();
  } catch (error) {
    if (error instanceof kind) return error.message;
    throw error;
  }
  throw new Error('no error');
}

describe('imageLayout', () => {
  it.each([
    ['nchw', [3, 4, 5], { width: 5, height: 4, channels: 3, sampleDims: [3, 4, 5] }],
    ['nchw', [1, 4, 5], { width: 5, height: 4, channels: 1, sampleDims: [1, 4, 5] }],
    ['nhwc', [4, 5, 3], { width: 5, height: 4, channels: 3, sampleDims: [4, 5, 3] }],
    ['nhwc', [4, 5, 1], { width: 5, height: 4, channels: 1, sampleDims: [4, 5, 1] }],
    ['nchw', [undefined, 4, 5], { width: 5, height: 4, channels: 3, sampleDims: [3, 4, 5] }],
  ] as const)('imageLayout: %s %j', (layout, dims, expected) => {
    expect(imageLayout(inputOf(dims), preprocess({ layout }), '/data')).toEqual(expected);
  });

  it('imageLayout: a size that the model leaves open is the one to resize to', () => {
    const layout = imageLayout(inputOf([3, undefined, 7]), preprocess({ resize: [5, 6] }), '/data');
    expect(layout).toEqual({ width: 7, height: 5, channels: 3, sampleDims: [3, 5, 7] });
  });

  it.each([
    [inputOf([10]), {}, "/data: input 'x' takes [N, 10], which is no picture\n  fix: give the data as a .npz file"],
    [
      inputOf([4, 5, 3]),
      {},
      "/data: input 'x' takes [N, 4, 5, 3]: 4 channels in layout nchw, where pictures have 3 or 1\n" +
        '  fix: set data.preprocess.layout to nhwc if the channels stand last',
    ],
    [
      inputOf([3, 4, 5]),
      { layout: 'nhwc' },
      "/data: input 'x' takes [N, 3, 4, 5]: 5 channels in layout nhwc, where pictures have 3 or 1\n" +
        '  fix: set data.preprocess.layout to nchw if the channels stand first',
    ],
    [
      inputOf([3, undefined, undefined]),
      { resize: 256 },
      "/data: input 'x' takes [N, 3, ?, ?], pictures of any size\n  fix: set data.preprocess.resize to [height, width]",
    ],
    [
      inputOf([3, 100_000, 100_000]),
      {},
      "/data: input 'x' takes [N, 3, 100000, 100000]: pictures of more than 67108864 pixels are not read",
    ],
  ] as const)('imageLayout: an input that is refused says why (%#)', (input, changes, message) => {
    expect(messageOf(() => imageLayout(input, preprocess(changes), '/data'), UserError)).toBe(message);
  });
});

function layoutOf(width: number, height: number): ImageLayout {
  return imageLayout(inputOf([3, height, width]), preprocess(), '/data');
}

describe('fitImage', () => {
  it('fitImage: without a size to resize to, straight to that of the model', () => {
    expect(fitImage(SOURCE, layoutOf(14, 9), preprocess())).toEqual(pixelFixture('resized-14x9'));
  });

  it('fitImage: an exact [height, width], then the centre', () => {
    const resized = resizeImage(SOURCE, 16, 12);
    const fitted = fitImage(SOURCE, layoutOf(10, 12), preprocess({ resize: [12, 16] }));
    expect(fitted).toEqual(cropSlowly(resized, 3, 0, 10, 12));
  });

  it('fitImage: the shorter side, the longer rounded down, and the centre are those of torchvision', () => {
    expect(fitImage(SOURCE, layoutOf(9, 9), preprocess({ resize: 14 }))).toEqual(pixelFixture('cropped-9x9'));
  });

  it('fitImage: a portrait picture is resized by its width', () => {
    const portrait = { width: 21, height: 37, data: SOURCE.data };
    expect(fitImage(portrait, layoutOf(14, 24), preprocess({ resize: 14 }))).toEqual(resizeImage(portrait, 14, 24));
  });

  it.each([
    [10, 9, 0],
    [12, 9, 2],
    [14, 9, 2],
    [16, 9, 4],
    [13, 9, 2],
    [11, 9, 1],
  ])('fitImage: half of a margin is rounded to even: %d to %d pixels begins at %d', (side, size, start) => {
    const image = { width: side, height: side, data: Uint8Array.from({ length: side * side * 3 }, (_, i) => i % 251) };
    const fitted = fitImage(image, layoutOf(size, size), preprocess({ resize: [side, side] }));
    expect(fitted).toEqual(cropSlowly(image, start, start, size, size));
  });

  it('fitImage: a picture that is smaller than the model takes after resizing is refused', () => {
    const run = () => fitImage(SOURCE, layoutOf(16, 16), preprocess({ resize: 14 }));
    expect(messageOf(run, FormatError)).toBe('is 24×14 pixels after resizing, but the model takes 16×16');
    expect(run).toThrow(expect.objectContaining({ fix: 'set a larger data.preprocess.resize' }));
  });

  it('fitImage: without cropping the size must be exact', () => {
    const run = () => fitImage(SOURCE, layoutOf(9, 9), preprocess({ resize: 14, crop: 'none' }));
    expect(messageOf(run, FormatError)).toBe('is 24×14 pixels after resizing, but the model takes 9×9');
    expect(run).toThrow(
      expect.objectContaining({ fix: 'set data.preprocess.crop to center, or resize to the exact size' }),
    );
    const exact = preprocess({ resize: [9, 14], crop: 'none' });
    expect(fitImage(SOURCE, layoutOf(14, 9), exact)).toEqual(pixelFixture('resized-14x9'));
  });
});

function cropSlowly(image: PixelImage, left: number, top: number, width: number, height: number): PixelImage {
  const data: number[] = [];
  for (let y = top; y < top + height; y++)
    for (let x = left; x < left + width; x++)
      for (let c = 0; c < 3; c++) data.push(image.data[(y * image.width + x) * 3 + c]!);
  return { width, height, data: Uint8Array.from(data) };
}

describe('arrangePixels', () => {
  const PICTURE = { width: 2, height: 2, data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12) };

  it.each([
    ['nchw', 'rgb', [1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12]],
    ['nchw', 'bgr', [3, 6, 9, 12, 2, 5, 8, 11, 1, 4, 7, 10]],
    ['nhwc', 'rgb', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]],
    ['nhwc', 'bgr', [3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10]],
  ] as const)('arrangePixels: %s %s', (layout, channelOrder, expected) => {
    const steps = preprocess({ layout, channelOrder });
    const dims = layout === 'nchw' ? [3, 2, 2] : [2, 2, 3];
    const pixels = arrangePixels(PICTURE, imageLayout(inputOf(dims), steps, '/data'), steps);
    expect(pixels).toEqual(Uint8Array.from(expected));
  });

  it('arrangePixels: grey is that of Pillow, in either order of channels', () => {
    const expected = pixelFixture('source-grey').data.filter((_, index) => index % 3 === 0);
    for (const channelOrder of ['rgb', 'bgr'] as const) {
      const steps = preprocess({ channelOrder });
      expect(arrangePixels(SOURCE, imageLayout(inputOf([1, 21, 37]), steps, '/data'), steps)).toEqual(expected);
    }
  });
});
