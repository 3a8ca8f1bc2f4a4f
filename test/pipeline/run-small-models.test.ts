import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { DATA_TYPE } from '../../src/onnx/data-type.ts';
import type { GateReport } from '../../src/report/gate-report.ts';
import { decodeModelProto, encodeModelProto, type ModelProto, newMetadata } from '../../src/wire/model-proto.ts';
import { npy } from '../dataset/npy-bytes.ts';
import { npz } from '../dataset/zip-bytes.ts';
import {
  buildModel,
  floatInput,
  node,
  relativeDifference,
  runModel,
  seededFloats,
  value,
  weight,
} from '../onnx/small-model.ts';
import { bitgate } from './bitgate.ts';
import { classifier, detector, sampleFile } from './small-networks.ts';
import { newFolder, readResult, type Settings, writeConfig, writeTo } from './workspace.ts';

const CALIBRATION_COUNT = 64;
const EVALUATION_COUNT = 128;

let calibration: Uint8Array;
let evaluation: Uint8Array;

beforeAll(async () => {
  calibration = await sampleFile(CALIBRATION_COUNT, 100);
  evaluation = await sampleFile(EVALUATION_COUNT, 200);
});

type Ran = { readonly result: GateReport; readonly artifact: ModelProto; readonly folder: string };

/** A run on a model that has to end well. */
async function run(model: ModelProto, settings: Settings = {}, folder = newFolder()): Promise<Ran> {
  writeTo(folder, 'model.onnx', encodeModelProto(model));
  writeTo(folder, 'calibration.npz', calibration);
  writeTo(folder, 'evaluation.npz', evaluation);
  const data = {
    calibration: { path: 'calibration.npz', samples: CALIBRATION_COUNT },
    evaluation: { path: 'evaluation.npz' },
    preprocess: {},
  };
  writeConfig(folder, { model: 'model.onnx', data, budget: { bits: 4 }, quantize: { bits: [2, 4, 8] }, ...settings });
  const { exitCode, stderr } = await bitgate(['run'], folder);
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
  const artifact = decodeModelProto(new Uint8Array(readFileSync(join(folder, 'out/quantized.onnx'))));
  return { result: readResult(folder), artifact, folder };
}

const EIGHT_BITS: Settings = { budget: { bits: 8 }, quantize: { bits: [8] } };

describe('run on small models', () => {
  it('run: a model with BatchNormalization and a free batch keeps its answers at eight bits', async () => {
    const { result, artifact } = await run(classifier(), EIGHT_BITS);
    expect(result.float).toEqual({ metric: 'top1', value: 1, samples: EVALUATION_COUNT });
    expect(result.allocation.map(({ opType, bits }) => [opType, bits])).toEqual([
      ['Conv', 8],
      ['Conv', 8],
      ['Gemm', 8],
    ]);
    const feeds = { x: floatInput([16, 3, 8, 8], 300) };
    expect(relativeDifference(await runModel(artifact, feeds), await runModel(classifier(), feeds))).toBeLessThan(0.02);
  });

  it('run: a model that takes one sample at a time gives the same report as one with a free batch', async () => {
    const [free, single] = [await run(classifier()), await run(classifier({ batchSize: 1 }))];
    expect(single.result.speed!.batchSize).toBe(1);
    expect(single.result.float).toEqual(free.result.float);
    expect(single.result.quantized).toEqual(free.result.quantized);
    expect(single.result.allocation).toEqual(free.result.allocation);
  });

  it('run: a batch of five, which the samples do not divide into, counts every sample once', async () => {
    const { result } = await run(classifier({ batchSize: 5 }));
    expect(result.float).toEqual({ metric: 'top1', value: 1, samples: EVALUATION_COUNT });
    expect(result.sensitivity.samples).toBe(CALIBRATION_COUNT);
  });

  it('run: a model with two outputs is measured by loss mse and metric kl', async () => {
    const settings = { sensitivity: { loss: 'mse' }, gate: { metric: 'kl', max: 1 } };
    const { result, artifact } = await run(detector(), settings);
    expect(result.quantized).toMatchObject({ metric: 'kl', samples: EVALUATION_COUNT });
    expect(result.quantized.value).toBeGreaterThan(0);
    expect(result.allocation).toHaveLength(4);
    expect(artifact.graph!.output.map(({ name }) => name)).toEqual(['boxes', 'probabilities']);
  });

  it('run: of several outputs the gate reads the one that it names', async () => {
    const gate = { metric: 'top1', output: 'probabilities', 'max-drop': 0.5 };
    const { result } = await run(detector(), { sensitivity: { loss: 'mse' }, gate });
    expect(result.float).toEqual({ metric: 'top1', value: 1, samples: EVALUATION_COUNT });
  });

  it.each(['packed', 'qdq'])('run: weights in half precision, format %s', async (format) => {
    const quantize = { bits: [8], format };
    const { result, artifact } = await run(classifier({ dataType: DATA_TYPE.float16 }), { ...EIGHT_BITS, quantize });
    expect(result.float.value).toBeGreaterThan(0.95);
    expect(result.quantized.value).toBeGreaterThan(0.9);
    expect(artifact.graph!.input[0]!.type!.tensorType!.elemType).toBe(DATA_TYPE.float16);
  });

  it('run: a layer in half precision that stays float has 16 bits', async () => {
    const model = classifier({ dataType: DATA_TYPE.float16 });
    const { result } = await run(model, { budget: { bits: 12 }, quantize: { bits: [4], pin: { w1: 'float' } } });
    expect(result.allocation.map(({ bits }) => bits)).toEqual([16, 4, 4]);
  });

  it.each([
    ['packed', 7],
    ['packed', 9],
    ['qdq', 21],
  ])('run: a model of opset 7, format %s, gives an artifact of opset %d or as it was', async (format, opset) => {
    const original = opset === 21 ? 7 : opset;
    const model = classifier({ opset: original, irVersion: 4 });
    const { result, artifact } = await run(model, { ...EIGHT_BITS, quantize: { bits: [4], format } });
    expect(result.quantized.value).toBeGreaterThan(0.7);
    expect(artifact.opsetImport.find(({ domain }) => !domain)!.version).toBe(BigInt(opset));
  });

  it('run: a model with external data gives an artifact that needs none, and a share of the file counts all of it', async () => {
    const folder = newFolder();
    const model = classifier();
    const whole = await run(classifier(), { budget: { size: '40%' } });
    const large = model.graph!.initializer.find(({ name }) => name === 'w2')!;
    writeTo(folder, 'weights.bin', large.rawData!);
    delete large.rawData;
    large.dataLocation = 1;
    large.externalData = [newMetadata('location', 'weights.bin')];
    const { result, artifact } = await run(model, { budget: { size: '40%' } }, folder);
    expect(artifact.graph!.initializer.every(({ externalData }) => externalData.length === 0)).toBe(true);
    expect(result.allocation).toEqual(whole.result.allocation);
    expect(result.quantized).toEqual(whole.result.quantized);
  });

  it('run: a model with two inputs is fed from the arrays that are named like them', async () => {
    const parts = {
      nodes: [node('MatMul', ['a', 'v'], ['h']), node('MatMul', ['b', 'w'], ['g']), node('Add', ['h', 'g'], ['y'])],
      initializers: [weight('v', [4, 3], 1), weight('w', [5, 3], 2)],
      inputs: [value('a', ['N', 4]), value('b', ['N', 5])],
      outputs: [value('y', ['N', 3])],
    };
    const folder = newFolder();
    const arrays = (seed: number) => ({
      a: npy('<f4', [64, 4], seededFloats(256, seed)),
      b: npy('<f4', [64, 5], seededFloats(320, seed + 1)),
    });
    writeTo(folder, 'two-a.npz', npz(arrays(10)));
    writeTo(folder, 'two-b.npz', npz(arrays(20)));
    const data = { calibration: { path: 'two-a.npz', samples: 64 }, evaluation: { path: 'two-b.npz' }, preprocess: {} };
    const { artifact } = await run(buildModel(parts), { ...EIGHT_BITS, data, gate: { metric: 'kl' } }, folder);
    const feeds = { a: floatInput([16, 4], 300), b: floatInput([16, 5], 301) };
    expect(relativeDifference(await runModel(artifact, feeds), await runModel(buildModel(parts), feeds))).toBeLessThan(
      0.02,
    );
  });
});
