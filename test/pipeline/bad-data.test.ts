import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { npy } from '../dataset/npy-bytes.ts';
import { npz } from '../dataset/zip-bytes.ts';
import { firstByClass, glyphsNpz, imagesNpy, readGlyphs } from './glyph-samples.ts';
import { errorText, refusal } from './refusal.ts';
import { EXAMPLE, newFolder, type Settings, writeConfig, writeTo } from './workspace.ts';

const CALIBRATION = firstByClass(readGlyphs('calibration'), 64);
const EVALUATION = firstByClass(readGlyphs('evaluation'), 64);
const PATHS = { calibration: join(EXAMPLE, 'data/calibration.npz'), evaluation: join(EXAMPLE, 'data/evaluation.npz') };

type Role = keyof typeof PATHS;

/** Write a file of this name, and a config that takes it as one of the two sets. */
function useFile(role: Role, name: string, content: Uint8Array | string, settings: Settings = {}, count = 2): string {
  const folder = newFolder();
  writeTo(folder, name, content);
  const other = role === 'calibration' ? 'evaluation' : 'calibration';
  const data = { [role]: { path: name, samples: count }, [other]: { path: PATHS[other], samples: 64 } };
  writeConfig(folder, { ...settings, data });
  return folder;
}

describe('bad data', () => {
  it.each<[string, string, Uint8Array | string, string, string]>([
    [
      'channels last',
      'd.npz',
      npz({ images: npy('|u1', [64, 32, 32, 1], CALIBRATION.images) }),
      "array 'images' has shape [64, 32, 32, 1], but input 'images' takes [N, 1, 32, 32]",
      'the array is NHWC, the model NCHW: save array.transpose(0, 3, 1, 2)',
    ],
    [
      'another size',
      'd.npz',
      npz({ images: npy('|u1', [64, 1, 16, 64], CALIBRATION.images) }),
      "array 'images' has shape [64, 1, 16, 64], but input 'images' takes [N, 1, 32, 32]",
      'save one sample per row of the first axis, in the shape that the model takes',
    ],
    [
      'another type',
      'd.npz',
      npz({ images: npy('<i4', [2, 1, 32, 32], new Int32Array(2048)) }),
      "array 'images' is int32, but input 'images' takes float32",
      "save it with array.astype('float32'), or pixels as uint8",
    ],
    [
      'NaN',
      'd.npz',
      npz({ images: npy('<f4', [2, 1, 32, 32], new Float32Array(2048).fill(Number.NaN, 1500, 1501)) }),
      "array 'images' has the value NaN in sample 1 (element 476) after preprocessing, but input 'images' takes finite float32",
      'remove or repair the sample; numpy.isfinite(array) finds such values',
    ],
    [
      'an archive that was cut short',
      'd.npz',
      glyphsNpz(CALIBRATION).subarray(0, 3000),
      'the file is truncated, or no zip archive: its directory is missing',
      'save it again with numpy.savez, or fetch it again if it was cut short',
    ],
    [
      'a format that is not read',
      'd.csv',
      'pixel,pixel\n',
      'the data are in no format that is read',
      'give a .npz file, a .npy file or a folder of pictures',
    ],
  ])('run: calibration data with %s', async (_, name, content, what, fix) => {
    const { message, sessionCount } = await refusal(useFile('calibration', name, content));
    expect(message).toBe(errorText([`<folder>/${name}: ${what}`, fix]));
    expect(sessionCount).toBe(0);
  });

  it('run: a folder without pictures', async () => {
    const folder = newFolder();
    mkdirSync(join(folder, 'pictures'));
    writeConfig(folder, { data: { calibration: { path: 'pictures' } } });
    expect((await refusal(folder)).message).toBe(
      errorText([
        '<folder>/pictures: the folder has no pictures',
        'put .jpg, .jpeg or .png files into it, or into one sub-folder per class',
      ]),
    );
  });

  it('run: fewer samples than asked', async () => {
    const folder = useFile('evaluation', 'd.npz', glyphsNpz(EVALUATION), {}, 65);
    expect((await refusal(folder)).message).toBe(
      errorText(['<folder>/d.npz: there are 64 samples, but 65 are asked for', 'set samples to 64 or less']),
    );
  });
});

describe('calibration = evaluation data', () => {
  it('run: by the same path', async () => {
    const folder = newFolder();
    writeConfig(folder, { data: { evaluation: { path: PATHS.calibration } } });
    expect((await refusal(folder)).message).toMatch(
      /^error: bitgate\.yml:\d+:\d+: `data\.evaluation\.path` is the calibration data\n {2}fix: evaluate on samples that were not used to choose the bit-widths\n$/,
    );
  });

  it('run: by the same content under another name', async () => {
    const folder = newFolder();
    copyFileSync(PATHS.calibration, join(folder, 'copy.npz'));
    writeConfig(folder, { data: { evaluation: { path: 'copy.npz' } } });
    const { message, sessionCount } = await refusal(folder);
    expect(message).toMatch(
      /^error: <example>\/data\/calibration\.npz: calibration = evaluation data: 64 of 64 calibration samples are evaluation samples too, the first is sample \d+ of <example>\/data\/calibration\.npz = sample \d+ of <folder>\/copy\.npz\n {2}fix: take calibration samples from other data/,
    );
    expect(sessionCount).toBe(0);
  });
});

describe('bad labels', () => {
  const NUMBER_AS_MODEL = 'number the classes as the model does, from 0 on';
  const ADD_LABELS =
    "add an array 'labels' to the .npz file, or one sub-folder of pictures per class; or use kl, which needs none";

  /** The float model has run, to show its classes, and nothing else. */
  async function messageOf(folder: string): Promise<string> {
    const { message, sessionCount } = await refusal(folder);
    expect(sessionCount).toBe(1);
    return message;
  }

  it.each([
    ['evaluation', {}, EVALUATION, 16n],
    ['evaluation', {}, EVALUATION, -1n],
    ['calibration', { sensitivity: { loss: 'cross-entropy' } }, CALIBRATION, 16n],
  ] as const)('run: a label of the %s data out of range, settings %j', async (role, settings, samples, label) => {
    const labels = samples.labels.slice();
    labels[3] = label;
    const folder = useFile(role, 'd.npz', glyphsNpz({ ...samples, labels }), settings);
    expect(await messageOf(folder)).toBe(
      errorText([
        `<folder>/d.npz: the label of sample 3 is ${label}, but the model's classes are 0 to 15`,
        NUMBER_AS_MODEL,
      ]),
    );
  });

  it.each([
    ['evaluation', {}, EVALUATION],
    ['calibration', { sensitivity: { loss: 'cross-entropy' } }, CALIBRATION],
  ] as const)('run: %s data without the labels that %j needs', async (role, settings, samples) => {
    expect(await messageOf(useFile(role, 'd.npy', imagesNpy(samples), settings))).toBe(
      errorText(['<folder>/d.npy: the data have no labels, which the metric or the loss needs', ADD_LABELS]),
    );
  });
});
