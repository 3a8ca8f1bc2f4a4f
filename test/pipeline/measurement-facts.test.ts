import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import schema from '../../schemas/config.v1.schema.json' with { type: 'json' };
import { explainKey, measurementKey } from '../../src/cache/measurement-key.ts';
import { nodeFiles } from '../../src/entry/files.ts';
import { readConfig } from '../../src/entry/read-config.ts';
import { measurementFacts } from '../../src/pipeline/measurement-facts.ts';
import { prepareRun } from '../../src/pipeline/prepare-run.ts';
import { createStageClock } from '../../src/pipeline/stage-clock.ts';
import { openOnnxruntimeSession } from '../../src/runtime/onnxruntime.ts';
import { createSolver } from '../../src/solver/create-solver.ts';
import { decodeModelProto, encodeModelProto } from '../../src/wire/model-proto.ts';
import { createFolder, EXAMPLE, removeFolder, type Settings, writeConfig, writeTo } from './workspace.ts';

const solver = createSolver({ workerFile: new URL('../../src/solver/highs-worker.ts', import.meta.url) });
afterAll(() => solver.close());

const EFFECTS = { files: nodeFiles, openSession: openOnnxruntimeSession, solve: solver.solve };

const HERE = { runtimeVersion: '1.30.0', device: 'cpu' };

/** Three batches are fitted to and one is kept for the choice. */
const data = { calibration: { path: join(EXAMPLE, 'data/calibration.npz'), samples: 256 } };
const BEFORE: Settings = { data, budget: { bits: 6 }, search: { 'time-limit': 60 } };

const SAME: readonly [string, Settings][] = [
  ['the budget', { budget: { size: '100 KB' } }],
  ['further limits', { constraints: [{ bops: '50%' }] }],
  ['limits', { gate: { metric: 'top5', min: 0.5, confidence: 0.9 } }],
  [
    'a command in the place of evaluation samples',
    { data: { ...data, evaluation: undefined }, gate: { metric: 'command' }, evaluate: { command: ['./a'] } },
  ],
  ['the evaluation set', { data: { ...data, evaluation: { path: join(EXAMPLE, 'data/evaluation.npz') } } }],
  ['the method', { sensitivity: { method: 'pairwise' } }],
  ['how much time there is', { sensitivity: { method: 'auto', 'time-limit': 3 } }],
  ['what becomes of the losses', { sensitivity: { transform: 'log1p', psd: false } }],
  ['the time of the search', { search: { 'time-limit': 1 } }],
  ['ties', { quantize: { tie: [['block1.*']] } }],
  ['the form of the file', { quantize: { format: 'qdq' }, budget: { bits: 8 } }],
  ['places', { output: 'elsewhere/q.onnx', report: 'elsewhere' }],
  ['memory', { 'memory-limit': '1 MB' }],
  ['the cache', { cache: 'local', 'cache-dir': 'c', 'cache-verify': 2 }],
];

const ANOTHER: readonly [string, Settings][] = [
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
];

let folder: string;

async function keyOf(changes: Settings = {}, device = HERE): Promise<string> {
  const path = writeConfig(folder, { ...BEFORE, ...changes });
  const config = await readConfig(path, { workingDirectory: folder }, nodeFiles);
  const run = await prepareRun(
    config,
    EFFECTS,
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

  it.each(SAME)('measurementFacts: %s changes nothing', async (_, changes) => {
    expect(await keyOf(changes)).toBe(before);
  });

  it.each(ANOTHER)('measurementFacts: %s are another measurement', async (_, changes) => {
    expect(await keyOf(changes)).not.toBe(before);
  });

  it('measurementFacts: activations, which need widths of their own, change nothing beside those', async () => {
    const quantize = { bits: [8], format: 'qdq' };
    const without = await keyOf({ quantize, budget: { bits: 8 } });
    const alike = await keyOf({ quantize: { ...quantize, activations: { range: 'mse' } }, budget: { bits: 8 } });
    expect(alike).toBe(without);
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

/** "quantize.bits" of { quantize: { bits: … } }, two levels deep. */
function settingsIn(cases: readonly [string, Settings][]): string[] {
  const paths = cases.flatMap(([, changes]) =>
    Object.entries(changes).flatMap(([key, value]) => [
      key,
      ...(typeof value === 'object' ? Object.keys(value!).map((below) => `${key}.${below}`) : []),
    ]),
  );
  return [...new Set(paths)];
}

const namedIn = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);

describe('explainKey', () => {
  const [table, ...sentences] = explainKey().split('\nNot in the key');
  const [changing, idle] = [namedIn(table!), namedIn(sentences.join('\n'))];
  /** What the tests above change in other ways, what leaves nothing to measure, and what is nothing but the cache itself. */
  const BESIDE = [
    'auto',
    'quantize.activations',
    'sensitivity.path',
    'quantize.allocation',
    'model',
    'seed',
    'device',
    'version',
    'cache',
    'cache-dir',
    'cache-verify',
  ];

  it('explainKey: every setting that it says is another measurement, is one, and the others are none', () => {
    const untested = (names: readonly string[], cases: readonly [string, Settings][]) =>
      names.filter((name) => !BESIDE.includes(name) && !settingsIn(cases).includes(name));
    expect([changing.length > 10, idle.length > 10]).toEqual([true, true]);
    expect(untested(changing, ANOTHER)).toEqual([]);
    expect(untested(idle, SAME)).toEqual([]);
  });

  it('explainKey: every key of the config is named', () => {
    const keys = Object.entries(schema.properties).flatMap(([key, node]) => {
      const below = 'properties' in node ? Object.keys(node.properties) : [];
      return below.length === 0 ? [key] : below.map((each) => `${key}.${each}`);
    });
    const isNamed = (key: string) =>
      [...BESIDE, ...changing, ...idle].some((name) => key === name || key.startsWith(`${name}.`));
    expect(keys.length).toBeGreaterThan(20);
    expect(
      keys.filter((key) => !isNamed(key)),
      'say it in src/cache/measurement-key.ts',
    ).toEqual([]);
  });
});
