import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { PreprocessConfig } from '../../src/config/config.ts';
import { decodeImage } from '../../src/dataset/image/decode-image.ts';
import { openSampleSet } from '../../src/dataset/open-sample-set.ts';
import type { InputSpec } from '../../src/dataset/sample-set.ts';
import { decodeFloat16 } from '../../src/float16.ts';
import { fixture, pixelFixture } from './fixtures.ts';
import { memoryFiles } from './memory-files.ts';
import { inputOf, preprocess } from './preprocess.ts';

const JPEG = fixture('444.jpg');
const PNG = fixture('png-2-8.png');
const FILES = { '/p/0/a.jpg': JPEG, '/p/0/b.png': PNG, '/p/5/c.png': JPEG };
const INPUT = inputOf([3, 21, 37]);

function open(input: InputSpec | readonly InputSpec[], steps: PreprocessConfig = preprocess(), files = FILES) {
  const inputs = Array.isArray(input) ? (input as readonly InputSpec[]) : [input as InputSpec];
  return openSampleSet({ path: '/p' }, inputs, steps, memoryFiles(files));
}

/** (pixel / scale − mean) / std of each channel of RGB pixels, in the order of the layout: slow and obvious. */
function expectedFeed(name: string, { scale, mean, std, channelOrder, layout }: PreprocessConfig): number[] {
  const { width, height, data } = pixelFixture(name);
  const channels = channelOrder === 'rgb' ? [0, 1, 2] : [2, 1, 0];
  const value = (pixel: number, place: number) =>
    Math.fround((data[3 * pixel + channels[place]!]! / scale - mean[place]!) / std[place]!);
  const pixels = Array.from({ length: width * height }, (_, pixel) => pixel);
  return layout === 'nchw'
    ? [0, 1, 2].flatMap((place) => pixels.map((pixel) => value(pixel, place)))
    : pixels.flatMap((pixel) => [0, 1, 2].map((place) => value(pixel, place)));
}

describe('openSampleSet, a folder of pictures', () => {
  it('openSampleSet: names and labels are those of the folder; the content decides over the format', async () => {
    const set = await open(INPUT);
    expect(set.sampleNames).toEqual(['0/a.jpg', '0/b.png', '5/c.png']);
    expect(set.labels).toEqual(Int32Array.of(0, 0, 5));
    expect([set.path, set.sampleCount]).toEqual(['/p', 3]);
    const { x } = await set.read([0, 2]);
    expect(x!.data.slice(0, 2331)).toEqual(x!.data.slice(2331));
  });

  it.each([
    ['nchw', 'rgb'],
    ['nchw', 'bgr'],
    ['nhwc', 'rgb'],
    ['nhwc', 'bgr'],
  ] as const)(
    'openSampleSet: %s %s, scaled; mean and std follow the order of the channels',
    async (layout, channelOrder) => {
      const steps = preprocess({ layout, channelOrder, scale: 255, mean: [0.1, 0.2, 0.3], std: [0.5, 0.25, 2] });
      const dims = layout === 'nchw' ? [3, 21, 37] : [21, 37, 3];
      const { x } = await (await open(inputOf(dims), steps)).read([1, 0]);
      expect(x!.dims).toEqual([2, ...dims]);
      const expected = [...expectedFeed('png-2-8.png', steps), ...expectedFeed('444.jpg', steps)];
      expect(x!.data).toEqual(Float32Array.from(expected));
    },
  );

  it('openSampleSet: an input of bytes gets the pixels', async () => {
    const { x } = await (
      await open(inputOf([21, 37, 3], { elementType: 'uint8' }), preprocess({ layout: 'nhwc' }))
    ).read([0]);
    expect(x).toEqual({ elementType: 'uint8', dims: [1, 21, 37, 3], data: decodeImage(JPEG).data });
  });

  it('openSampleSet: an input of half floats gets the nearest of them', async () => {
    const steps = preprocess({ scale: 255, mean: [0.5, 0.5, 0.5], std: [0.3, 0.3, 0.3] });
    const single = await (await open(INPUT, steps)).read([0]);
    const half = await (await open(inputOf([3, 21, 37], { elementType: 'float16' }), steps)).read([0]);
    for (const [index, bits] of (half.x!.data as Uint16Array).entries()) {
      const value = Number(single.x!.data[index]);
      expect(Math.abs(decodeFloat16(bits) - value)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -11);
    }
  });

  it('openSampleSet: a grey input gets one channel, pictures are resized to the size of the model', async () => {
    const { x } = await (await open(inputOf([1, 9, 14]))).read([0, 1, 2]);
    expect(x!.dims).toEqual([3, 1, 9, 14]);
  });

  it('openSampleSet: hashes are those of the chosen files', async () => {
    const set = await open(INPUT);
    const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
    expect(await set.contentHashes([2, 1])).toEqual([sha256(JPEG), sha256(PNG)]);
  });

  it('openSampleSet: a damaged picture is named when it is read', async () => {
    const set = await open(INPUT, preprocess(), { ...FILES, '/p/0/b.png': PNG.subarray(0, 100) });
    await expect(set.read([0, 1])).rejects.toThrow(
      '/p/0/b.png: the picture is truncated inside a chunk\n  fix: replace the file or remove it',
    );
  });

  it('openSampleSet: a picture that the configured steps make too small is named, with their fix', async () => {
    const set = await open(inputOf([3, 16, 16]), preprocess({ resize: 14 }));
    await expect(set.read([0])).rejects.toThrow(
      '/p/0/a.jpg: the picture is 24×14 pixels after resizing, but the model takes 16×16\n' +
        '  fix: set a larger data.preprocess.resize',
    );
  });

  it('openSampleSet: a file that vanished is named', async () => {
    const files = { ...FILES };
    const set = await open(INPUT, preprocess(), files);
    delete (files as Partial<typeof FILES>)['/p/0/a.jpg'];
    await expect(set.read([0])).rejects.toThrow("/p/0/a.jpg: cannot be read: ENOENT: no such file, open '/p/0/a.jpg'");
  });

  it.each([
    [
      [INPUT, inputOf([1], { name: 'y' })],
      {},
      '/p: the data are a folder of pictures, but the model has 2 inputs\n' +
        '  fix: give the data as a .npz file with one array per input',
    ],
    [
      inputOf([3, 21, 37], { elementType: 'int64' }),
      {},
      "input 'x' takes int64; pictures can be fed as floats or uint8\n  fix: give the data as a .npz file",
    ],
    [inputOf([10]), {}, "/p: input 'x' takes [N, 10], which is no picture\n  fix: give the data as a .npz file"],
    [
      INPUT,
      { mean: [1, 2] },
      "data.preprocess.mean has 2 numbers, but input 'x' has 3 channels in layout nchw\n  fix: give one number, or 3",
    ],
    [
      inputOf([3, 21, 37], { elementType: 'uint8' }),
      { scale: 255 },
      "/p: data.preprocess changes the values, but input 'x' takes uint8 as it is\n  fix: remove scale, mean and std",
    ],
  ])('openSampleSet: a model that takes no such pictures is refused (%#)', async (input, changes, message) => {
    await expect(open(input, preprocess(changes))).rejects.toThrow(new Error(message).message);
  });
});
