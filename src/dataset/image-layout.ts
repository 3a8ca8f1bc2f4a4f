/** What an input takes of a picture: its size, its channels and their place. */
import type { PreprocessConfig } from '../config/config.ts';
import { UserError } from '../errors.ts';
import { FormatError } from './format-error.ts';
import { MAX_IMAGE_PIXELS, type PixelImage } from './image/pixel-image.ts';
import { resizeImage } from './image/resize-image.ts';
import { renderDims } from './match-input.ts';
import type { InputSpec } from './sample-set.ts';

export type ImageLayout = {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  /** Shape of one sample. */
  readonly sampleDims: readonly [number, number, number];
};

/**
 * @param where begins messages: the folder of pictures
 * @throws UserError if the input takes no picture, or leaves open of which size
 */
export function imageLayout(input: InputSpec, { layout, resize }: PreprocessConfig, where: string): ImageLayout {
  const takes = `input '${input.name}' takes ${renderDims(input.dims)}`;
  if (input.dims.length !== 4) {
    throw new UserError({ what: `${takes}, which is no picture`, where, fix: 'give the data as a .npz file' });
  }
  const [first, second, third] = input.dims.slice(1);
  const [channels = 3, inputHeight, inputWidth] = layout === 'nchw' ? [first, second, third] : [third, first, second];
  if (channels !== 1 && channels !== 3) {
    const [otherLayout, place] = layout === 'nchw' ? ['nhwc', 'last'] : ['nchw', 'first'];
    throw new UserError({
      what: `${takes}: ${channels} channels in layout ${layout}, where pictures have 3 or 1`,
      where,
      fix: `set data.preprocess.layout to ${otherLayout} if the channels stand ${place}`,
    });
  }
  const [height, width] = [inputHeight, inputWidth].map(
    (size, axis) => size ?? (typeof resize === 'object' ? resize[axis] : undefined),
  );
  if (height === undefined || width === undefined) {
    throw new UserError({
      what: `${takes}, pictures of any size`,
      where,
      fix: 'set data.preprocess.resize to [height, width]',
    });
  }
  if (width * height > MAX_IMAGE_PIXELS) {
    throw new UserError({ what: `${takes}: pictures of more than ${MAX_IMAGE_PIXELS} pixels are not read`, where });
  }
  const sampleDims = layout === 'nchw' ? ([channels, height, width] as const) : ([height, width, channels] as const);
  return { width, height, channels, sampleDims };
}

/**
 * Resize and crop a picture to the layout's size.
 *
 * @throws FormatError if it has another size after the configured steps
 */
export function fitImage(
  image: PixelImage,
  { width, height }: ImageLayout,
  { resize, crop }: PreprocessConfig,
): PixelImage {
  if (resize === undefined) return resizeImage(image, width, height);
  const resized =
    typeof resize === 'number' ? resizeShorterSide(image, resize) : resizeImage(image, resize[1], resize[0]);
  if (resized.width === width && resized.height === height) return resized;
  const size = `is ${resized.width}×${resized.height} pixels after resizing, but the model takes ${width}×${height}`;
  if (crop === 'none')
    throw new FormatError(size, { fix: 'set data.preprocess.crop to center, or resize to the exact size' });
  if (resized.width < width || resized.height < height)
    throw new FormatError(size, { fix: 'set a larger data.preprocess.resize' });
  return cropCenter(resized, width, height);
}

/** The longer side is rounded down, as torchvision's Resize does. */
function resizeShorterSide(image: PixelImage, length: number): PixelImage {
  const shorter = Math.min(image.width, image.height);
  const width = Math.floor((length * image.width) / shorter);
  const height = Math.floor((length * image.height) / shorter);
  return resizeImage(image, width, height);
}

/** Margins are halved and rounded to the nearest, halves to even, as torchvision's CenterCrop does. */
function cropCenter({ width, height, data }: PixelImage, targetWidth: number, targetHeight: number): PixelImage {
  const left = halveToEven(width - targetWidth);
  const top = halveToEven(height - targetHeight);
  const target = new Uint8Array(targetWidth * targetHeight * 3);
  for (let y = 0; y < targetHeight; y++) {
    const start = ((top + y) * width + left) * 3;
    target.set(data.subarray(start, start + targetWidth * 3), y * targetWidth * 3);
  }
  return { width: targetWidth, height: targetHeight, data: target };
}

function halveToEven(length: number): number {
  const half = Math.floor(length / 2);
  return length % 2 === 1 && half % 2 === 1 ? half + 1 : half;
}

/**
 * The pixels as the model takes them: channels in its order and place, grey by the luma weights of ITU-R BT.601 as
 * Pillow rounds them.
 *
 * @param image of the layout's size
 * @returns shape `sampleDims`
 */
export function arrangePixels(
  image: PixelImage,
  { channels }: ImageLayout,
  { layout, channelOrder }: PreprocessConfig,
): Uint8Array {
  const pixelCount = image.width * image.height;
  const source = image.data;
  const target = new Uint8Array(pixelCount * channels);
  if (channels === 1) {
    for (let i = 0; i < pixelCount; i++) {
      target[i] = (source[3 * i]! * 19595 + source[3 * i + 1]! * 38470 + source[3 * i + 2]! * 7471 + 32768) >> 16;
    }
    return target;
  }
  const [pixelStride, channelStride] = layout === 'nchw' ? [1, pixelCount] : [3, 1];
  for (let channel = 0; channel < 3; channel++) {
    const from = channelOrder === 'rgb' ? channel : 2 - channel;
    for (let i = 0; i < pixelCount; i++) target[i * pixelStride + channel * channelStride] = source[3 * i + from]!;
  }
  return target;
}
