import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import resultSchema from '../../schemas/result.v1.schema.json' with { type: 'json' };
import { decodeFloat16 } from '../../src/float16.ts';
import { DATA_TYPE } from '../../src/onnx/data-type.ts';
import { floatTensor, readFloats } from '../../src/onnx/tensor-values.ts';
import { elementCount } from '../../src/tensor.ts';
import { decodeModelProto, encodeModelProto, type ModelProto, type TensorProto } from '../../src/wire/model-proto.ts';
import { relativeDifference, runModel, seededNumbers, value } from '../onnx/small-model.ts';
import { bitgate } from './bitgate.ts';
import { errorText, refusal } from './refusal.ts';
import { classifier, sampleFile } from './small-networks.ts';
import {
  createFolder,
  filesIn,
  newFolder,
  readResult,
  removeFolder,
  type Settings,
  writeConfig,
  writeTo,
} from './workspace.ts';

/** The classifier's layers. */
type Widths = { readonly w1: number | 'float'; readonly w2: number | 'float'; readonly w3: number | 'float' };

let calibration: Uint8Array;
let evaluation: Uint8Array;

beforeAll(async () => {
  calibration = await sampleFile(32, 100);
  evaluation = await sampleFile(64, 200);
});

/** A weight as training at a width leaves it: integers times a float32 scale of each output channel. */
function trainedWeight(name: string, dims: readonly number[], channelAxis: number, bitWidth: number): TensorProto {
  const next = seededNumbers(bitWidth * 7 + dims.length);
  const channelCount = dims[channelAxis]!;
  const scales = Array.from({ length: channelCount }, () => Math.fround(0.05 + 0.04 * next()));
  const half = 2 ** (bitWidth - 1);
  const inner = elementCount(dims.slice(channelAxis + 1));
  const values = Float32Array.from({ length: elementCount(dims) }, (_, index) => {
    return Math.floor((next() + 1) * half - half) * scales[Math.floor(index / inner) % channelCount]!;
  });
  return floatTensor(name, dims, values);
}

/** The classifier, BatchNormalization and all, whose weights were trained at these widths. */
function trained({ w1, w2, w3 }: Widths): ModelProto {
  const model = classifier();
  const weights = [
    trainedWeight('w1', [8, 3, 3, 3], 0, Number(w1)),
    trainedWeight('w2', [16, 8, 3, 3], 0, Number(w2)),
    trainedWeight('w3', [64, 5], 1, Number(w3)),
  ].filter(({ name }) => ({ w1, w2, w3 })[name as keyof Widths] !== 'float');
  const replaced = model.graph!.initializer.map((old) => weights.find(({ name }) => name === old.name) ?? old);
  return { ...model, graph: { ...model.graph!, initializer: replaced } };
}

/** A folder with the model, its samples, and an allocation. */
function place(model: ModelProto, allocation: unknown, changes: Settings = {}): string {
  const folder = newFolder();
  writeTo(folder, 'model.onnx', encodeModelProto(model));
  writeTo(folder, 'calibration.npz', calibration);
  writeTo(folder, 'evaluation.npz', evaluation);
  writeTo(folder, 'allocation.json', typeof allocation === 'string' ? allocation : JSON.stringify(allocation));
  const { quantize, ...others } = changes;
  writeConfig(folder, {
    model: 'model.onnx',
    data: {
      calibration: { path: 'calibration.npz', samples: 32 },
      evaluation: { path: 'evaluation.npz', samples: 64 },
      preprocess: {},
    },
    budget: undefined,
    quantize: { allocation: 'allocation.json', method: 'gptq', correct: 'affine', ...(quantize as object) },
    ...others,
  });
  return folder;
}

/** A run that has to end well. */
async function run(folder: string) {
  const { exitCode, stdout, stderr } = await bitgate(['run'], folder);
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
  const artifact = decodeModelProto(new Uint8Array(readFileSync(join(folder, 'out/quantized.onnx'))));
  return { stdout, artifact, result: readResult(folder) };
}

/** What onnxruntime makes of some values inside a model. */
async function valuesOf(model: ModelProto, names: readonly string[], x: Float32Array) {
  const output = [...names.map((name) => value(name, 'any')), ...model.graph!.output];
  const shown = { ...model, graph: { ...model.graph!, output } };
  return runModel(shown, { x: { elementType: 'float32', dims: [4, 3, 8, 8], data: x } });
}

describe('weights that lie on a grid', () => {
  const names = ['w1', 'w2', 'w3'] as const;

  for (const format of ['packed', 'qdq']) {
    it.each<Widths>([
      { w1: 2, w2: 3, w3: 4 },
      { w1: 8, w2: 2, w3: 3 },
      { w1: 4, w2: 8, w3: 2 },
      { w1: 4, w2: 'float', w3: 8 },
    ])(
      `allocation, ${format}: the trained weights of $w1, $w2 and $w3 bits come back bit for bit, and so do all outputs`,
      async (widths) => {
        const model = trained(widths);
        const { artifact, result } = await run(place(model, { version: 1, layers: widths }, { quantize: { format } }));
        const x = Float32Array.from({ length: 4 * 192 }, seededNumbers(5));
        const quantized = names.filter((name) => widths[name] !== 'float');
        const found = await valuesOf(artifact, quantized, x);
        for (const name of quantized) {
          const tensor = model.graph!.initializer.find((each) => each.name === name)!;
          expect(found[name]!.data, name).toEqual(readFloats(tensor, '').map((number) => number + 0));
        }
        const { scores } = await valuesOf(model, [], x);
        expect(relativeDifference({ scores: found.scores! }, { scores: scores! })).toBeLessThan(1e-6);
        // A runtime may fuse DequantizeLinear with what reads it, and then computes otherwise.
        if (format === 'packed') {
          expect(found.scores!.data).toEqual(scores!.data);
          expect(result).toMatchObject({ klToFloat: 0, agreement: 1, drop: 0 });
        }
        expect(result.allocation.map(({ bits }) => bits)).toEqual(
          names.map((name) => (widths[name] === 'float' ? 32 : widths[name])),
        );
        // Nothing was folded, and no bias was made for corrections.
        expect(artifact.graph!.node.some(({ opType }) => opType === 'BatchNormalization')).toBe(true);
      },
    );
  }

  it('allocation: a layer that is trained stays as it is beside one that is rounded and corrected', async () => {
    const model = trained({ w1: 'float', w2: 4, w3: 8 });
    const { artifact } = await run(place(model, { version: 1, layers: { w1: 3, w2: 4, w3: 8 } }));
    const x = Float32Array.from({ length: 4 * 192 }, seededNumbers(5));
    const found = await valuesOf(artifact, ['w2', 'w3'], x);
    const initializer = (name: string, { graph }: ModelProto) => graph!.initializer.find((each) => each.name === name)!;
    for (const name of ['w2', 'w3']) {
      expect(found[name]!.data).toEqual(readFloats(initializer(name, model), '').map((number) => number + 0));
    }
    // Its bias is not corrected either.
    expect(readFloats(initializer('b2', artifact), '')).toEqual(readFloats(initializer('b2', model), ''));
  });

  it('allocation: weights trained for another width are rounded as any other', async () => {
    const model = trained({ w1: 8, w2: 8, w3: 8 });
    const { result } = await run(place(model, { version: 1, layers: { w1: 2, w2: 3, w3: 4 } }));
    expect(result.klToFloat).toBeGreaterThan(0);
  });

  it('allocation: weights of float16 come back bit for bit', async () => {
    const half = (tensor: TensorProto) =>
      floatTensor(tensor.name ?? '', tensor.dims.map(Number), readFloats(tensor, ''), DATA_TYPE.float16);
    const base = classifier({ dataType: DATA_TYPE.float16 });
    const replaced = trained({ w1: 4, w2: 3, w3: 8 }).graph!.initializer;
    const initializer = base.graph!.initializer.map((old) =>
      /^w/.test(old.name ?? '') ? half(replaced.find(({ name }) => name === old.name)!) : old,
    );
    const model = { ...base, graph: { ...base.graph!, initializer } };
    const { artifact } = await run(place(model, { version: 1, layers: { w1: 4, w2: 3, w3: 8 } }));
    const output = ['w1', 'w2', 'w3'].map((name) => value(name, 'any', DATA_TYPE.float16));
    const shown = { ...artifact, graph: { ...artifact.graph!, output } };
    const found = await runModel(shown, {
      x: { elementType: 'float16', dims: [1, 3, 8, 8], data: new Uint16Array(192) },
    });
    for (const name of ['w1', 'w2', 'w3']) {
      const { data } = found[name]!;
      const bits = new Uint16Array((data as Uint16Array).buffer, (data as Uint16Array).byteOffset, data.length);
      const tensor = initializer.find((each) => each.name === name)!;
      expect(Float32Array.from(bits, decodeFloat16), name).toEqual(readFloats(tensor, '').map((number) => number + 0));
    }
  });
});

describe('an allocation from elsewhere', () => {
  it('allocation: nothing is measured nor searched, without a budget none is checked, and the report says where it is from', async () => {
    const widths = { w1: 4, w2: 3, w3: 8 };
    const folder = place(
      classifier(),
      { version: 1, layers: widths },
      { gate: { min: 0 }, search: { 'time-limit': 60 } },
    );
    const { stdout, result } = await run(folder);
    expect(result.allocation.map(({ layer, bits }) => [layer, bits])).toEqual(Object.entries(widths));
    expect(result.checks.map(({ name }) => name)).toEqual(['top1', 'non-finite outputs']);
    expect(result).not.toHaveProperty('budget');
    expect(result).not.toHaveProperty('selection');
    expect(result.sensitivity).toMatchObject({
      method: 'none',
      singles: 0,
      pairs: 0,
      forwardEquivalents: 0,
      cache: 'off',
    });
    expect(result.sensitivity.source!.path).toBe(join(folder, 'allocation.json'));
    expect(stdout).toMatch(/\n {2}sensitivities +none, the allocation is given by \S+allocation\.json\n/);
    expect(stdout).not.toContain('solver');
    expect(filesIn(folder)).not.toContain('report/sensitivities.json');
    const validate = new Ajv2020({ allErrors: true, allowUnionTypes: true, strictRequired: false }).compile(
      resultSchema,
    );
    validate(result);
    expect(validate.errors).toBeNull();
  });

  it('allocation: a budget that is kept is a check as ever, and one that is not is refused before any session', async () => {
    const allocation = { version: 1, layers: { w1: 4, w2: 3, w3: 8 } };
    const { result } = await run(place(classifier(), allocation, { budget: { bits: 5 } }));
    expect(result.checks[0]).toMatchObject({ name: 'mean width', limit: 5, passed: true });
    const bytes = result.artifact.sizeBytes;
    expect((await run(place(classifier(), allocation, { budget: { size: bytes } }))).result.passed).toBe(true);
    const fix = 'raise the budget, or give layers smaller widths: the width of each is fixed';
    expect(await refusal(place(classifier(), allocation, { budget: { size: bytes - 1 } }))).toEqual({
      sessionCount: 0,
      message: errorText([
        `bitgate.yml:6:9: the artifact takes ${bytes} bytes, more than the budget of ${bytes - 1} bytes`,
        fix,
      ]),
    });
    const { message } = await refusal(place(classifier(), allocation, { budget: { bits: 3 } }));
    expect(message).toMatch(/the artifact takes 4\.\d+ bits per weight, more than the budget of 3 bits per weight\n/);
  });

  it('allocation: the artifact says what it was made of by the content of the file, not by its place', async () => {
    const text = JSON.stringify({ version: 1, layers: { w1: 4, w2: 3, w3: 8 } });
    const bytesOf = async (allocation: string) => {
      const folder = place(classifier(), allocation);
      await run(folder);
      return readFileSync(join(folder, 'out/quantized.onnx'));
    };
    const first = await bytesOf(text);
    expect((await bytesOf(text)).equals(first)).toBe(true);
    expect((await bytesOf(`${text}\n`)).equals(first)).toBe(false);
  });

  it.each([[['solve']], [['pareto']], [['run', '--mode', 'plan', '--shards', '2']], [['run', '--mode', 'decide']]])(
    '%j: with an allocation there is nothing to choose',
    async (argv) => {
      const folder = place(classifier(), { version: 1, layers: { w1: 4, w2: 3, w3: 8 } });
      const { message, sessionCount } = await refusal(folder, argv);
      expect(message).toBe(
        errorText([
          '<folder>/bitgate.yml: `quantize.allocation` leaves nothing to choose: it gives every layer its width',
          'use `bitgate run`, or remove the allocation',
        ]),
      );
      expect(sessionCount).toBe(0);
    },
  );

  it('inspect: it says that nothing is measured', async () => {
    const folder = place(classifier(), { version: 1, layers: { w1: 4, w2: 3, w3: 8 } });
    const { exitCode, stdout } = await bitgate(['inspect'], folder);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('\nnothing is measured: the allocation is given\n');
    expect(stdout).toMatch(/\nno budget, the artifact takes \d+ bytes\n/);
  });
});

describe('the result of an earlier run as an allocation', () => {
  let folder: string;

  beforeAll(async () => {
    folder = createFolder();
    writeConfig(folder, { quantize: { bits: [2, 4], pin: { stem: 'float' } } });
    expect((await bitgate(['run'], folder)).exitCode).toBe(0);
  });

  afterAll(() => removeFolder(folder));

  it('allocation: a result.json gives the same widths, the same size and the same answers, in the qdq form as well', async () => {
    const before = readResult(folder);
    const again = newFolder();
    writeTo(again, 'result.json', readFileSync(join(folder, 'report/result.json')));
    for (const format of ['packed', 'qdq']) {
      writeConfig(again, { quantize: { allocation: 'result.json', format }, budget: { bits: 6 } });
      const { result } = await run(again);
      expect(result.allocation.map(({ layer, bits }) => [layer, bits])).toEqual(
        before.allocation.map(({ layer, bits }) => [layer, bits]),
      );
      expect(result.quantized).toEqual(before.quantized);
      if (format === 'packed') expect(result.artifact.sizeBytes).toBe(before.artifact.sizeBytes);
    }
  });

  it('allocation: a result of another model is refused by its hash, and one that is damaged by its fields', async () => {
    const again = newFolder();
    writeConfig(again, { quantize: { allocation: 'result.json' } });
    const result = readResult(folder);
    const sha256 = 'f'.repeat(64);
    writeTo(again, 'result.json', JSON.stringify({ ...result, model: { ...result.model, sha256 } }));
    const { message, sessionCount } = await refusal(again);
    expect(sessionCount).toBe(0);
    expect(message).toContain(
      `<folder>/result.json: the file is of another model: <example>/glyphs.onnx has the SHA-256 ${result.model.sha256}, and the file is for ${sha256}\n`,
    );
    writeTo(again, 'result.json', JSON.stringify({ ...result, allocation: [{ layer: 'stem', bits: 9 }] }));
    expect((await refusal(again)).message).toContain(
      '<folder>/result.json: `allocation[0].bits` is 9, expected one of 2, 3, 4, 5, 6, 7, 8, 16, 32\n',
    );
  });
});

describe('an allocation that cannot be used is refused before any session', () => {
  const SCHEMA = 'schemas/allocation.v1.schema.json describes the format';
  const NAMES = 'see `bitgate inspect` for the names of the layers';
  const MISSING = 'give these layers a width, or float to leave them as they are';

  it.each<[string, unknown, Settings, string, string]>([
    [
      'a width that is none',
      { version: 1, layers: { w1: 1, w2: 2, w3: 2 } },
      {},
      '`layers.w1` is 1, expected one of 2, 3, 4, 5, 6, 7, 8, float',
      SCHEMA,
    ],
    [
      'a width as text',
      { version: 1, layers: { w1: '4' } },
      {},
      '`layers.w1` is "4", expected one of 2, 3, 4, 5, 6, 7, 8, float',
      SCHEMA,
    ],
    [
      'no layers',
      { version: 1 },
      {},
      '`layers` is missing, expected a map from names to one of 2, 3, 4, 5, 6, 7, 8, float',
      SCHEMA,
    ],
    [
      'a stranger among the keys',
      { version: 1, layers: {}, bits: 3 },
      {},
      'unknown key `bits`, expected one of version, modelSha256, layers',
      SCHEMA,
    ],
    ['a list', [], {}, 'the file is an empty list, expected a map with the keys version, modelSha256, layers', SCHEMA],
    [
      'an unknown layer',
      { version: 1, layers: { w1: 2, w2: 2, w4: 2 } },
      {},
      "the allocation names 'w4', but no layer is called so; did you mean 'w1'?",
      NAMES,
    ],
    ['layers left out', { version: 1, layers: { w2: 2 } }, {}, "the allocation leaves out 'w1', 'w3'", MISSING],
    [
      'a contradicted pin',
      { version: 1, layers: { w1: 2, w2: 2, w3: 4 } },
      { quantize: { pin: { w1: 'float', 'w*': 4 } } },
      "the allocation contradicts the config: 'w1', which is float by quantize.pin and 2 bits here, 'w2', which is 4 bits by quantize.pin and 2 bits here",
      'change one of the two, or remove the pin',
    ],
  ])('allocation: %s', async (_, document, changes, what, fix) => {
    expect(await refusal(place(classifier(), document, changes))).toEqual({
      sessionCount: 0,
      message: errorText([`<folder>/allocation.json: ${what}`, fix]),
    });
  });

  it('allocation: no JSON, and no file', async () => {
    const folder = place(classifier(), 'w1: 2');
    expect((await refusal(folder)).message).toMatch(/^error: <folder>\/allocation\.json: no JSON: Unexpected token/);
    writeConfig(folder, { quantize: { allocation: 'none.json' } });
    expect((await refusal(folder)).message).toBe(
      errorText(['<folder>/none.json: the allocation is missing', 'check the path, which is relative to the config']),
    );
  });

  it('allocation: tied layers with different widths', async () => {
    const folder = place(
      classifier(),
      { version: 1, layers: { w1: 2, w2: 3, w3: 4 } },
      { quantize: { tie: [['w1', 'w2']] } },
    );
    expect((await refusal(folder)).message).toContain(
      'quantize.tie [w1, w2] holds layers that have no width in common, because their widths are fixed apart\n',
    );
  });

  it('allocation: layers that are pinned may be left out', async () => {
    const folder = place(
      classifier(),
      { version: 1, layers: { w1: 4, w2: 4 } },
      { quantize: { pin: { w3: 8, w1: 4 } } },
    );
    expect((await run(folder)).result.allocation.map(({ bits }) => bits)).toEqual([4, 4, 8]);
  });
});
