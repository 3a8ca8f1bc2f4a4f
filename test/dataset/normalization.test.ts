import { describe, expect, it } from 'vitest';
import type { PreprocessConfig } from '../../src/config/config.ts';
import type { FloatInput } from '../../src/dataset/float-feed.ts';
import { isIdentity, pixelWriter, planNormalization, writeNumbers } from '../../src/dataset/normalization.ts';
import { inputOf, preprocess } from './preprocess.ts';

const FLOATS = inputOf([3, 2, 2]) as FloatInput;

const IMAGENET = { scale: 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/** One pixel after the other, with no run of a channel and no table. */
function normalizeSlowly(values: ArrayLike<number>, dims: readonly number[], steps: PreprocessConfig): number[] {
  const [channels, inner] = steps.layout === 'nchw' ? [dims[0]!, values.length / dims[0]!] : [dims.at(-1)!, 1];
  return Array.from(values, (value, index) => {
    const channel = Math.floor(index / inner) % channels;
    const pick = (list: readonly number[]) => list[list.length === 1 ? 0 : channel]!;
    return (value / steps.scale - pick(steps.mean)) / pick(steps.std);
  });
}

describe('isIdentity', () => {
  it.each([
    [{}, true],
    [{ mean: [0, 0, 0], std: [1, 1, 1] }, true],
    [{ scale: 255 }, false],
    [{ mean: [0, 0.1, 0] }, false],
    [{ std: [2] }, false],
  ])('isIdentity: %j is %s', (changes, expected) => {
    expect(isIdentity(preprocess(changes))).toBe(expected);
  });
});

describe('pixelWriter and writeNumbers', () => {
  it('pixelWriter: value = (pixel / scale − mean) / std, by hand', () => {
    const steps = preprocess({ scale: 255, mean: [0.5], std: [0.25] });
    const target = new Float32Array(5).fill(9);
    pixelWriter(planNormalization(steps, [3], 'x'), FLOATS)(Uint8Array.of(0, 51, 255), target, 1);
    expect(Array.from(target)).toEqual([9, -2, Math.fround(-1.2), 2, 9]);
  });

  it('pixelWriter: (pixel − 127) / 128, written as a mean and a std of pixels', () => {
    const target = new Float32Array(2);
    const steps = preprocess({ mean: [127], std: [128] });
    pixelWriter(planNormalization(steps, [2], 'x'), FLOATS)(Uint8Array.of(0, 255), target, 0);
    expect(Array.from(target)).toEqual([-127 / 128, 1]);
  });

  it.each([
    ['nchw', [3, 4, 5], IMAGENET],
    ['nhwc', [4, 5, 3], IMAGENET],
    ['nchw', [3, 4, 5], { ...IMAGENET, mean: [0.4] }],
    ['nhwc', [4, 5, 3], { scale: 127.5, mean: [1], std: [1] }],
    ['nchw', [2, 30], { mean: [1, 2], std: [3, 4] }],
    ['nhwc', [60], { mean: [3], std: [2] }],
  ] as const)(
    'pixelWriter and writeNumbers: %s %j is what one value after the other gives',
    (layout, dims, numbers) => {
      const steps = preprocess({ layout, ...numbers });
      const pixels = Uint8Array.from({ length: 60 }, (_, index) => (index * 83) & 255);
      const plan = planNormalization(steps, dims, 'x');
      const expected = Float64Array.from(normalizeSlowly(pixels, dims, steps));
      const [fromPixels, fromNumbers] = [new Float64Array(60), new Float64Array(60)];
      pixelWriter(plan, FLOATS)(pixels, fromPixels, 0);
      writeNumbers(plan, Float32Array.from(pixels), fromNumbers, 0);
      expect(fromPixels).toEqual(expected);
      expect(fromNumbers).toEqual(expected);
    },
  );

  it('writeNumbers: nothing to do copies, NaN included', () => {
    const target = new Float32Array(3);
    writeNumbers(planNormalization(preprocess(), [2], 'x'), Float32Array.of(Number.NaN, -0), target, 1);
    expect(target).toEqual(Float32Array.of(0, Number.NaN, -0));
  });

  it.each([
    [{ scale: 1e-3 }, 'float16', 'data.preprocess turns pixel 66 into 66000, but'],
    [{ scale: 1e-40 }, 'float32', 'data.preprocess turns pixel 1 into 1e+40, but'],
    [{ mean: [1e300], std: [1e-300] }, 'float64', 'data.preprocess turns pixel 0 into -Infinity, but'],
  ] as const)('pixelWriter: %j makes pixels that %s cannot hold', (changes, elementType, message) => {
    const input = inputOf([3], { elementType }) as FloatInput;
    const run = () => pixelWriter(planNormalization(preprocess(changes), [3], 'x'), input);
    expect(run).toThrow(
      `${message} input 'x' takes finite ${elementType}\n  fix: check data.preprocess.scale, mean and std`,
    );
  });
});

describe('planNormalization', () => {
  it.each([
    [{ scale: 0 }, 'data.preprocess.scale is 0'],
    [{ scale: Number.NaN }, 'data.preprocess.scale is NaN'],
    [{ mean: [0, Number.POSITIVE_INFINITY, 0] }, 'data.preprocess.mean is 0, Infinity, 0'],
    [{ std: [1, 0, 1] }, 'data.preprocess.std is 1, 0, 1'],
  ])('planNormalization: %j is refused', (changes, message) => {
    expect(() => planNormalization(preprocess(changes), [3, 2, 2], 'x')).toThrow(
      `${message}\n  fix: use finite numbers, and no 0 to divide by`,
    );
  });

  it.each([
    [{ mean: [1, 2] }, "data.preprocess.mean has 2 numbers, but input 'x' has 3 channels in layout nchw"],
    [{ std: [1, 2, 3, 4] }, "data.preprocess.std has 4 numbers, but input 'x' has 3 channels in layout nchw"],
    [
      { mean: [1, 2, 3], layout: 'nhwc' },
      "data.preprocess.mean has 3 numbers, but input 'x' has 2 channels in layout nhwc",
    ],
  ] as const)('planNormalization: %j does not fit the channels', (changes, message) => {
    expect(() => planNormalization(preprocess(changes), [3, 2, 2], 'x')).toThrow(message);
  });
});
