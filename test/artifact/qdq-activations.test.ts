import { describe, expect, it } from 'vitest';
import { loadBatches, loadPrepared, presentModels, sharedModels } from '../../bench/shared-models.ts';
import type { LayerContent } from '../../src/artifact/packed-artifact.ts';
import { planActivations } from '../../src/artifact/qdq-activation-plan.ts';
import {
  buildQdqArtifact,
  planQdqArtifact,
  type QdqPlan,
  qdqArtifactSizeBytes,
  qdqLayerParts,
} from '../../src/artifact/qdq-artifact.ts';
import { measureActivationRanges } from '../../src/calibrate/activation-ranges.ts';
import { UnsupportedModelError } from '../../src/errors.ts';
import { DATA_TYPE } from '../../src/onnx/data-type.ts';
import { type Layer, listLayers } from '../../src/onnx/list-layers.ts';
import type { Model } from '../../src/onnx/model.ts';
import { prepareModel } from '../../src/onnx/prepare-model.ts';
import { readFloats } from '../../src/onnx/tensor-values.ts';
import { type ActivationRange, activationGrid } from '../../src/quantize/activation-range.ts';
import { dequantize, type QuantizedTensor } from '../../src/quantize/quantized-tensor.ts';
import { roundHalfEven } from '../../src/quantize/round-half-even.ts';
import { quantizeToNearest } from '../../src/quantize/round-to-nearest.ts';
import { openOnnxruntimeSession } from '../../src/runtime/onnxruntime.ts';
import type { NamedTensors, Tensor } from '../../src/tensor.ts';
import { decodeModelProto } from '../../src/wire/model-proto.ts';
import { optimisedOperators } from '../onnx/optimised-operators.ts';
import {
  attribute,
  buildGraph,
  decodeBuilt,
  floatInput,
  type ModelParts,
  node,
  relativeDifference,
  runModel,
  value,
  weight,
} from '../onnx/small-model.ts';

const { ints } = attribute;

type Network = { readonly model: Model; readonly layers: readonly Layer[] };

async function networkOf(parts: ModelParts): Promise<Network> {
  const model = prepareModel(await decodeBuilt(parts));
  return { model, layers: listLayers(model) };
}

function quantized({ model, layers }: Network, width = 8): LayerContent[] {
  const weights = new Map(model.graph.initializer.map((tensor) => [tensor.name, tensor]));
  return layers.map((layer) =>
    quantizeToNearest({ ...layer, values: readFloats(weights.get(layer.weightName)!, '') }, width),
  );
}

async function planned({ model, layers }: Network, feeds: NamedTensors): Promise<QdqPlan> {
  const plan = planActivations(model, layers);
  const ranges = await rangesOf(
    model,
    plan.values.map(({ rangeOf }) => rangeOf),
    feeds,
  );
  return planQdqArtifact(model, layers, {}, { plan, ranges });
}

function rangesOf(model: Model, names: readonly string[], feeds: NamedTensors) {
  const sampleCount = Object.values(feeds)[0]!.dims[0]!;
  return measureActivationRanges({
    model,
    valueNames: [...new Set(names)],
    batches: [{ feeds, sampleCount, labels: undefined }] as never,
    method: { kind: 'min-max' },
    openSession: openOnnxruntimeSession,
    memoryLimitBytes: 1e8,
    reportProgress: () => {},
  });
}

function sizeOf(plan: QdqPlan, contents: readonly LayerContent[]): number {
  const parts = contents.map((content, index) => qdqLayerParts(plan, index, content));
  const forms = parts.map((part) => part.forms);
  return qdqArtifactSizeBytes(
    plan,
    forms,
    parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  );
}

/** The operators that the runtime runs, but for changes of layout. */
async function operatorsOf(artifact: Uint8Array): Promise<string[]> {
  return (await optimisedOperators(artifact)).filter((opType) => opType !== 'Transpose');
}

const X = floatInput([2, 8, 8, 8], 1);
const IMAGE = { inputs: [value('x', [2, 8, 8, 8])], outputs: [value('y', [])], opset: 13 };
const conv = (input: string, output: string) => node('Conv', [input, 'w', 'b'], [output], ints('pads', [1, 1, 1, 1]));
const CONV = [weight('w', [8, 8, 3, 3], 1), weight('b', [8], 2)];

const ROWS = floatInput([4, 16], 1);
const MATRIX = { inputs: [value('x', [4, 16])], outputs: [value('y', [])], opset: 13 };
const PRODUCT = [weight('w', [16, 16], 1), weight('b', [16], 2)];

const ENDS = ['DequantizeLinear', 'QuantizeLinear'];

type Fusion = { readonly name: string; readonly parts: ModelParts; readonly x: Tensor; readonly operators: string[] };

const FUSIONS: readonly Fusion[] = [
  {
    name: 'a Conv with a bias',
    parts: { ...IMAGE, nodes: [conv('x', 'y')], initializers: CONV },
    x: X,
    operators: ['QLinearConv', ...ENDS],
  },
  {
    name: 'a Conv with ReLU',
    parts: { ...IMAGE, nodes: [conv('x', 'c'), node('Relu', ['c'], ['y'])], initializers: CONV },
    x: X,
    operators: ['QLinearConv', ...ENDS],
  },
  {
    name: 'a depthwise Conv with ReLU6, opset 9',
    parts: {
      ...IMAGE,
      opset: 9,
      nodes: [
        node('Conv', ['x', 'w'], ['c'], attribute.int('group', 8)),
        node('Clip', ['c'], ['y'], attribute.float('min', 0), attribute.float('max', 6)),
      ],
      initializers: [weight('w', [8, 1, 3, 3], 1)],
    },
    x: X,
    operators: ['QLinearConv', ...ENDS],
  },
  {
    name: 'a residual block with pools and a classifier',
    parts: {
      ...IMAGE,
      nodes: [
        conv('x', 'c'),
        node('Relu', ['c'], ['r']),
        conv('r', 'd'),
        node('Add', ['d', 'r'], ['s']),
        node('Relu', ['s'], ['t']),
        node('MaxPool', ['t'], ['m'], ints('kernel_shape', [2, 2]), ints('strides', [2, 2])),
        node('AveragePool', ['t'], ['a'], ints('kernel_shape', [2, 2]), ints('strides', [2, 2])),
        node('Concat', ['m', 'a'], ['j'], attribute.int('axis', 1)),
        node('GlobalAveragePool', ['j'], ['g']),
        node('Flatten', ['g'], ['f']),
        node('Gemm', ['f', 'v', 'u'], ['y'], attribute.int('transB', 1)),
      ],
      initializers: [...CONV, weight('v', [5, 16], 3), weight('u', [5], 4)],
    },
    x: X,
    operators: [
      'Flatten',
      'NhwcMaxPool',
      'QGemm',
      'QLinearAdd',
      'QLinearAveragePool',
      'QLinearConcat',
      'QLinearConv',
      'QLinearConv',
      'QLinearGlobalAveragePool',
      'QuantizeLinear',
    ],
  },
  {
    name: 'two Gemm',
    parts: {
      ...MATRIX,
      nodes: [node('Gemm', ['x', 'w', 'b'], ['h']), node('Relu', ['h'], ['r']), node('Gemm', ['r', 'v', 'b'], ['y'])],
      initializers: [...PRODUCT, weight('v', [16, 16], 3)],
    },
    x: ROWS,
    // The shared bias of the last one stays float, and with it the kernel.
    operators: ['DequantizeLinear', 'DequantizeLinear', 'Gemm', 'QGemm', 'QuantizeLinear'],
  },
  {
    name: 'MatMul with an addition',
    parts: {
      ...MATRIX,
      nodes: [
        node('MatMul', ['x', 'w'], ['h']),
        node('Add', ['h', 'b'], ['i']),
        node('MatMul', ['i', 'v'], ['j']),
        node('Add', ['u', 'j'], ['y']),
      ],
      initializers: [...PRODUCT, weight('v', [16, 16], 3), weight('u', [16], 4)],
    },
    x: ROWS,
    operators: ['QGemm', 'QGemm', 'QuantizeLinear'],
  },
  {
    name: 'a MatMul alone, whose output is float',
    parts: { ...MATRIX, nodes: [node('MatMul', ['x', 'w'], ['y'])], initializers: PRODUCT.slice(0, 1) },
    x: ROWS,
    operators: ['MatMulIntegerToFloat', 'QuantizeLinear'],
  },
];

describe('buildQdqArtifact with activations: onnxruntime runs on integers', () => {
  it.each(FUSIONS)('buildQdqArtifact: $name', async ({ parts, x, operators }) => {
    const network = await networkOf(parts);
    const plan = await planned(network, { x });
    const contents = quantized(network);
    const artifact = buildQdqArtifact(plan, contents);
    expect(artifact.length).toBe(sizeOf(plan, contents));
    expect(await operatorsOf(artifact)).toEqual([...operators].sort());
    const expected = await runModel(network.model.proto, { x });
    expect(relativeDifference(await runModel(artifact, { x }), expected)).toBeLessThan(0.02);
  });
});

describe('buildQdqArtifact with activations: what it computes', () => {
  it('buildQdqArtifact: a product is that of the quantized input and weight', async () => {
    const nodes = [node('Gemm', ['x', 'w', 'b'], ['y'])];
    const network = await networkOf({ ...MATRIX, nodes, initializers: PRODUCT });
    const plan = await planned(network, { x: ROWS });
    const contents = quantized(network);
    const rows = ROWS.data as Float32Array;
    const range = { min: Math.min(...rows), max: Math.max(...rows) };
    const x = rows.map((number) => onGrid(number, range));
    const w = dequantize(contents[0] as QuantizedTensor);
    const b = readFloats(PRODUCT[1]!, '');
    const expected = Float32Array.from({ length: 64 }, (_, index) => {
      const [row, column] = [Math.floor(index / 16), index % 16];
      let sum = b[column]!;
      for (let inner = 0; inner < 16; inner++) sum += x[row * 16 + inner]! * w[inner * 16 + column]!;
      return sum;
    });
    const actual = await runModel(buildQdqArtifact(plan, contents), { x: ROWS });
    const difference = relativeDifference(actual, { y: { elementType: 'float32', dims: [4, 16], data: expected } });
    expect(difference).toBeLessThan(1e-5);
  });

  it('buildQdqArtifact: one scale for a whole weight has one for its bias too', async () => {
    const nodes = [node('Gemm', ['x', 'w', 'b'], ['y'])];
    const network = await networkOf({ ...MATRIX, nodes, initializers: PRODUCT });
    const plan = await planned(network, { x: ROWS });
    const [w] = PRODUCT;
    const contents = [quantizeToNearest({ ...network.layers[0]!, values: readFloats(w!, '') }, 8, 'tensor')];
    const artifact = buildQdqArtifact(plan, contents);
    expect(artifact.length).toBe(sizeOf(plan, contents));
    expect(await operatorsOf(artifact)).toEqual(['QGemm', 'QuantizeLinear']);
    const expected = await runModel(network.model.proto, { x: ROWS });
    expect(relativeDifference(await runModel(artifact, { x: ROWS }), expected)).toBeLessThan(0.02);
  });

  it('buildQdqArtifact: narrower weights are stored in INT8 too', async () => {
    const network = await networkOf({ ...IMAGE, nodes: [conv('x', 'y')], initializers: CONV });
    const plan = await planned(network, { x: X });
    for (const width of [2, 4, 8]) {
      const contents = quantized(network, width);
      const artifact = buildQdqArtifact(plan, contents);
      expect(artifact.length).toBe(sizeOf(plan, contents));
      expect(decodeModelProto(artifact).graph!.initializer[0]).toMatchObject({
        dataType: DATA_TYPE.int8,
        dims: [8n, 8n, 3n, 3n],
      });
      expect(decodeModelProto(artifact).opsetImport[0]?.version).toBe(13n);
    }
  });

  it('buildQdqArtifact: a layer whose content is float keeps its weight and its bias', async () => {
    const network = await networkOf({
      ...MATRIX,
      nodes: [node('Gemm', ['x', 'w', 'b'], ['y'])],
      initializers: PRODUCT,
    });
    const plan = await planned(network, { x: ROWS });
    const artifact = buildQdqArtifact(plan, ['float']);
    expect(artifact.length).toBe(sizeOf(plan, ['float']));
    const expected = await runModel(network.model.proto, { x: ROWS });
    expect(relativeDifference(await runModel(artifact, { x: ROWS }), expected)).toBeLessThan(0.01);
  });

  it('buildQdqArtifact: a bias too large for int32 at its scale stays float', async () => {
    const [w, b] = PRODUCT;
    const nodes = [node('Gemm', ['x', 'w', 'b'], ['y'])];
    const network = await networkOf({ ...MATRIX, nodes, initializers: [w!, b!] });
    const plan = await planned(network, { x: ROWS });
    const [content] = quantized(network) as QuantizedTensor[];
    const contents = [{ ...content!, scaleType: 'float32' as const, scales: content!.scales.map(() => 1e-9) }];
    const artifact = buildQdqArtifact(plan, contents);
    expect(artifact.length).toBe(sizeOf(plan, contents));
    expect(decodeModelProto(artifact).graph!.initializer).toContainEqual(b);
  });

  it('buildQdqArtifact: values keep their names for outputs and subgraphs', async () => {
    const branch = buildGraph({ nodes: [node('Neg', ['c'], ['n'])], outputs: [value('n', [])] });
    const network = await networkOf({
      ...IMAGE,
      nodes: [
        conv('x', 'c'),
        node('If', ['t'], ['y'], attribute.graph('then_branch', branch), attribute.graph('else_branch', branch)),
      ],
      initializers: [...CONV, { ...weight('t', [], 1), dataType: DATA_TYPE.bool, rawData: Uint8Array.of(1) }],
      outputs: [value('y', []), value('c', [])],
    });
    const plan = await planned(network, { x: X });
    const results = await runModel(buildQdqArtifact(plan, quantized(network)), { x: X });
    const negated = (results.c!.data as Float32Array).map((number) => -number);
    expect([...(results.y!.data as Float32Array)].map((number) => number + 0)).toEqual([...negated].map((n) => n + 0));
    expect(new Set(results.c!.data as Float32Array).size).toBeLessThanOrEqual(256);
  });

  it('buildQdqArtifact: the same input gives the same bytes', async () => {
    const build = async () => {
      const network = await networkOf(FUSIONS[3]!.parts);
      return Buffer.from(buildQdqArtifact(await planned(network, { x: X }), quantized(network))).toString('base64');
    };
    expect(await build()).toBe(await build());
  });
});

/** QuantizeLinear and DequantizeLinear by hand. */
function onGrid(number: number, range: ActivationRange): number {
  const { scale, zeroPoint } = activationGrid(range);
  const level = Math.min(255, Math.max(0, roundHalfEven(Math.fround(number / scale)) + zeroPoint));
  return Math.fround((level - zeroPoint) * scale);
}

describe('planActivations', () => {
  const namesOf = async (parts: ModelParts, floatLayers?: ReadonlySet<number>) => {
    const { model, layers } = await networkOf(parts);
    return planActivations(model, layers, floatLayers).values;
  };

  it('planActivations: what moves values keeps their range, what leads to no layer stays float', async () => {
    const parts = {
      ...IMAGE,
      nodes: [
        node('Transpose', ['x'], ['p'], ints('perm', [0, 1, 3, 2])),
        conv('p', 'c'),
        node('MaxPool', ['c'], ['m'], ints('kernel_shape', [2, 2])),
        conv('m', 'd'),
        node('Add', ['d', 'd'], ['e']),
        node('Sigmoid', ['e'], ['y']),
      ],
      initializers: CONV,
    };
    expect(await namesOf(parts)).toEqual([
      { name: 'p', rangeOf: 'p' },
      { name: 'c', rangeOf: 'c' },
      { name: 'm', rangeOf: 'c' },
      { name: 'd', rangeOf: 'd' },
    ]);
  });

  it('planActivations: padding with anything but zero ends the chain', async () => {
    const padded = (constant: number) => ({
      ...IMAGE,
      nodes: [conv('x', 'c'), node('Pad', ['c', 'pads', 'constant'], ['p']), conv('p', 'y')],
      initializers: [...CONV, pads, { ...weight('constant', [], 1), rawData: bytesOf(constant) }],
    });
    expect(await namesOf(padded(0))).toContainEqual({ name: 'p', rangeOf: 'c' });
    expect(await namesOf(padded(1))).toContainEqual({ name: 'p', rangeOf: 'p' });
  });

  it('planActivations: an addition brings in its other side', async () => {
    const parts = {
      ...IMAGE,
      nodes: [conv('x', 'c'), node('Abs', ['x'], ['o']), node('Add', ['c', 'o'], ['s']), conv('s', 'y')],
      initializers: CONV,
    };
    expect((await namesOf(parts)).map(({ name }) => name)).toEqual(['x', 'c', 'o', 's', 'y']);
  });

  it('planActivations: layers that stay float, and transposed convolutions, are left alone', async () => {
    const parts = {
      ...IMAGE,
      nodes: [conv('x', 'c'), node('ConvTranspose', ['c', 'v'], ['y'])],
      initializers: [...CONV, weight('v', [8, 4, 2, 2], 3)],
    };
    expect((await namesOf(parts)).map(({ name }) => name)).toEqual(['x', 'c']);
    await expect(namesOf(parts, new Set([0]))).rejects.toThrow(UnsupportedModelError);
    await expect(namesOf(parts, new Set([0]))).rejects.toThrow('built.onnx: no layer has an integer kernel');
  });
});

const pads = {
  ...weight('pads', [8], 1),
  dataType: DATA_TYPE.int64,
  rawData: new Uint8Array(BigInt64Array.of(0n, 0n, 1n, 1n, 0n, 0n, 1n, 1n).buffer),
};

function bytesOf(constant: number): Uint8Array {
  return new Uint8Array(Float32Array.of(constant).buffer);
}

describe('buildQdqArtifact with activations: shared models', () => {
  it.skipIf(presentModels().length === 0).each(sharedModels('resnet20'))(
    'buildQdqArtifact: $name runs on integers and keeps its answers',
    async (shared) => {
      const model = await loadPrepared(shared);
      const network = { model, layers: listLayers(model) };
      const load = (path: string, count: number) =>
        loadBatches(model, path, shared.preprocess, { count, batchSize: 64 });
      const [calibration] = await load(shared.calibration, 64);
      const plan = await planned(network, calibration!.feeds);
      const contents = quantized(network);
      const artifact = buildQdqArtifact(plan, contents);
      expect(artifact.length).toBe(sizeOf(plan, contents));

      const operators = await operatorsOf(artifact);
      const count = (opType: string) => operators.filter((name) => name === opType).length;
      expect([count('QLinearConv'), count('Conv'), count('QGemm'), count('Gemm')]).toEqual([19, 0, 1, 0]);
      expect(count('QLinearAdd')).toBe(8);

      const [evaluation] = await load(shared.evaluation, 64);
      const [float, integer] = [
        await runModel(model.proto, evaluation!.feeds),
        await runModel(artifact, evaluation!.feeds),
      ];
      const [name] = Object.keys(float);
      const answers = (tensor: Tensor) => classes(tensor.data as Float32Array, 10);
      const agreeing = answers(float[name!]!).filter((answer, index) => answer === answers(integer[name!]!)[index]);
      expect(agreeing.length).toBeGreaterThanOrEqual(61);
    },
  );
});

function classes(logits: Float32Array, classCount: number): number[] {
  return Array.from({ length: logits.length / classCount }, (_, row) => {
    const own = logits.subarray(row * classCount, (row + 1) * classCount);
    return own.indexOf(Math.max(...own));
  });
}
