import { describe, expect, it } from 'vitest';
import { loadPrepared, presentModels, sharedModels } from '../../bench/shared-models.ts';
import { nodeFiles } from '../../src/entry/files.ts';
import { DATA_TYPE } from '../../src/onnx/data-type.ts';
import type { Model } from '../../src/onnx/model.ts';
import { prepareModel } from '../../src/onnx/prepare-model.ts';
import { floatTensor, readFloats } from '../../src/onnx/tensor-values.ts';
import { encodeModelProto, newNode, type TensorProto } from '../../src/wire/model-proto.ts';
import {
  attribute,
  buildGraph,
  buildModel,
  decodeBuilt,
  floatInput,
  type ModelParts,
  node,
  relativeDifference,
  runModel,
  seededFloats,
  value,
  weight,
} from './small-model.ts';

const X = value('x', [2, 4, 5, 5]);
const FEEDS = { x: floatInput([2, 4, 5, 5], 7) };

/** Prepare a model and check in the runtime that it still computes the same. */
async function prepareAndCompare(parts: ModelParts, tolerance: number, feeds = FEEDS): Promise<Model> {
  const prepared = prepareModel(await decodeBuilt(parts));
  const expected = await runModel(buildModel(parts), feeds);
  expect(relativeDifference(await runModel(prepared.proto, feeds), expected)).toBeLessThanOrEqual(tolerance);
  return prepared;
}

const opTypesOf = ({ graph }: Model) => graph.node.map(({ opType }) => opType);
const initializersOf = ({ graph }: Model) => graph.initializer.map(({ name }) => name);

describe('hoistConstantWeights', () => {
  const outputs = [value('y', 'any')];
  const constant = (name: string, tensor: TensorProto) =>
    node('Constant', [], [name], attribute.tensor('value', tensor));
  const transpose = (from: string, to: string, ...perm: number[]) =>
    node('Transpose', [from], [to], ...(perm.length === 0 ? [] : [attribute.ints('perm', perm)]));

  it('hoistConstantWeights: a Constant becomes an initializer of the same name', async () => {
    const nodes = [
      constant('w', weight('', [6, 4, 3, 3], 1)),
      constant('b', weight('', [6], 2)),
      node('Conv', ['x', 'w', 'b'], ['y']),
    ];
    const prepared = await prepareAndCompare({ nodes, inputs: [X], outputs }, 0);
    expect(opTypesOf(prepared)).toEqual(['Conv']);
    expect(initializersOf(prepared)).toEqual(['w', 'b']);
  });

  it('hoistConstantWeights: Identity of an initializer is the initializer, so that a shared weight is one', async () => {
    const nodes = [
      node('Identity', ['w'], ['w1']),
      node('Identity', ['w1'], ['w2']),
      node('Conv', ['x', 'w2'], ['a']),
      node('Conv', ['a', 'w'], ['y']),
    ];
    const prepared = await prepareAndCompare(
      { nodes, initializers: [weight('w', [4, 4, 1, 1], 1)], inputs: [X], outputs },
      1e-6,
    );
    expect(opTypesOf(prepared)).toEqual(['Conv', 'Conv']);
    expect(prepared.graph.node.map(({ input }) => input[1])).toEqual(['w', 'w']);
    expect(initializersOf(prepared)).toEqual(['w']);
  });

  it.each([
    ['the default permutation of a matrix', [6, 5], [], 'MatMul', [5, 6]],
    ['a permutation of four axes', [4, 3, 6, 3], [2, 0, 3, 1], 'Conv', [6, 4, 3, 3]],
  ])('hoistConstantWeights: an initializer behind Transpose, %s', async (_, storedDims, perm, opType, dims) => {
    const nodes = [transpose('w', 't', ...perm), node(opType, ['x', 't'], ['y'])];
    const parts = { nodes, initializers: [weight('w', storedDims, 1)], inputs: [X], outputs };
    const prepared = await prepareAndCompare(parts, 1e-6);
    expect(opTypesOf(prepared)).toEqual([opType]);
    expect(prepared.graph.initializer).toMatchObject([{ name: 't', dims: dims.map(BigInt) }]);
  });

  it('hoistConstantWeights: two Transposes of one weight make one initializer, two that cancel make none', async () => {
    const nodes = [
      transpose('w', 't1', 1, 0),
      node('Identity', ['w'], ['i']),
      transpose('i', 't2', 1, 0),
      transpose('t2', 'back', 1, 0),
      node('MatMul', ['x', 't1'], ['a']),
      node('MatMul', ['a', 't2'], ['b']),
      node('MatMul', ['b', 'back'], ['y']),
    ];
    const prepared = await prepareAndCompare(
      { nodes, initializers: [weight('w', [5, 5], 1)], inputs: [X], outputs },
      1e-6,
    );
    expect(prepared.graph.node.map(({ input }) => input[1])).toEqual(['t1', 't1', 'w']);
    expect(initializersOf(prepared)).toEqual(['w', 't1']);
  });

  it('hoistConstantWeights: float16 keeps its type and its bits', async () => {
    const half = weight('w', [3, 5], 1, DATA_TYPE.float16);
    const nodes = [
      transpose('w', 't'),
      node('Cast', ['x'], ['h'], attribute.int('to', DATA_TYPE.float16)),
      node('MatMul', ['h', 't'], ['m']),
      node('Cast', ['m'], ['y'], attribute.int('to', DATA_TYPE.float32)),
    ];
    const prepared = await prepareAndCompare({ nodes, initializers: [half], inputs: [X], outputs }, 1e-6);
    const [hoisted] = prepared.graph.initializer;
    expect(hoisted).toMatchObject({ name: 't', dims: [5n, 3n], dataType: DATA_TYPE.float16 });
    const [before, after] = [readFloats(half, ''), readFloats(hoisted!, '')];
    expect([after[0], after[1], after[3]]).toEqual([before[0], before[5], before[1]]);
  });

  it('hoistConstantWeights: a value that others read too stays for them', async () => {
    const nodes = [
      transpose('w', 't'),
      node('MatMul', ['x', 't'], ['m']),
      node('Add', ['m', 't'], ['y']),
      node('Identity', ['w'], ['z']),
    ];
    const parts = {
      nodes,
      initializers: [weight('w', [5, 5], 1)],
      inputs: [X],
      outputs: [...outputs, value('z', [5, 5])],
    };
    const prepared = await prepareAndCompare(parts, 1e-6);
    expect(opTypesOf(prepared)).toEqual(['MatMul', 'Add', 'Identity']);
    expect(initializersOf(prepared)).toEqual(['w', 't']);
  });

  it('hoistConstantWeights: a Constant that only a subgraph reads is kept', async () => {
    const branch = buildGraph({ nodes: [node('MatMul', ['x', 'k'], ['r'])], outputs: [value('r', 'any')] });
    const choice = node(
      'If',
      ['c'],
      ['i'],
      attribute.graph('then_branch', branch),
      attribute.graph('else_branch', branch),
    );
    const nodes = [
      constant('k', weight('', [5, 5], 1)),
      constant('w', weight('', [5, 5], 2)),
      choice,
      node('MatMul', ['i', 'w'], ['y']),
    ];
    const feeds = { ...FEEDS, c: { elementType: 'bool' as const, dims: [], data: Uint8Array.of(1) } };
    const parts = { nodes, inputs: [X, value('c', [], DATA_TYPE.bool)], outputs };
    expect(opTypesOf(await prepareAndCompare(parts, 0, feeds))).toEqual(['Constant', 'If', 'MatMul']);
  });

  it('hoistConstantWeights: what is computed, dequantized, of another domain or wrongly permuted stays as it is', async () => {
    const nodes = [
      node('Neg', ['w'], ['computed']),
      node('MatMul', ['x', 'computed'], ['a']),
      transpose('w', 'wrong', 0, 0),
      node('MatMul', ['x', 'wrong'], ['b']),
      newNode({ opType: 'Identity', domain: 'custom', input: ['w'], output: ['strange'] }),
      node('MatMul', ['x', 'strange'], ['c']),
      node('Concat', ['a', 'b', 'c'], ['y'], attribute.int('axis', 0)),
    ];
    const model = await decodeBuilt({ nodes, initializers: [weight('w', [5, 5], 1)], inputs: [X], outputs });
    expect(prepareModel(model).graph).toEqual(model.graph);
  });
});

describe('foldBatchNormalization', () => {
  const CHANNELS = 6;
  const variance = floatTensor(
    'variance',
    [CHANNELS],
    seededFloats(CHANNELS, 14).map((number) => Math.abs(number) + 0.01),
  );
  const PARAMETERS = [
    weight('scale', [CHANNELS], 11),
    weight('shift', [CHANNELS], 12),
    weight('mean', [CHANNELS], 13),
    variance,
  ];
  const normalization = (input: string, output: string, ...attributes: Parameters<typeof node>[3][]) =>
    node('BatchNormalization', [input, 'scale', 'shift', 'mean', 'variance'], [output], ...attributes);
  const epsilon = attribute.float('epsilon', 0.02);
  const outputs = [value('y', 'any')];
  const group = (count: number) => attribute.int('group', count);

  const foldable: [string, ModelParts][] = [
    [
      'Conv without bias',
      {
        nodes: [node('Conv', ['x', 'w'], ['c']), normalization('c', 'y')],
        initializers: [weight('w', [6, 4, 3, 3], 1), ...PARAMETERS],
      },
    ],
    [
      'Conv with bias and epsilon',
      {
        nodes: [node('Conv', ['x', 'w', 'b'], ['c']), normalization('c', 'y', epsilon)],
        initializers: [weight('w', [6, 4, 3, 3], 1), weight('b', [6], 2), ...PARAMETERS],
      },
    ],
    [
      'grouped Conv',
      {
        nodes: [node('Conv', ['x', 'w'], ['c'], group(2)), normalization('c', 'y')],
        initializers: [weight('w', [6, 2, 3, 3], 1), ...PARAMETERS],
      },
    ],
    [
      'ConvTranspose without bias',
      {
        nodes: [node('ConvTranspose', ['x', 'w'], ['c']), normalization('c', 'y', epsilon)],
        initializers: [weight('w', [4, 6, 2, 2], 1), ...PARAMETERS],
      },
    ],
    [
      'ConvTranspose with bias',
      {
        nodes: [
          node('ConvTranspose', ['x', 'w', 'b'], ['c'], attribute.ints('strides', [2, 2])),
          normalization('c', 'y'),
        ],
        initializers: [weight('w', [4, 6, 3, 3], 1), weight('b', [6], 2), ...PARAMETERS],
      },
    ],
  ];

  it.each(foldable.flatMap(([name, parts]) => [7, 9, 14, 17, 21].map((opset) => ({ name, parts, opset }))))(
    'foldBatchNormalization: behind $name at opset $opset',
    async ({ parts, opset }) => {
      const prepared = await prepareAndCompare({ ...parts, inputs: [X], outputs, opset }, 1e-6);
      expect(opTypesOf(prepared)).toEqual([parts.nodes[0]!.opType]);
      expect(initializersOf(prepared).sort()).toEqual(['w', 'y.bias']);
    },
  );

  it('foldBatchNormalization: behind a depthwise Conv, with parameters from Constant and Identity nodes', async () => {
    const nodes = [
      node('Constant', [], ['k'], attribute.tensor('value', weight('', [4], 3))),
      node('Identity', ['k'], ['scale4']),
      node('Identity', ['ones'], ['variance4']),
      node('Conv', ['x', 'w'], ['c'], group(4)),
      node('BatchNormalization', ['c', 'scale4', 'k', 'k', 'variance4'], ['y']),
    ];
    const initializers = [weight('w', [4, 1, 3, 3], 1), floatTensor('ones', [4], Float32Array.of(1, 2, 3, 4))];
    const prepared = await prepareAndCompare({ nodes, initializers, inputs: [X], outputs }, 1e-6);
    expect(opTypesOf(prepared)).toEqual(['Conv']);
    expect(initializersOf(prepared).sort()).toEqual(['w', 'y.bias']);
  });

  it('foldBatchNormalization: weight and bias in half precision', async () => {
    const halves = [weight('w', [6, 4, 1, 1], 1), ...PARAMETERS].map((tensor) =>
      floatTensor(tensor.name!, tensor.dims.map(Number), readFloats(tensor, ''), DATA_TYPE.float16),
    );
    const cast = (from: string, to: string, type: number) => node('Cast', [from], [to], attribute.int('to', type));
    const nodes = [
      cast('x', 'h', DATA_TYPE.float16),
      node('Conv', ['h', 'w'], ['c']),
      normalization('c', 'n'),
      cast('n', 'y', DATA_TYPE.float32),
    ];
    const prepared = await prepareAndCompare({ nodes, initializers: halves, inputs: [X], outputs }, 4e-3);
    expect(opTypesOf(prepared)).toEqual(['Cast', 'Conv', 'Cast']);
    expect(prepared.graph.initializer.map(({ dataType }) => dataType)).toEqual([DATA_TYPE.float16, DATA_TYPE.float16]);
  });

  it('foldBatchNormalization: two in a row, each with its own convolution', async () => {
    const nodes = [
      node('Conv', ['x', 'w'], ['c']),
      normalization('c', 'n'),
      node('Relu', ['n'], ['r']),
      node('Conv', ['r', 'v'], ['d']),
      normalization('d', 'y', epsilon),
    ];
    const initializers = [weight('w', [6, 4, 3, 3], 1), weight('v', [6, 6, 1, 1], 2), ...PARAMETERS];
    const prepared = await prepareAndCompare({ nodes, initializers, inputs: [X], outputs }, 1e-6);
    expect(opTypesOf(prepared)).toEqual(['Conv', 'Relu', 'Conv']);
  });

  it('foldBatchNormalization: a bias that two convolutions share is left to the other', async () => {
    const nodes = [
      node('Conv', ['x', 'w', 'b'], ['c']),
      normalization('c', 'n'),
      node('Conv', ['x', 'v', 'b'], ['d']),
      node('Add', ['n', 'd'], ['y']),
    ];
    const initializers = [
      weight('w', [6, 4, 3, 3], 1),
      weight('v', [6, 4, 3, 3], 2),
      weight('b', [6], 3),
      ...PARAMETERS,
    ];
    const prepared = await prepareAndCompare({ nodes, initializers, inputs: [X], outputs }, 1e-6);
    expect(opTypesOf(prepared)).toEqual(['Conv', 'Conv', 'Add']);
    expect(initializersOf(prepared).sort()).toEqual(['b', 'n.bias', 'v', 'w']);
  });

  const W = weight('w', [6, 4, 1, 1], 1);
  const unfoldable: [string, ModelParts][] = [
    [
      'a shared weight',
      {
        nodes: [
          node('Conv', ['x', 'w'], ['c']),
          node('Conv', ['x', 'w'], ['d']),
          normalization('c', 'n'),
          node('Add', ['n', 'd'], ['y']),
        ],
        initializers: [W, ...PARAMETERS],
      },
    ],
    [
      'another reader of the convolution',
      {
        nodes: [node('Conv', ['x', 'w'], ['c']), normalization('c', 'n'), node('Add', ['n', 'c'], ['y'])],
        initializers: [W, ...PARAMETERS],
      },
    ],
    [
      'a convolution that is an output',
      {
        nodes: [node('Conv', ['x', 'w'], ['c']), normalization('c', 'y')],
        initializers: [W, ...PARAMETERS],
        outputs: [value('y', 'any'), value('c', 'any')],
      },
    ],
    [
      'a grouped ConvTranspose',
      {
        nodes: [node('ConvTranspose', ['x', 'v'], ['c'], group(2)), normalization('c', 'y')],
        initializers: [weight('v', [4, 3, 1, 1], 1), ...PARAMETERS],
      },
    ],
    [
      'a computed parameter',
      {
        nodes: [node('Abs', ['mean'], ['scale']), node('Conv', ['x', 'w'], ['c']), normalization('c', 'y')],
        initializers: [W, ...PARAMETERS.slice(1)],
      },
    ],
    [
      'something else in front',
      {
        nodes: [node('Conv', ['x', 'w'], ['c']), node('Relu', ['c'], ['r']), normalization('r', 'y')],
        initializers: [W, ...PARAMETERS],
      },
    ],
  ];

  it.each(unfoldable)('foldBatchNormalization: %s stays as it is', async (_, parts) => {
    const prepared = await prepareAndCompare({ inputs: [X], outputs, ...parts }, 0);
    expect(opTypesOf(prepared)).toEqual(parts.nodes.map(({ opType }) => opType));
  });

  it.each([
    ['training_mode', 15, attribute.int('training_mode', 1), ['y', 'm', 'v']],
    ['further outputs', 9, attribute.float('momentum', 0.9), ['y', 'm', 'v', 'sm', 'sv']],
    ['one parameter per element', 7, attribute.int('spatial', 0), ['y']],
  ])('foldBatchNormalization: the form with %s stays as it is', async (_, opset, form, outputNames) => {
    const bn = node('BatchNormalization', ['c', 'scale', 'shift', 'mean', 'variance'], outputNames, form);
    const perElement = PARAMETERS.map(({ name }) => weight(name!, [6, 5, 5], 20));
    const initializers = [W, ...(opset === 7 ? perElement : PARAMETERS)];
    const model = await decodeBuilt({
      nodes: [node('Conv', ['x', 'w'], ['c']), bn],
      initializers,
      inputs: [X],
      outputs,
      opset,
    });
    expect(opTypesOf(prepareModel(model))).toEqual(['Conv', 'BatchNormalization']);
  });
});

describe('unlistInitializers', () => {
  const listed: ModelParts = {
    nodes: [node('Conv', ['x', 'w'], ['y'])],
    initializers: [weight('w', [6, 4, 3, 3], 1)],
    inputs: [X, value('w', [6, 4, 3, 3])],
    outputs: [value('y', 'any')],
  };

  it.each([
    [3, 4n],
    [4, 4n],
    [8, 8n],
  ])('unlistInitializers: at IR version %i only the data is an input', async (irVersion, expected) => {
    const prepared = await prepareAndCompare({ ...listed, opset: 8, irVersion }, 1e-6);
    expect(prepared.graph.input.map(({ name }) => name)).toEqual(['x']);
    // Before version 4 every initializer has to be listed.
    expect(prepared.proto.irVersion).toBe(expected);
  });

  it('unlistInitializers: the model with the listed initializers is left as it was', async () => {
    const model = await decodeBuilt(listed);
    prepareModel(model);
    expect(model.graph.input).toHaveLength(2);
  });
});

describe('prepareModel', () => {
  it.skipIf(presentModels().length === 0).each(sharedModels())(
    'prepareModel: $name computes the same, and its BatchNormalizations are folded',
    async (shared) => {
      const prepared = await loadPrepared(shared);
      const [input, ...others] = prepared.graph.input;
      expect(others).toEqual([]);
      const shape = input!.type!.tensorType!.shape!.dim.map(({ value }) =>
        value.case === 'dimValue' ? Number(value.value) : 1,
      );
      const feeds = { [input!.name!]: floatInput(shape, 5) };
      const expected = await runModel(await nodeFiles.readFile(shared.path), feeds);
      expect(relativeDifference(await runModel(encodeModelProto(prepared.proto), feeds), expected)).toBeLessThan(2e-5);
      expect(opTypesOf(prepared)).not.toContain('BatchNormalization');
    },
  );
});
