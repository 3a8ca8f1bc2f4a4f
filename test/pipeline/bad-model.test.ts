import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { DATA_TYPE } from '../../src/onnx/data-type.ts';
import { floatTensor } from '../../src/onnx/tensor-values.ts';
import { elementCount } from '../../src/tensor.ts';
import { encodeModelProto, type ModelProto, newNode } from '../../src/wire/model-proto.ts';
import { attribute, buildModel, node, value, weight } from '../onnx/small-model.ts';
import { bitgate } from './bitgate.ts';
import { errorText, refusal } from './refusal.ts';
import { classifier, detector, sampleFile } from './small-networks.ts';
import { EXAMPLE, newFolder, type Settings, writeConfig, writeTo } from './workspace.ts';

let calibration: Uint8Array;
let evaluation: Uint8Array;

beforeAll(async () => {
  calibration = await sampleFile(64, 100);
  evaluation = await sampleFile(64, 200);
});

/** A folder with a model, samples for it and a config. */
function folderWith(model: ModelProto | Uint8Array | string, settings: Settings = {}): string {
  const folder = newFolder();
  writeTo(folder, 'm.onnx', typeof model === 'string' || model instanceof Uint8Array ? model : encodeModelProto(model));
  writeTo(folder, 'c.npz', calibration);
  writeTo(folder, 'e.npz', evaluation);
  const data = { calibration: { path: 'c.npz', samples: 64 }, evaluation: { path: 'e.npz' }, preprocess: {} };
  writeConfig(folder, { model: 'm.onnx', data, budget: { bits: 4 }, quantize: { bits: [2, 4, 8] }, ...settings });
  return folder;
}

/** The classifier with one initializer's numbers replaced. */
function classifierWith(name: string, change: (values: Float32Array) => void): ModelProto {
  const model = classifier();
  const tensor = model.graph!.initializer.find((initializer) => initializer.name === name)!;
  const dims = tensor.dims.map(Number);
  const values = new Float32Array(elementCount(dims)).fill(0.5);
  change(values);
  Object.assign(tensor, floatTensor(name, dims, values));
  return model;
}

/** The classifier with one more node before its output. */
function classifierThen(opType: string, domain = ''): ModelProto {
  const model = classifier();
  model.graph!.node.push(newNode({ opType, domain, name: 'last', input: ['scores'], output: ['end'] }));
  model.graph!.output[0]!.name = 'end';
  return model;
}

describe('bad model', () => {
  const GLYPHS = new Uint8Array(readFileSync(join(EXAMPLE, 'glyphs.onnx')));

  it.each<[string, Uint8Array | string, string]>([
    ['cut in half', GLYPHS.subarray(0, 200_000), '(200000 bytes): premature EOF'],
    ['without its last byte', GLYPHS.subarray(0, GLYPHS.length - 1), `(${GLYPHS.length - 1} bytes): premature EOF`],
    ['of other content', 'hello, this is no model at all', '(30 bytes): '],
    ['without content', '', '(0 bytes): it holds no graph with nodes'],
  ])('run: a file %s', async (_, content, what) => {
    const { message, sessionCount } = await refusal(folderWith(content));
    expect(message).toMatch(
      /^error: <folder>\/m\.onnx: .*\n {2}fix: export the model again, and check that the file was copied whole\n$/,
    );
    expect(message).toContain(`m.onnx: this is not a complete ONNX model ${what}`);
    expect(sessionCount).toBe(0);
  });

  it('run: a pointer of Git LFS', async () => {
    const { message } = await refusal(folderWith('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n'));
    expect(message).toBe(
      errorText([
        '<folder>/m.onnx: this is a Git LFS pointer, not the model itself',
        'run "git lfs pull"; in a workflow, set "lfs: true" for actions/checkout',
      ]),
    );
  });

  it('run: a folder where the model should be', async () => {
    const folder = newFolder();
    mkdirSync(join(folder, 'm.onnx'));
    writeConfig(folder, { model: 'm.onnx' });
    expect((await refusal(folder)).message).toContain(
      'm.onnx: the model is a folder, expected a file\n  fix: check the path',
    );
  });

  it.each([6, 99])('run: opset %d', async (opset) => {
    const { message, sessionCount } = await refusal(folderWith(classifier({ opset })));
    expect(message).toBe(
      errorText([
        `<folder>/m.onnx: the model uses opset ${opset}`,
        'export it with an opset from 7 to 26 (17 is a good choice)',
      ]),
    );
    expect(sessionCount).toBe(0);
  });

  it('run: a model without layers to quantize', async () => {
    const nodes = [node('Relu', ['x'], ['r']), node('MatMul', ['r', 'r'], ['y'])];
    const dims = ['N', 3, 8, 8];
    const model = buildModel({ nodes, inputs: [value('x', dims)], outputs: [value('y', dims)] });
    const { message, sessionCount } = await refusal(folderWith(model));
    expect(message).toBe(
      errorText([
        '<folder>/m.onnx: the model has no layer to quantize (Conv, ConvTranspose, Gemm or MatMul with a constant float weight); ' +
          "these have no constant float weight: MatMul node 'make_y'",
        'export the float model, with its weights as initializers',
      ]),
    );
    expect(sessionCount).toBe(0);
  });

  it.each(['packed', 'qdq'])('run: an artifact of bitgate, format %s', async (format) => {
    const folder = folderWith(classifier(), { quantize: { bits: [4], format } });
    expect(await bitgate(['run'], folder)).toMatchObject({ exitCode: 0 });
    const { message, sessionCount } = await refusal(folder, [
      'run',
      '--model',
      'out/quantized.onnx',
      '--output',
      'q.onnx',
    ]);
    expect(message).toBe(
      errorText([
        '<folder>/out/quantized.onnx: the model was quantized by bitgate already',
        'give the float model that it was made from',
      ]),
    );
    expect(sessionCount).toBe(0);
  });
});

describe('a model that onnxruntime does not run', () => {
  it.each<[string, () => ModelProto, RegExp]>([
    ['an unknown operator', () => classifierThen('Unheard'), /No Op registered for Unheard/],
    ['an operator of another domain', () => classifierThen('Unheard', 'com.acme'), /Unheard.*com\.acme/],
    [
      'shapes that do not fit',
      () => {
        const model = classifier();
        Object.assign(model.graph!.initializer.find(({ name }) => name === 'w3')!, weight('w3', [63, 5], 1));
        return model;
      },
      /make_scores.*63/,
    ],
  ])('run: %s is named, as a fault of the model and not of bitgate', async (_, build, reason) => {
    const { message } = await refusal(folderWith(build()));
    expect(message).toMatch(/^error: <folder>\/m\.onnx: onnxruntime cannot load the model: /);
    expect(message).toMatch(reason);
    expect(message).toMatch(
      /\n {2}fix: export it with operators that onnxruntime has, and with shapes that fit together\n$/,
    );
  });

  it('run: a shape that only the samples show to be wrong', async () => {
    const shape = attribute.ints('axes', [0]);
    const model = buildModel({
      opset: 12,
      nodes: [
        node('Flatten', ['x'], ['f']),
        node('MatMul', ['f', 'w'], ['scores']),
        // Fits a single sample only.
        node('Squeeze', ['scores'], ['one'], shape),
        node('Unsqueeze', ['one'], ['y'], shape),
      ],
      initializers: [weight('w', [192, 5], 1)],
      inputs: [value('x', ['N', 3, 8, 8])],
      outputs: [value('y', 'any')],
    });
    const { message } = await refusal(folderWith(model));
    expect(message).toMatch(
      /^error: <folder>\/m\.onnx: onnxruntime cannot run the model on the calibration samples: .*Squeeze.*\n {2}fix: check that the model takes such samples\n$/s,
    );
  });
});

describe('numbers that are not finite', () => {
  const FIX = 'check the model and the preprocessing (scale, mean, std)';

  it('run: NaN in a weight, before any session', async () => {
    const model = classifierWith('w2', (values) => values.set([Number.NaN], 7));
    const { message, sessionCount } = await refusal(folderWith(model));
    expect(message).toBe(
      errorText([
        "<folder>/m.onnx: the weight 'w2' of layer 'w2' holds NaN or infinity (element 7)",
        'train or export the model again: a broken weight cannot be quantized or trusted',
      ]),
    );
    expect(sessionCount).toBe(0);
  });

  it('run: infinity in a bias', async () => {
    const model = classifierWith('b2', (values) => values.set([Number.POSITIVE_INFINITY], 3));
    expect((await refusal(folderWith(model))).message).toBe(
      errorText([
        "<folder>/m.onnx: the float model's output 'scores' is NaN or infinite on the calibration data: " +
          "'b2', which Conv node 'make_c2' of layer 'w2' reads, is so in the model itself",
        FIX,
      ]),
    );
  });

  it.each([
    ['rtn', 'none'],
    ['gptq', 'affine'],
  ])('run: an operator that makes NaN is named, with method %s', async (method, correct) => {
    const model = classifier();
    const { graph } = model;
    // The logarithm of the negative samples.
    graph!.node.unshift(node('Log', ['x'], ['logarithm']));
    graph!.node[1]!.input[0] = 'logarithm';
    const settings = { quantize: { bits: [2, 4], method, correct } };
    expect((await refusal(folderWith(model, settings))).message).toBe(
      errorText([
        "<folder>/m.onnx: the float model's output 'scores' is NaN or infinite on the calibration data: " +
          "Log node 'make_logarithm' makes 'logarithm' so from finite inputs",
        FIX,
      ]),
    );
  });

  it('run: a layer that overflows is named', async () => {
    const model = classifierWith('w2', (values) => values.fill(3e38));
    expect((await refusal(folderWith(model))).message).toBe(
      errorText([
        "<folder>/m.onnx: the float model's output 'scores' is NaN or infinite on the calibration data: " +
          "Conv node 'make_c2' of layer 'w2' makes 'c2' so from finite inputs",
        FIX,
      ]),
    );
  });

  it('run: inputs so large that their squares overflow name the layer', async () => {
    const data = {
      preprocess: { scale: 1e-30 },
      calibration: { path: 'c.npz', samples: 64 },
      evaluation: { path: 'e.npz' },
    };
    const { message } = await refusal(folderWith(classifier(), { data, quantize: { bits: [4], method: 'gptq' } }));
    expect(message).toBe(
      errorText([
        "<folder>/m.onnx: the input 'x' of layer 'w1' (Conv node 'make_c1') is so large that its square overflows for some calibration sample",
        'check data.preprocess and the calibration samples, and that the float model itself gives finite outputs',
      ]),
    );
  });
});

describe('outputs that the metric or the loss cannot read', () => {
  it.each<[string, () => ModelProto, Settings, string, string]>([
    [
      'several outputs, loss kl',
      detector,
      { gate: { metric: 'kl' } },
      "the loss kl needs one output of class scores, shape [batch, classes]; the model has 'boxes' [64, 4], 'probabilities' [64, 5]",
      'set sensitivity.loss to mse, which compares any outputs',
    ],
    [
      'several outputs that could hold the scores',
      detector,
      { sensitivity: { loss: 'mse' } },
      "the metric top1 could be read from 'boxes' or 'probabilities'",
      'name one of them in gate.output',
    ],
    [
      'an output that is not there',
      classifier,
      { gate: { output: 'logits' } },
      "gate.output is 'logits', which the model does not have; it has 'scores' float32 [64, 5]",
      'name one of these',
    ],
    [
      'class numbers',
      () => withOutput('ArgMax'),
      { gate: { metric: 'kl' }, sensitivity: { loss: 'mse' } },
      "the metric kl needs an output of class scores, or one whose rows are probabilities; found 'end' int64 [64, 1]",
      'name an output with classes on its last axis in gate.output',
    ],
    [
      'a single number, metric kl',
      () => withOutput('ReduceMean'),
      { gate: { metric: 'kl' }, sensitivity: { loss: 'mse' } },
      "the metric kl needs an output of class scores, or one whose rows are probabilities; found 'end' float32 [64, 1]",
      'name an output with classes on its last axis in gate.output',
    ],
    [
      'samples on the last axis',
      () => withOutput('Transpose'),
      { gate: { metric: 'kl' }, sensitivity: { loss: 'mse' } },
      "the output 'end' [5, 64] of 64 samples has no axis of samples first, so kl cannot be told per sample",
      'export the model with the batch on the first axis of its outputs',
    ],
  ])('run: %s', async (_, build, settings, what, fix) => {
    const { message, sessionCount } = await refusal(folderWith(build(), settings));
    expect(message).toBe(errorText([what, fix]));
    expect(sessionCount).toBe(1);
  });

  const AXIS = {
    ReduceMean: [attribute.ints('axes', [1])],
    ArgMax: [attribute.int('axis', 1)],
    Transpose: [],
  };

  function withOutput(opType: keyof typeof AXIS): ModelProto {
    const model = classifierThen(opType);
    model.graph!.output[0] = value('end', 'any', opType === 'ArgMax' ? DATA_TYPE.int64 : DATA_TYPE.float32);
    model.graph!.node.at(-1)!.attribute.push(...AXIS[opType]);
    return model;
  }
});
