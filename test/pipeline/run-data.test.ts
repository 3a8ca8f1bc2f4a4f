import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { GateReport } from '../../src/report/gate-report.ts';
import { greyPng } from '../dataset/png-bytes.ts';
import { bitgate } from './bitgate.ts';
import { firstByClass, type GlyphSamples, glyphsNpz, imageOf, imagesNpy, readGlyphs, SIDE } from './glyph-samples.ts';
import { newFolder, readResult, type Settings, writeConfig, writeTo } from './workspace.ts';

const CALIBRATION = firstByClass(readGlyphs('calibration'), 64);
const EVALUATION = firstByClass(readGlyphs('evaluation'), 128);

/** A run with all of these samples that has to end well. */
async function run(folder: string, calibration: string, evaluation: string, settings: Settings = {}) {
  const preprocess = { scale: 255, mean: 0.2, std: 0.25 };
  const data = { calibration: { path: calibration, samples: 64 }, evaluation: { path: evaluation }, preprocess };
  writeConfig(folder, { quantize: { bits: [2, 4] }, data, ...settings });
  const { exitCode, stderr } = await bitgate(['run'], folder);
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
  return { result: readResult(folder), artifact: readFileSync(join(folder, 'out/quantized.onnx')) };
}

function writeNpz(folder: string): void {
  writeTo(folder, 'calibration.npz', glyphsNpz(CALIBRATION));
  writeTo(folder, 'evaluation.npz', glyphsNpz(EVALUATION));
}

/** One folder per class. */
function writeImages(folder: string, name: string, { images, labels }: GlyphSamples): void {
  for (const [index, label] of labels.entries()) {
    const file = `${name}/${String(label).padStart(2, '0')}/${String(index).padStart(4, '0')}.png`;
    writeTo(folder, file, greyPng(SIDE, SIDE, imageOf(images, index)));
  }
}

/** What does not depend on how the samples are stored, or on the metric. */
function choiceOf({ allocation, sensitivity, solver, klToFloat, agreement }: GateReport) {
  const { seconds: _sweep, ...measured } = sensitivity;
  const { seconds: _solver, ...solved } = solver;
  return { allocation, measured, solved, klToFloat, agreement };
}

it('run: folders of pictures are the same samples as arrays of their pixels', async () => {
  const folder = newFolder();
  writeNpz(folder);
  writeImages(folder, 'calibration', CALIBRATION);
  writeImages(folder, 'evaluation', EVALUATION);
  const arrays = await run(folder, 'calibration.npz', 'evaluation.npz');
  const pictures = await run(folder, 'calibration', 'evaluation');
  expect(choiceOf(pictures.result)).toEqual(choiceOf(arrays.result));
  expect([pictures.result.float, pictures.result.quantized]).toEqual([arrays.result.float, arrays.result.quantized]);
  expect(arrays.result.float.value).toBeGreaterThan(0.9);
});

it('run: a .npy file without labels gives the same bytes, judged by the divergence alone', async () => {
  const folder = newFolder();
  writeNpz(folder);
  writeTo(folder, 'calibration.npy', imagesNpy(CALIBRATION));
  writeTo(folder, 'evaluation.npy', imagesNpy(EVALUATION));
  const arrays = await run(folder, 'calibration.npz', 'evaluation.npz');
  const alone = await run(folder, 'calibration.npy', 'evaluation.npy', { gate: { metric: 'kl', max: 5 } });
  expect(alone.artifact.equals(arrays.artifact)).toBe(true);
  expect(choiceOf(alone.result)).toEqual(choiceOf(arrays.result));
  expect(alone.result.quantized).toEqual({ metric: 'kl', value: arrays.result.klToFloat, samples: 128 });
});
