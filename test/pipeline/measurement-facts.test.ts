import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { measurementKey } from '../../src/cache/measurement-key.ts';
import { nodeFiles } from '../../src/entry/files.ts';
import { readConfig } from '../../src/entry/read-config.ts';
import { measurementFacts } from '../../src/pipeline/measurement-facts.ts';
import { prepareRun } from '../../src/pipeline/prepare-run.ts';
import { createStageClock } from '../../src/pipeline/stage-clock.ts';
import { decodeModelProto, encodeModelProto } from '../../src/wire/model-proto.ts';
import { createFolder, EXAMPLE, removeFolder, type Settings, writeConfig, writeTo } from './workspace.ts';

const HERE = { runtimeVersion: '1.30.0', device: 'cpu' };

/** Three batches are fitted to and one is kept for the choice. */
const data = { calibration: { path: join(EXAMPLE, 'data/calibration.npz'), samples: 256 } };
const BEFORE: Settings = { data, budget: { bits: 6 }, search: { 'time-limit': 60 } };

let folder: string;

async function keyOf(changes: Settings = {}, device = HERE): Promise<string> {
  const path = writeConfig(folder, { ...BEFORE, ...changes });
  const config = await readConfig(path, { workingDirectory: folder }, nodeFiles);
  const run = await prepareRun(
    config,
    nodeFiles,
    createStageClock(() => 0),
  );
  return measurementKey(await measurementFacts({ ...run, ...device, calibration: run.data.calibration }, config));
}

describe('measurementFacts', () => {
  let before: string;

  beforeAll(async () => {
    folder = createFolder();
    before = await keyOf();
  });

  afterAll(() => removeFolder(folder));

  it.each<[string, Settings]>([
    ['the budget', { budget: { size: '100 KB' } }],
    ['limits', { gate: { metric: 'top5', min: 0.5, confidence: 0.9 } }],
    ['the evaluation set', { data: { ...data, evaluation: { path: join(EXAMPLE, 'data/evaluation.npz') } } }],
    ['the method', { sensitivity: { method: 'pairwise' } }],
    ['what becomes of the losses', { sensitivity: { transform: 'log1p', psd: false } }],
    ['the time of the search', { search: { 'time-limit': 1 } }],
    ['ties', { quantize: { tie: [['block1.*']] } }],
    ['the form of the file', { quantize: { format: 'qdq' }, budget: { bits: 8 } }],
    ['places', { output: 'elsewhere/q.onnx', report: 'elsewhere' }],
    ['memory', { 'memory-limit': '1 MB' }],
    ['the cache', { cache: 'local', 'cache-dir': 'c', 'cache-verify': 2 }],
  ])('measurementFacts: %s changes nothing', async (_, changes) => {
    expect(await keyOf(changes)).toBe(before);
  });

  it.each<[string, Settings]>([
    ['fewer samples', { data: { calibration: { ...data.calibration, samples: 192 } } }],
    ['other samples', { seed: 1 }],
    ['no samples kept for the choice', { search: { 'time-limit': 0 } }],
    ['other preprocessing', { data: { ...data, preprocess: { scale: 255, mean: 0.2, std: 0.26 } } }],
    ['another way of rounding', { quantize: { method: 'gptq' } }],
    ['a correction', { quantize: { correct: 'bias' } }],
    ['another granularity', { quantize: { granularity: 'tensor' } }],
    ['other widths', { quantize: { bits: [2, 3, 4] } }],
    ['a pinned layer', { quantize: { pin: { head: 8 } } }],
    ['another loss', { sensitivity: { loss: 'mse' } }],
  ])('measurementFacts: %s are another measurement', async (_, changes) => {
    expect(await keyOf(changes)).not.toBe(before);
  });

  it('measurementFacts: the place of the model does not matter, its content does', async () => {
    copyFileSync(join(EXAMPLE, 'glyphs.onnx'), join(folder, 'm.onnx'));
    expect(await keyOf({ model: 'm.onnx' })).toBe(before);
    const proto = decodeModelProto(await nodeFiles.readFile(join(folder, 'm.onnx')));
    writeTo(folder, 'm.onnx', encodeModelProto({ ...proto, producerName: 'retrained' }));
    expect(await keyOf({ model: 'm.onnx' })).not.toBe(before);
  });

  it('measurementFacts: another device and another runtime are another measurement', async () => {
    expect(await keyOf({}, { ...HERE, device: 'cuda (NVIDIA T4)' })).not.toBe(before);
    expect(await keyOf({}, { ...HERE, runtimeVersion: '1.31.0' })).not.toBe(before);
  });
});
