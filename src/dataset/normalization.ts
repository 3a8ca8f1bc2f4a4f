/** The last step of preprocessing: value = (pixel / scale − mean) / std, per channel. */
import type { PreprocessConfig } from '../config/config.ts';
import { UserError } from '../errors.ts';
import { type FloatFeed, type FloatInput, LARGEST_FINITE } from './float-feed.ts';

export type Normalization = {
  readonly isIdentity: boolean;
  readonly scale: number;
  /** Shape [channelCount]. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly channelCount: number;
  /** Elements of a sample between one channel and the next. */
  readonly channelStride: number;
};

/** Whether preprocessing leaves every value as it is. */
export function isIdentity({ scale, mean, std }: PreprocessConfig): boolean {
  return scale === 1 && mean.every((value) => value === 0) && std.every((value) => value === 1);
}

/**
 * Lay the configured numbers out over the channels of an input.
 *
 * @param sampleDims shape of one sample in the model's layout, without the batch
 * @throws UserError if mean or std have neither one number nor one per channel, or a divisor is 0 or no number
 */
export function planNormalization(
  preprocess: PreprocessConfig,
  sampleDims: readonly number[],
  inputName: string,
): Normalization {
  const { scale, mean, std, layout } = preprocess;
  for (const [key, values] of [
    ['scale', [scale]],
    ['mean', mean],
    ['std', std],
  ] as const) {
    const isUsable = values.every((value) => Number.isFinite(value) && (value !== 0 || key === 'mean'));
    if (!isUsable)
      throw new UserError({
        what: `data.preprocess.${key} is ${values.join(', ')}`,
        fix: 'use finite numbers, and no 0 to divide by',
      });
  }
  // Without numbers per channel no channel axis is needed, and any shape will do.
  const isPerChannel = mean.length > 1 || std.length > 1;
  const axis = layout === 'nchw' ? 0 : sampleDims.length - 1;
  const channelCount = isPerChannel ? (sampleDims[axis] ?? 1) : 1;
  const channelStride = sampleDims.slice(isPerChannel ? axis + 1 : 0).reduce((product, dim) => product * dim, 1);
  return {
    isIdentity: isIdentity(preprocess),
    scale,
    mean: perChannel('mean', mean, channelCount, inputName, layout),
    std: perChannel('std', std, channelCount, inputName, layout),
    channelCount,
    channelStride,
  };
}

function perChannel(key: string, values: readonly number[], channelCount: number, inputName: string, layout: string) {
  if (values.length === 1) return Array.from({ length: channelCount }, () => values[0]!);
  if (values.length === channelCount) return values;
  const channels = `input '${inputName}' has ${channelCount} channels in layout ${layout}`;
  throw new UserError({
    what: `data.preprocess.${key} has ${values.length} numbers, but ${channels}`,
    fix: `give one number, or ${channelCount}`,
  });
}

/** Writes one sample of pixels to `target` at `offset`. */
export type WritePixels = (pixels: Uint8Array, target: FloatFeed, offset: number) => void;

/**
 * Prepares the 256 values of each channel once, so that a pixel costs a lookup.
 *
 * @throws UserError if a pixel would become a number that the input's type cannot hold
 */
export function pixelWriter(plan: Normalization, input: FloatInput): WritePixels {
  const tables = plan.mean.map((_, channel) =>
    Float64Array.from({ length: 256 }, (_, pixel) => normalize(plan, pixel, channel)),
  );
  for (const table of tables) checkRange(table, input);
  return (pixels, target, offset) => {
    forEachRun(plan, pixels.length, (channel, start, end) => {
      const table = tables[channel]!;
      for (let i = start; i < end; i++) target[offset + i] = table[pixels[i]!]!;
    });
  };
}

function checkRange(table: Float64Array, { name, elementType }: FloatInput): void {
  const pixel = table.findIndex((value) => !(Math.abs(value) <= LARGEST_FINITE[elementType]));
  if (pixel < 0) return;
  throw new UserError({
    what: `data.preprocess turns pixel ${pixel} into ${table[pixel]}, but input '${name}' takes finite ${elementType}`,
    fix: 'check data.preprocess.scale, mean and std',
  });
}

/** Writes one sample of numbers to `target` at `offset`. */
export function writeNumbers(plan: Normalization, values: FloatFeed, target: FloatFeed, offset: number): void {
  if (plan.isIdentity) {
    target.set(values, offset);
    return;
  }
  forEachRun(plan, values.length, (channel, start, end) => {
    for (let i = start; i < end; i++) target[offset + i] = normalize(plan, values[i]!, channel);
  });
}

function normalize({ scale, mean, std }: Normalization, value: number, channel: number): number {
  return (value / scale - mean[channel]!) / std[channel]!;
}

/** Visits the stretches of a sample that lie in one channel. */
function forEachRun(
  { channelCount, channelStride }: Normalization,
  length: number,
  visit: (channel: number, start: number, end: number) => void,
): void {
  for (let start = 0, run = 0; start < length; start += channelStride, run++) {
    visit(run % channelCount, start, start + channelStride);
  }
}
