import { describe, expect, it } from 'vitest';
import type { PreprocessConfig } from '../../src/config/config.ts';
import { openSampleSet } from '../../src/dataset/open-sample-set.ts';
import type { InputSpec, SampleSet } from '../../src/dataset/sample-set.ts';
import { UserError } from '../../src/errors.ts';
import { fixture } from './fixtures.ts';
import { memoryFiles } from './memory-files.ts';
import { npy, npyFile } from './npy-bytes.ts';
import { inputOf, preprocess } from './preprocess.ts';
import { npz } from './zip-bytes.ts';

const IMAGES = npy('|u1', [2, 1, 2, 2], Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 255));
const OTHERS = npy('|u1', [2, 1, 2, 2], new Uint8Array(8));
const LABELS = npy('<i8', [2], BigInt64Array.of(7n, 0n));
const X = inputOf([1, 2, 2]);

function open(
  file: Uint8Array,
  inputs: readonly InputSpec[] = [X],
  steps: PreprocessConfig = preprocess(),
  path = '/d/data.npz',
): Promise<SampleSet> {
  return openSampleSet({ path }, inputs, steps, memoryFiles({ [path]: file }));
}

async function messageOf(opening: Promise<SampleSet>): Promise<string> {
  const error = await opening.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (error instanceof UserError) return error.message;
  throw error ?? new Error('opened without an error');
}

describe('openSampleSet, which array feeds which input', () => {
  it.each([
    ['named like the input', { x: IMAGES, images: OTHERS, labels: LABELS }],
    ['named images', { other: OTHERS, images: IMAGES, labels: LABELS }],
    ['the only one besides labels', { pictures: IMAGES, labels: LABELS }],
  ])('openSampleSet: an array %s', async (_, arrays) => {
    for (const isDeflated of [false, true]) {
      const set = await open(npz(arrays, isDeflated));
      expect(set.sampleCount).toBe(2);
      expect(set.labels).toEqual(Int32Array.of(7, 0));
      expect(set.sampleNames).toBeUndefined();
      const { x } = await set.read([1]);
      expect(x).toEqual({ elementType: 'float32', dims: [1, 1, 2, 2], data: Float32Array.of(4, 5, 6, 255) });
    }
  });

  it('openSampleSet: several inputs each take the array of their name', async () => {
    const inputs = [inputOf([3], { name: 'tokens', elementType: 'int64' }), inputOf([], { name: 'scale' })];
    const tokens = npy('<i8', [2, 3], BigInt64Array.of(1n, 2n, 3n, 4n, 5n, 6n));
    const scale = npy('<f8', [2], Float64Array.of(0.5, 0.25));
    const set = await open(npz({ scale, tokens }), inputs);
    expect(set.labels).toBeUndefined();
    expect(await set.read([1, 0, 1])).toEqual({
      tokens: { elementType: 'int64', dims: [3, 3], data: BigInt64Array.of(4n, 5n, 6n, 1n, 2n, 3n, 4n, 5n, 6n) },
      scale: { elementType: 'float32', dims: [3], data: Float32Array.of(0.25, 0.5, 0.25) },
    });
  });

  it('openSampleSet: an input may be named labels', async () => {
    const set = await open(npz({ labels: IMAGES }), [inputOf([1, 2, 2], { name: 'labels' })]);
    expect([set.sampleCount, set.labels]).toEqual([2, undefined]);
  });

  it('openSampleSet: a .npy file is the one input, without labels', async () => {
    const set = await open(IMAGES, [X], preprocess(), '/d/DATA.NPY');
    expect([set.sampleCount, set.labels]).toEqual([2, undefined]);
    expect((await set.read([0])).x!.data).toEqual(Float32Array.of(0, 1, 2, 3));
  });

  it.each([
    ['stored.npz', [3, 2, 2], Float32Array.of(12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23), [7, 9]],
    ['compressed.npz', [3], Float32Array.of(0.75, 1, 1.25), [1, 0]],
  ])('openSampleSet: %s as NumPy wrote it', async (name, dims, second, labels) => {
    const set = await open(fixture(name), [inputOf(dims)]);
    expect((await set.read([1])).x!.data).toEqual(second);
    expect(set.labels).toEqual(Int32Array.from(labels));
  });

  it.each([
    [
      npz({ a: IMAGES, b: OTHERS, labels: LABELS }),
      [X],
      "/d/data.npz: there is no array for the model's input 'x'; the file holds 'a', 'b', 'labels'\n" +
        "  fix: name the array 'x' or 'images'",
    ],
    [
      npz({ labels: LABELS }),
      [X],
      "/d/data.npz: there is no array for the model's input 'x'; the file holds 'labels'\n" +
        "  fix: name the array 'x' or 'images'",
    ],
    [
      npz({ images: IMAGES, x: IMAGES }),
      [X, inputOf([1], { name: 'y' })],
      "/d/data.npz: there is no array for the model's input 'y'; the file holds 'images', 'x'\n" +
        "  fix: save an array named 'y'",
    ],
    [
      npz(Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`array${index}`, IMAGES]))),
      [X],
      "/d/data.npz: there is no array for the model's input 'x'; the file holds 'array0', 'array1', 'array2', 'array3', " +
        "'array4', 'array5', 'array6', 'array7', 'array8', 'array9' and 2 more\n  fix: name the array 'x' or 'images'",
    ],
  ])('openSampleSet: a missing array is named, with those that are there (%#)', async (file, inputs, message) => {
    expect(await messageOf(open(file, inputs))).toBe(message);
  });

  it('openSampleSet: a .npy file cannot feed several inputs', async () => {
    const inputs = [X, inputOf([1], { name: 'y' })];
    expect(await messageOf(open(IMAGES, inputs, preprocess(), '/d/a.npy'))).toBe(
      "/d/a.npy: a .npy file holds one array, but the model has 2 inputs: 'x', 'y'\n" +
        '  fix: save a .npz file with one array per input, named like the inputs',
    );
  });

  it('openSampleSet: an array that is not needed is not read, whatever it holds', async () => {
    const objects = npyFile({ descr: "'|O'", shape: '(1,)', data: Buffer.from('pickle') });
    expect((await open(npz({ x: IMAGES, objects }))).sampleCount).toBe(2);
    expect(await messageOf(open(npz({ x: objects })))).toMatch(
      /^\/d\/data\.npz: array 'x' has a data type that is not read: '\|O'; expected one of bool, uint8,/,
    );
  });
});

describe('openSampleSet, where the data are', () => {
  it.each([
    ['/d/other.npz', 'there is no such file or folder\n  fix: paths are relative to the config file'],
    [
      '/d/data.csv',
      'the data are in no format that is read\n  fix: give a .npz file, a .npy file or a folder of pictures',
    ],
    ['/d/npz', 'the data are in no format that is read\n  fix: give a .npz file, a .npy file or a folder of pictures'],
  ])('openSampleSet: %s', async (path, message) => {
    const files = memoryFiles({ '/d/data.csv': IMAGES, '/d/npz': IMAGES });
    expect(await messageOf(openSampleSet({ path }, [X], preprocess(), files))).toBe(`${path}: ${message}`);
  });

  it('openSampleSet: a file that cannot be read names its path and the reason', async () => {
    const refuse = async () => {
      throw new Error('permission denied');
    };
    const files = { ...memoryFiles({ '/d/data.npz': IMAGES }), readFile: refuse };
    expect(await messageOf(openSampleSet({ path: '/d/data.npz' }, [X], preprocess(), files))).toBe(
      '/d/data.npz: cannot be read: permission denied',
    );
  });

  it('openSampleSet: an error that already says where stays as it is', async () => {
    const refuse = async () => {
      throw new UserError({ what: 'too large', where: '/d/data.npz', fix: 'split it' });
    };
    const files = { ...memoryFiles({ '/d/data.npz': IMAGES }), readFile: refuse };
    expect(await messageOf(openSampleSet({ path: '/d/data.npz' }, [X], preprocess(), files))).toBe(
      '/d/data.npz: too large\n  fix: split it',
    );
  });

  it.each([
    ['no archive', IMAGES, 'the file is truncated, or no zip archive: its directory is missing'],
    [
      'a cut archive',
      npz({ x: IMAGES }).subarray(0, 100),
      'the file is truncated, or no zip archive: its directory is missing',
    ],
    [
      'a cut array',
      npz({ x: IMAGES.subarray(0, 130) }),
      "array 'x' is truncated: uint8 [2, 1, 2, 2] takes 8 bytes, 2 are there",
    ],
  ])('openSampleSet: %s is refused', async (_, file, message) => {
    expect(await messageOf(open(file))).toBe(
      `/d/data.npz: ${message}\n  fix: save it again with numpy.savez, or fetch it again if it was cut short`,
    );
  });

  it('openSampleSet: an archive without arrays is refused', async () => {
    expect(await messageOf(open(npz({})))).toBe(
      '/d/data.npz: the file holds no .npy arrays\n  fix: save it with numpy.savez',
    );
  });

  it('openSampleSet: all arrays together stay below the limit', async () => {
    const file = npz({ x: IMAGES, y: OTHERS }, true);
    const inputs = [X, inputOf([1, 2, 2], { name: 'y' })];
    const files = memoryFiles({ '/d/data.npz': file });
    const openWith = (arraySizeBytes: number) =>
      openSampleSet({ path: '/d/data.npz' }, inputs, preprocess(), files, { arraySizeBytes });
    expect((await openWith(IMAGES.length + OTHERS.length)).sampleCount).toBe(2);
    expect(await messageOf(openWith(IMAGES.length + OTHERS.length - 1))).toBe(
      "/d/data.npz: array 'y' declares 136 bytes, more than the limit of 135\n" +
        '  fix: save it again with numpy.savez, or fetch it again if it was cut short',
    );
  });

  it('openSampleSet: a model without inputs takes no data', async () => {
    expect(await messageOf(open(npz({ x: IMAGES }), []))).toBe(
      '/d/data.npz: the model has no inputs that samples could feed',
    );
  });
});

describe('openSampleSet, what an input takes of an array', () => {
  it.each([
    ['float16', '<f2', Uint16Array.of(0x3800, 0xc000)],
    ['float32', '<f4', Float32Array.of(0.5, -2)],
    ['float64', '<f8', Float64Array.of(0.5, -2)],
    ['float64 in big-endian order', '>f8', new Uint8Array(Float64Array.of(-2, 0.5).buffer).reverse()],
  ])('openSampleSet: every float input takes %s', async (_, descr, data) => {
    const file = npz({ x: npy(descr, [2], data) });
    const read = async (elementType: 'float16' | 'float32' | 'float64') =>
      (await (await open(file, [inputOf([], { elementType })])).read([0, 1])).x;
    expect(await read('float16')).toEqual({ elementType: 'float16', dims: [2], data: Uint16Array.of(0x3800, 0xc000) });
    expect(await read('float32')).toEqual({ elementType: 'float32', dims: [2], data: Float32Array.of(0.5, -2) });
    expect(await read('float64')).toEqual({ elementType: 'float64', dims: [2], data: Float64Array.of(0.5, -2) });
  });

  it('openSampleSet: float64 is not rounded on its way to a float64 input', async () => {
    const set = await open(npz({ x: npy('<f8', [1], Float64Array.of(1 / 3)) }), [
      inputOf([], { elementType: 'float64' }),
    ]);
    expect((await set.read([0])).x!.data).toEqual(Float64Array.of(1 / 3));
  });

  it.each([
    ['uint8', '|u1', Uint8Array.of(3, 255)],
    ['int8', '|i1', Int8Array.of(-3, 127)],
    ['int32', '<i4', Int32Array.of(-3, 2 ** 30)],
    ['int64', '<i8', BigInt64Array.of(-3n, 2n ** 62n)],
    ['bool', '|b1', Uint8Array.of(1, 0)],
  ] as const)('openSampleSet: %s is fed as it is', async (elementType, descr, data) => {
    const set = await open(npz({ x: npy(descr, [2], data) }), [inputOf([], { elementType })]);
    expect((await set.read([1, 0])).x).toEqual({ elementType, dims: [2], data: data.slice().reverse() });
  });

  it('openSampleSet: pixels and floats are both preprocessed, per channel', async () => {
    const steps = preprocess({ scale: 2, mean: [1, 2], std: [4, 8] });
    const expected = Float32Array.of(-0.25, 0, -0.125, 0);
    for (const x of [
      npy('|u1', [1, 2, 2], Uint8Array.of(0, 2, 2, 4)),
      npy('<f4', [1, 2, 2], Float32Array.of(0, 2, 2, 4)),
      npy('<f2', [1, 2, 2], Uint16Array.of(0, 0x4000, 0x4000, 0x4400)),
    ]) {
      const set = await open(npz({ x }), [inputOf([2, 2])], steps);
      expect((await set.read([0])).x!.data).toEqual(expected);
    }
  });

  it('openSampleSet: free dims take what the array has', async () => {
    const set = await open(npz({ x: IMAGES }), [inputOf([1, undefined, undefined])]);
    expect((await set.read([0])).x!.dims).toEqual([1, 1, 2, 2]);
  });

  it("openSampleSet: the model's batch size does not restrict the number of samples", async () => {
    expect((await open(npz({ x: IMAGES }), [inputOf([1, 2, 2], { batch: 5 })])).sampleCount).toBe(2);
  });

  it.each([
    [
      npy('<i4', [2, 1, 2, 2], new Int32Array(8)),
      X,
      "array 'x' is int32, but input 'x' takes float32\n  fix: save it with array.astype('float32'), or pixels as uint8",
    ],
    [
      npy('|b1', [2, 1, 2, 2], new Uint8Array(8)),
      X,
      "array 'x' is bool, but input 'x' takes float32\n  fix: save it with array.astype('float32'), or pixels as uint8",
    ],
    [
      npy('<i4', [2], new Int32Array(2)),
      inputOf([], { elementType: 'int64' }),
      "array 'x' is int32, but input 'x' takes int64\n  fix: save it with array.astype('int64')",
    ],
    [
      IMAGES,
      inputOf([2, 2]),
      "array 'x' has shape [2, 1, 2, 2], but input 'x' takes [N, 2, 2]\n" +
        '  fix: save one sample per row of the first axis, in the shape that the model takes',
    ],
    [
      IMAGES,
      inputOf([1, 2, 3]),
      "array 'x' has shape [2, 1, 2, 2], but input 'x' takes [N, 1, 2, 3]\n" +
        '  fix: save one sample per row of the first axis, in the shape that the model takes',
    ],
    [
      npy('|u1', [1, 4, 5, 3], new Uint8Array(60)),
      inputOf([3, 4, 5]),
      "array 'x' has shape [1, 4, 5, 3], but input 'x' takes [N, 3, 4, 5]\n" +
        '  fix: the array is NHWC, the model NCHW: save array.transpose(0, 3, 1, 2)',
    ],
    [
      npy('|u1', [1, 3, 4, 5], new Uint8Array(60)),
      inputOf([undefined, undefined, 3]),
      "array 'x' has shape [1, 3, 4, 5], but input 'x' takes [N, ?, ?, 3]\n" +
        '  fix: the array is NCHW, the model NHWC: save array.transpose(0, 2, 3, 1)',
    ],
    [
      npy('|u1', [], Uint8Array.of(1)),
      inputOf([]),
      "array 'x' has shape [], but input 'x' takes [N]\n" +
        '  fix: save one sample per row of the first axis, in the shape that the model takes',
    ],
    [
      npy('|u1', [2, 0], new Uint8Array(0)),
      inputOf([undefined]),
      "array 'x' has shape [2, 0], but input 'x' takes [N, ?]\n" +
        '  fix: save one sample per row of the first axis, in the shape that the model takes',
    ],
    [npy('|u1', [0, 1, 2, 2], new Uint8Array(0)), X, "array 'x' has no samples"],
  ])('openSampleSet: an array that does not fit says what was found and expected (%#)', async (x, input, message) => {
    expect(await messageOf(open(npz({ x }), [input]))).toBe(`/d/data.npz: ${message}`);
  });

  it('openSampleSet: inputs have as many samples as each other', async () => {
    const file = npz({ x: IMAGES, y: npy('|u1', [3], new Uint8Array(3)) });
    expect(await messageOf(open(file, [X, inputOf([], { name: 'y' })]))).toBe(
      "/d/data.npz: array 'x' has 2 samples, array 'y' has 3\n  fix: save as many samples for every input",
    );
  });

  it('openSampleSet: preprocessing that an input of integers would not see is refused', async () => {
    const file = npz({ x: IMAGES });
    expect(
      await messageOf(open(file, [inputOf([1, 2, 2], { elementType: 'uint8' })], preprocess({ scale: 255 }))),
    ).toBe(
      "/d/data.npz: data.preprocess changes the values, but input 'x' takes uint8 as it is\n  fix: remove scale, mean and std",
    );
  });
});

describe('openSampleSet, numbers that are none', () => {
  const FIX = 'remove or repair the sample; numpy.isfinite(array) finds such values';

  it.each([
    ['NaN', '<f4', Float32Array.of(0, 1, 2, Number.NaN)],
    ['Infinity', '<f8', Float64Array.of(0, 1, 2, Number.POSITIVE_INFINITY)],
    ['-Infinity', '<f2', Uint16Array.of(0, 0, 0, 0xfc00)],
  ])('openSampleSet: %s in the data is refused, with its place', async (value, descr, data) => {
    expect(await messageOf(open(npz({ x: npy(descr, [2, 2], data) }), [inputOf([2])]))).toBe(
      `/d/data.npz: array 'x' has the value ${value} in sample 1 (element 1) after preprocessing, ` +
        `but input 'x' takes finite float32\n  fix: ${FIX}`,
    );
  });

  it.each([
    ['float16', '<f4', Float32Array.of(0, 65504), 65505],
    ['float32', '<f8', Float64Array.of(0, 3.4028234663852886e38), 3.5e38],
  ] as const)(
    'openSampleSet: a number beyond %s is refused, the largest one read',
    async (elementType, descr, data, tooLarge) => {
      const openWith = (x: typeof data) => open(npz({ x: npy(descr, [2], x) }), [inputOf([], { elementType })]);
      expect((await openWith(data)).sampleCount).toBe(2);
      expect(await messageOf(openWith(data.with(1, tooLarge)))).toBe(
        `/d/data.npz: array 'x' has the value ${tooLarge} in sample 1 (element 0) after preprocessing, ` +
          `but input 'x' takes finite ${elementType}\n  fix: ${FIX}`,
      );
    },
  );

  it('openSampleSet: a number that preprocessing makes too large is refused', async () => {
    const file = npz({ x: npy('<f8', [1], Float64Array.of(1e30)) });
    expect(await messageOf(open(file, [inputOf([])], preprocess({ scale: 1e-10 })))).toContain('has the value 1e+40');
  });
});
