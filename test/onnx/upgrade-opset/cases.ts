/** Small models that exercise every rewrite and the operators that pass unchanged, each with what to feed it. */
import { encodeFloat16 } from '../../../src/float16.ts';
import { DATA_TYPE } from '../../../src/onnx/data-type.ts';
import { floatTensor } from '../../../src/onnx/tensor-values.ts';
import { floatList, int64List, stringAttribute } from '../../../src/onnx/upgrade-opset/constants.ts';
import type { NamedTensors, Tensor } from '../../../src/tensor.ts';
import {
  type AttributeProto,
  type NodeProto,
  newAttribute,
  newTensor,
  type TensorProto,
} from '../../../src/wire/model-proto.ts';
import { attribute, buildGraph, floatInput, type ModelParts, node, value, weight } from '../small-model.ts';

export type UpgradeCase = {
  readonly name: string;
  readonly parts: ModelParts & { readonly opset: number };
  readonly feeds: NamedTensors;
  /** The newest opset it can be raised to, when that is not the newest understood one. */
  readonly newest?: number;
};

const { float, int, ints, graph } = attribute;
const text = stringAttribute;
const floats = (name: string, values: readonly number[]) => newAttribute({ name, floats: [...values], type: 6 });
const named = (name: string, tensor: TensorProto): TensorProto => ({ ...tensor, name });

type Extras = {
  readonly attributes?: readonly AttributeProto[];
  readonly initializers?: readonly TensorProto[];
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
  readonly dims?: readonly number[];
  readonly outputType?: number;
};

/** One operator that reads x, of shape [2, 3, 4, 5] unless said otherwise, and makes y. */
function one(name: string, opset: number, opType: string, extras: Extras = {}): UpgradeCase {
  const { attributes = [], initializers = [], inputs = ['x'], outputs = ['y'], outputType } = extras;
  const dims = extras.dims ?? [2, 3, 4, 5];
  const nodes = [node(opType, inputs, outputs, ...attributes)];
  return graphCase(name, opset, nodes, {
    initializers,
    dims,
    outputs,
    ...(outputType === undefined ? {} : { outputType }),
  });
}

function graphCase(
  name: string,
  opset: number,
  nodes: readonly NodeProto[],
  { initializers = [], dims = [2, 3, 4, 5], outputs = ['y'], outputType = DATA_TYPE.float32 }: Extras = {},
): UpgradeCase {
  // Only ranks of outputs are left open, as exporters do with what they cannot infer.
  const declared = outputs.filter((output) => output !== '').map((output) => undeclared(output, outputType));
  const parts = { opset, irVersion: 8, nodes, initializers, inputs: [value('x', dims)], outputs: declared };
  return { name, parts, feeds: { x: floatInput(dims, 7) } };
}

function undeclared(name: string, elemType: number) {
  const info = value(name, [], elemType);
  const tensorType = { ...info.type!.tensorType! };
  delete tensorType.shape;
  return { ...info, type: { ...info.type!, tensorType } };
}

/** The same with x and y in float16. */
function inHalf({ name, parts, feeds }: UpgradeCase): UpgradeCase {
  const { dims, data } = feeds.x!;
  const half: Tensor = { elementType: 'float16', dims, data: Uint16Array.from(data as Float32Array, encodeFloat16) };
  const [inputs, outputs] = [[value('x', dims, DATA_TYPE.float16)], [undeclared('y', DATA_TYPE.float16)]];
  return { name: `${name}, float16`, parts: { ...parts, inputs, outputs }, feeds: { x: half } };
}

const axes: readonly UpgradeCase[] = [
  one('Squeeze with axes', 9, 'Squeeze', { attributes: [ints('axes', [0, 2])], dims: [1, 3, 1, 5] }),
  one('Squeeze with a negative axis', 11, 'Squeeze', { attributes: [ints('axes', [-2])], dims: [1, 3, 1, 5] }),
  one('Squeeze of every axis of size one', 11, 'Squeeze', { dims: [1, 3, 1, 5] }),
  one('Unsqueeze', 9, 'Unsqueeze', { attributes: [ints('axes', [0, 3])], dims: [3, 4] }),
  one('Unsqueeze with a negative axis', 11, 'Unsqueeze', { attributes: [ints('axes', [-1])], dims: [3, 4] }),
  ...['Sum', 'Mean', 'Max', 'Min', 'Prod', 'L1', 'L2', 'SumSquare', 'LogSumExp'].flatMap((kind) => [
    one(`Reduce${kind} with axes`, 7, `Reduce${kind}`, { attributes: [ints('axes', [1, 3]), int('keepdims', 0)] }),
    one(`Reduce${kind} of all axes`, 11, `Reduce${kind}`, { attributes: [int('keepdims', 1)] }),
    one(`Reduce${kind} with a negative axis`, 12, `Reduce${kind}`, { attributes: [ints('axes', [-1])] }),
  ]),
  one('ReduceMean with axes, opset 17', 17, 'ReduceMean', { attributes: [ints('axes', [-2, -1]), int('keepdims', 0)] }),
  one('ReduceMean with an empty list of axes', 13, 'ReduceMean', { attributes: [ints('axes', [])] }),
];

const slices: readonly UpgradeCase[] = [
  one('Slice with axes', 9, 'Slice', {
    attributes: [ints('axes', [1, 3]), ints('starts', [0, 1]), ints('ends', [2, -1])],
  }),
  one('Slice of the first axes', 9, 'Slice', {
    attributes: [ints('starts', [0, 1]), ints('ends', [1, 2 ** 40])],
  }),
  one('Slice beyond the ends', 7, 'Slice', {
    attributes: [ints('axes', [2]), ints('starts', [-99]), ints('ends', [99])],
  }),
  graphCase('TopK', 9, [node('TopK', ['x'], ['y', 'indices'], int('k', 2), int('axis', 2))]),
  one('Split with lengths', 9, 'Split', {
    attributes: [int('axis', 3), ints('split', [1, 4])],
    outputs: ['y', 'z'],
  }),
  one('Split in equal parts', 9, 'Split', { attributes: [int('axis', 2)], outputs: ['y', 'z'] }),
  one('Split in equal parts, opset 13', 13, 'Split', { attributes: [int('axis', 1)], outputs: ['y', 'z', 'w'] }),
  one('Split with lengths, opset 17', 17, 'Split', {
    attributes: [int('axis', 1)],
    inputs: ['x', 'lengths'],
    initializers: [named('lengths', int64List([1, 2]))],
    outputs: ['y', 'z'],
  }),
];

const bounds: readonly UpgradeCase[] = [
  one('Clip with both bounds', 7, 'Clip', { attributes: [float('min', -0.25), float('max', 0.5)] }),
  one('Clip with a lower bound', 9, 'Clip', { attributes: [float('min', 0)] }),
  one('Clip with an upper bound', 10, 'Clip', { attributes: [float('max', 0.125)] }),
  one('Clip without bounds', 10, 'Clip'),
  inHalf(one('Clip with an upper bound', 10, 'Clip', { attributes: [float('max', 0.25)] })),
  graphCase('Clip behind operators that keep the type', 10, [
    node('Transpose', ['x'], ['t']),
    node('Exp', ['t'], ['e']),
    node('Clip', ['e'], ['c'], float('min', 0.5), float('max', 2)),
    node('Neg', ['c'], ['y']),
  ]),
  one('Pad with zeros', 9, 'Pad', { attributes: [ints('pads', [0, 0, 1, 2, 0, 1, 0, 1])] }),
  one('Pad with a value', 7, 'Pad', { attributes: [ints('pads', [0, 0, 1, 2, 0, 1, 0, 1]), float('value', 2.5)] }),
  one('Pad that crops', 9, 'Pad', { attributes: [ints('pads', [0, 0, -1, 2, 0, 0, 0, -2]), float('value', 1)] }),
  one('Pad by reflection', 9, 'Pad', {
    attributes: [ints('pads', [0, 0, 1, 2, 0, 0, 0, 1]), text('mode', 'reflect'), float('value', 3)],
  }),
  one('Pad with the edge', 10, 'Pad', { attributes: [ints('pads', [0, 0, 1, 2, 0, 0, 0, 1]), text('mode', 'edge')] }),
  inHalf(
    one('Pad with a value', 9, 'Pad', { attributes: [ints('pads', [0, 0, 1, 2, 0, 1, 0, 1]), float('value', 2.5)] }),
  ),
  one('Dropout', 7, 'Dropout', { attributes: [float('ratio', 0.3)] }),
  graphCase('Dropout with a mask that nobody reads', 9, [
    node('Dropout', ['x'], ['d', 'mask'], float('ratio', 0.3)),
    node('Neg', ['d'], ['y']),
  ]),
];

const softmaxes: readonly UpgradeCase[] = ['Softmax', 'LogSoftmax', 'Hardmax'].flatMap((opType) => [
  one(`${opType} over several axes`, 9, opType, { attributes: [int('axis', 1)] }),
  one(`${opType} by default`, 11, opType),
  one(`${opType} over everything`, 9, opType, { attributes: [int('axis', 0)] }),
  one(`${opType} over the last axis`, 11, opType, { attributes: [int('axis', -1)] }),
  one(`${opType} over the last of four axes`, 9, opType, { attributes: [int('axis', 3)] }),
  one(`${opType} over two axes, counted from the back`, 12, opType, { attributes: [int('axis', -2)] }),
  graphCase(`${opType} of unknown rank`, 9, [
    node('Shape', ['x'], ['s']),
    node('Reshape', ['x', 's'], ['r']),
    node(opType, ['r'], ['y'], int('axis', 2)),
  ]),
]);

const scales = (values: readonly number[]): TensorProto => named('scales', floatList(values));

const resizes: readonly UpgradeCase[] = [
  one('Upsample to the nearest, opset 7', 7, 'Upsample', { attributes: [floats('scales', [1, 1, 2, 3])] }),
  one('Upsample by fractions', 9, 'Upsample', { inputs: ['x', 'scales'], initializers: [scales([1, 1, 1.7, 2.3])] }),
  one('Upsample linearly', 9, 'Upsample', {
    attributes: [text('mode', 'linear')],
    inputs: ['x', 'scales'],
    initializers: [scales([1, 1, 2, 1.5])],
  }),
  graphCase(
    'Upsample by computed scales',
    9,
    [node('Abs', ['raw'], ['scales']), node('Upsample', ['x', 'scales'], ['y'], text('mode', 'nearest'))],
    { initializers: [named('raw', floatList([1, 1, 2, 1.25]))] },
  ),
  one('Resize up, opset 10', 10, 'Resize', { inputs: ['x', 'scales'], initializers: [scales([1, 1, 2.5, 3])] }),
  one('Resize down, opset 10', 10, 'Resize', {
    inputs: ['x', 'scales'],
    initializers: [scales([1, 1, 0.6, 0.3])],
    dims: [1, 2, 9, 11],
  }),
  one('Resize linearly, opset 10', 10, 'Resize', {
    attributes: [text('mode', 'linear')],
    inputs: ['x', 'scales'],
    initializers: [scales([1, 1, 1.6, 0.7])],
  }),
  ...['half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric'].flatMap((mode) =>
    ['nearest', 'linear', 'cubic'].map((interpolation) =>
      one(`Resize ${interpolation}, ${mode}, opset 11`, 11, 'Resize', {
        attributes: [text('coordinate_transformation_mode', mode), text('mode', interpolation)],
        inputs: ['x', 'roi', 'scales'],
        initializers: [named('roi', floatList([])), scales([1, 1, 1.6, 2.5])],
      }),
    ),
  ),
  ...[2, 1.5, 0.4].map((scale) =>
    one(`Resize nearest, tf_half_pixel_for_nn, scale ${scale}`, 11, 'Resize', {
      attributes: [text('coordinate_transformation_mode', 'tf_half_pixel_for_nn'), text('nearest_mode', 'floor')],
      inputs: ['x', 'roi', 'scales'],
      initializers: [named('roi', floatList([])), scales([1, 1, scale, scale])],
      dims: [1, 2, 9, 13],
    }),
  ),
  one('Resize to sizes, opset 11', 11, 'Resize', {
    inputs: ['x', 'roi', 'scales', 'sizes'],
    initializers: [named('roi', floatList([])), scales([]), named('sizes', int64List([2, 3, 7, 3]))],
  }),
];

const normalization: readonly UpgradeCase[] = [
  one('BatchNormalization, opset 7', 7, 'BatchNormalization', {
    attributes: [int('spatial', 1), float('epsilon', 1e-3), float('momentum', 0.9)],
    inputs: ['x', 'scale', 'bias', 'mean', 'variance'],
    initializers: batchNormalizationParameters(),
  }),
  one('BatchNormalization, opset 9', 9, 'BatchNormalization', {
    inputs: ['x', 'scale', 'bias', 'mean', 'variance'],
    initializers: batchNormalizationParameters(),
  }),
  one('InstanceNormalization', 7, 'InstanceNormalization', {
    inputs: ['x', 'scale', 'bias'],
    initializers: [weight('scale', [3], 1), weight('bias', [3], 2)],
  }),
  one('LRN', 7, 'LRN', { attributes: [int('size', 3)] }),
  one('LayerNormalization', 17, 'LayerNormalization', {
    inputs: ['x', 'scale', 'bias'],
    initializers: [weight('scale', [5], 1), weight('bias', [5], 2)],
  }),
];

function batchNormalizationParameters(): TensorProto[] {
  const variance = floatTensor('variance', [3], Float32Array.of(0.5, 1, 2));
  return [weight('scale', [3], 1), weight('bias', [3], 2), weight('mean', [3], 3), variance];
}

const image = { dims: [1, 3, 9, 11] };
const padded = [ints('kernel_shape', [3, 2]), ints('strides', [2, 2]), ints('pads', [1, 1, 1, 0])];

const pools: readonly UpgradeCase[] = ['MaxPool', 'AveragePool'].flatMap((opType) => [
  one(`${opType} with pads`, 7, opType, { attributes: padded, ...image }),
  ...['SAME_UPPER', 'SAME_LOWER', 'VALID'].map((pad) =>
    one(`${opType} with auto_pad ${pad}`, 8, opType, {
      attributes: [ints('kernel_shape', [3, 2]), ints('strides', [2, 3]), text('auto_pad', pad)],
      ...image,
    }),
  ),
  one(`${opType} with ceil_mode`, 10, opType, { attributes: [...padded, int('ceil_mode', 1)], ...image }),
  one(`${opType} with ceil_mode and a window in the padding`, 11, opType, {
    attributes: [
      ints('kernel_shape', [2, 2]),
      ints('strides', [3, 3]),
      ints('pads', [1, 1, 1, 1]),
      int('ceil_mode', 1),
    ],
    dims: [1, 2, 4, 7],
  }),
]);

const layers: readonly UpgradeCase[] = [
  ...pools,
  one('AveragePool that counts its padding', 7, 'AveragePool', {
    attributes: [...padded, int('count_include_pad', 1)],
    ...image,
  }),
  one('AveragePool with ceil_mode that counts its padding', 11, 'AveragePool', {
    attributes: [...padded, int('count_include_pad', 1), int('ceil_mode', 1)],
    ...image,
  }),
  one('GlobalAveragePool', 7, 'GlobalAveragePool'),
  one('LpPool', 7, 'LpPool', { attributes: [ints('kernel_shape', [2, 2]), int('p', 2)] }),
  ...['SAME_UPPER', 'SAME_LOWER', 'VALID', 'NOTSET'].flatMap((pad) => [
    one(`Conv with auto_pad ${pad}`, 7, 'Conv', {
      attributes: [ints('strides', [2, 2]), text('auto_pad', pad)],
      inputs: ['x', 'w', 'b'],
      initializers: [weight('w', [4, 3, 3, 2], 1), weight('b', [4], 2)],
      ...image,
    }),
    one(`ConvTranspose with auto_pad ${pad}`, 7, 'ConvTranspose', {
      attributes: [ints('strides', [2, 2]), text('auto_pad', pad)],
      inputs: ['x', 'w', 'b'],
      initializers: [weight('w', [3, 4, 3, 2], 1), weight('b', [4], 2)],
      ...image,
    }),
  ]),
  one('Gemm', 7, 'Gemm', {
    attributes: [int('transB', 1), float('alpha', 0.5), float('beta', 2)],
    inputs: ['x', 'w', 'b'],
    initializers: [weight('w', [6, 4], 1), weight('b', [6], 2)],
    dims: [3, 4],
  }),
  one('MatMul', 7, 'MatMul', { inputs: ['x', 'w'], initializers: [weight('w', [5, 6], 1)] }),
  one('Flatten', 7, 'Flatten', { attributes: [int('axis', 2)] }),
  one('LSTM', 7, 'LSTM', {
    attributes: [int('hidden_size', 4)],
    inputs: ['x', 'w', 'r', 'b'],
    initializers: [weight('w', [1, 16, 3], 1), weight('r', [1, 16, 4], 2), weight('b', [1, 32], 3)],
    dims: [5, 2, 3],
  }),
];

const renamed: readonly UpgradeCase[] = [
  one('Scatter', 9, 'Scatter', {
    attributes: [int('axis', 1)],
    inputs: ['x', 'indices', 'updates'],
    initializers: [
      newTensor({ ...int64List([2, 0]), name: 'indices', dims: [1n, 2n] }),
      floatTensor('updates', [1, 2], Float32Array.of(5, 6)),
    ],
    dims: [1, 4],
  }),
  {
    ...one('RoiAlign', 10, 'RoiAlign', {
      attributes: [int('output_height', 2), int('output_width', 2), float('spatial_scale', 0.5)],
      inputs: ['x', 'rois', 'batches'],
      initializers: [floatTensor('rois', [1, 4], Float32Array.of(1, 2, 14, 17)), named('batches', int64List([0]))],
      dims: [1, 2, 9, 11],
    }),
    newest: 21,
  },
  ...['bilinear', 'bicubic', 'nearest'].map((mode) =>
    one(`GridSample ${mode}`, 16, 'GridSample', {
      attributes: [text('mode', mode)],
      inputs: ['x', 'grid'],
      initializers: [weight('grid', [2, 3, 3, 2], 5)],
    }),
  ),
];

const elementwise: readonly UpgradeCase[] = [
  ...[
    'Abs',
    'Ceil',
    'Elu',
    'Exp',
    'Floor',
    'HardSigmoid',
    'LeakyRelu',
    'Neg',
    'Reciprocal',
    'Relu',
    'Selu',
    'Sigmoid',
  ].map((opType) => one(opType, 7, opType)),
  ...['Softplus', 'Softsign', 'Tanh', 'Sin', 'Cos', 'Identity', 'Transpose', 'Size', 'Shape'].map((opType) =>
    one(opType, 7, opType, {
      outputType: opType === 'Size' || opType === 'Shape' ? DATA_TYPE.int64 : DATA_TYPE.float32,
    }),
  ),
  ...['Erf', 'Sign'].map((opType) => one(opType, 9, opType)),
  one('HardSwish', 14, 'HardSwish'),
  one('Gelu', 20, 'Gelu'),
  ...['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min', 'Sum', 'Mean', 'PRelu'].map((opType) =>
    one(opType, 8, opType, { inputs: ['x', 'w'], initializers: [weight('w', [3, 1, 5], 1)] }),
  ),
  graphCase('Pow of magnitudes', 7, [node('Abs', ['x'], ['a']), node('Pow', ['a', 'w'], ['y'])], {
    initializers: [weight('w', [5], 1)],
  }),
  one('Gather', 7, 'Gather', {
    attributes: [int('axis', 2)],
    inputs: ['x', 'indices'],
    initializers: [named('indices', int64List([3, 0, 1]))],
  }),
  one('Concat', 7, 'Concat', { attributes: [int('axis', 1)], inputs: ['x', 'x'] }),
  one('Tile', 7, 'Tile', { inputs: ['x', 'repeats'], initializers: [named('repeats', int64List([1, 2, 1, 3]))] }),
  one('Expand', 8, 'Expand', {
    inputs: ['x', 'shape'],
    initializers: [named('shape', int64List([2, 3, 4]))],
    dims: [3, 1],
  }),
  one('DepthToSpace', 7, 'DepthToSpace', { attributes: [int('blocksize', 2)], dims: [1, 8, 2, 3] }),
  one('SpaceToDepth', 7, 'SpaceToDepth', { attributes: [int('blocksize', 2)], dims: [1, 2, 4, 6] }),
  one('ArgMax', 7, 'ArgMax', { attributes: [int('axis', 1)], outputType: DATA_TYPE.int64 }),
  one('CumSum', 11, 'CumSum', { inputs: ['x', 'axis'], initializers: [named('axis', int64List([2]))] }),
  one('Trilu', 14, 'Trilu', { attributes: [int('upper', 0)] }),
  graphCase(
    'Where and Equal',
    11,
    [
      node('Cast', ['x'], ['i'], int('to', DATA_TYPE.int32)),
      node('Equal', ['i', 'i'], ['same']),
      node('Greater', ['x', 'w'], ['greater']),
      node('And', ['same', 'greater'], ['both']),
      node('Where', ['both', 'x', 'w'], ['y']),
    ],
    { initializers: [weight('w', [4, 5], 1)] },
  ),
  graphCase(
    'Range, ConstantOfShape and Reshape',
    11,
    [
      node('Shape', ['x'], ['s']),
      node('ConstantOfShape', ['s'], ['ones'], attribute.tensor('value', floatList([1]))),
      node('Add', ['x', 'ones'], ['a']),
      node('Reshape', ['a', 'flat'], ['f']),
      node('Size', ['x'], ['n']),
      node('Range', ['zero', 'n', 'step'], ['r']),
      node('Cast', ['r'], ['rf'], int('to', DATA_TYPE.float32)),
      node('Mul', ['f', 'rf'], ['y']),
    ],
    {
      initializers: [named('flat', int64List([-1])), scalar('zero', 0), scalar('step', 1)],
    },
  ),
];

function scalar(name: string, content: number): TensorProto {
  return newTensor({ ...int64List([content]), name, dims: [] });
}

const nested: readonly UpgradeCase[] = [
  graphCase(
    'If whose branches read the graph around them',
    9,
    [
      node('ReduceSum', ['x'], ['total'], int('keepdims', 0)),
      node('Greater', ['total', 'zero'], ['positive']),
      node(
        'If',
        ['positive'],
        ['y'],
        graph(
          'then_branch',
          branch('then', [node('Slice', ['x'], ['then'], ints('axes', [1]), ints('starts', [-3]), ints('ends', [99]))]),
        ),
        graph('else_branch', branch('else', [node('Clip', ['x'], ['else'], float('max', 0))])),
      ),
    ],
    { initializers: [floatTensor('zero', [], Float32Array.of(0))] },
  ),
  graphCase(
    'Loop whose body squeezes',
    11,
    [
      node(
        'Loop',
        ['count', 'go', 'x'],
        ['y'],
        graph('body', {
          ...branch('next', [
            node('Identity', ['go_in'], ['go_out']),
            node('Unsqueeze', ['state'], ['wide'], ints('axes', [0])),
            node('Squeeze', ['wide'], ['narrow'], ints('axes', [0])),
            node('Add', ['narrow', 'narrow'], ['next']),
          ]),
          input: [
            value('trip', [], DATA_TYPE.int64),
            value('go_in', [], DATA_TYPE.bool),
            undeclared('state', DATA_TYPE.float32),
          ],
          output: [value('go_out', [], DATA_TYPE.bool), undeclared('next', DATA_TYPE.float32)],
        }),
      ),
    ],
    {
      initializers: [
        scalar('count', 3),
        newTensor({ name: 'go', dataType: DATA_TYPE.bool, dims: [], rawData: Uint8Array.of(1) }),
      ],
    },
  ),
];

function branch(output: string, nodes: readonly NodeProto[]) {
  return buildGraph({ nodes, outputs: [undeclared(output, DATA_TYPE.float32)] });
}

/** A transformer block with its LayerNormalization and its GELU taken apart, as exporters wrote it before opset 17. */
function transformerBlock(opset: number): UpgradeCase {
  const width = 8;
  const mean = (input: string, output: string) => node('ReduceMean', [input], [output], ints('axes', [-1]));
  const project = (name: string) => [
    node('MatMul', ['normed', `w_${name}`], [`m_${name}`]),
    node('Add', [`m_${name}`, 'bias'], [name]),
  ];
  const nodes = [
    mean('x', 'mean'),
    node('Sub', ['x', 'mean'], ['centred']),
    node('Pow', ['centred', 'two'], ['squared']),
    mean('squared', 'variance'),
    node('Add', ['variance', 'epsilon'], ['shifted']),
    node('Sqrt', ['shifted'], ['deviation']),
    node('Div', ['centred', 'deviation'], ['scaled']),
    node('Mul', ['scaled', 'gamma'], ['weighted']),
    node('Add', ['weighted', 'bias'], ['normed']),
    ...['q', 'k', 'v'].flatMap(project),
    ...['q', 'k', 'v'].flatMap((name) => [
      node('Reshape', [name, 'heads'], [`${name}_heads`]),
      node('Transpose', [`${name}_heads`], [`${name}_t`], ints('perm', name === 'k' ? [0, 2, 3, 1] : [0, 2, 1, 3])),
    ]),
    node('MatMul', ['q_t', 'k_t'], ['raw']),
    node('Div', ['raw', 'two'], ['scores']),
    node('Softmax', ['scores'], ['attention'], int('axis', 3)),
    node('MatMul', ['attention', 'v_t'], ['mixed']),
    node('Transpose', ['mixed'], ['mixed_t'], ints('perm', [0, 2, 1, 3])),
    node('Reshape', ['mixed_t', 'merged'], ['joined']),
    node('Add', ['joined', 'x'], ['hidden']),
    node('Split', ['hidden'], ['left', 'right'], int('axis', 2)),
    node('Div', ['right', 'root'], ['r']),
    node('Erf', ['r'], ['e']),
    node('Add', ['e', 'one'], ['e1']),
    node('Mul', ['right', 'e1'], ['g']),
    node('Mul', ['g', 'half'], ['gelu']),
    node('Tanh', ['left'], ['tanh']),
    node('Concat', ['gelu', 'tanh'], ['fed'], int('axis', -1)),
    node('Unsqueeze', ['fed'], ['fed4'], ints('axes', [1])),
    node('Squeeze', ['fed4'], ['fed3'], ints('axes', [1])),
    node('Gather', ['fed3', 'first'], ['pooled'], int('axis', 1)),
    node('ReduceSum', ['pooled'], ['y'], ints('axes', [1]), int('keepdims', 0)),
  ];
  const number = (name: string, content: number) => floatTensor(name, [], Float32Array.of(content));
  const initializers = [
    ...['w_q', 'w_k', 'w_v'].map((name, index) => weight(name, [width, width], 11 + index)),
    weight('gamma', [width], 20),
    weight('bias', [width], 21),
    ...[number('two', 2), number('epsilon', 1e-5), number('root', Math.SQRT2), number('one', 1), number('half', 0.5)],
    named('heads', int64List([0, 0, 2, 4])),
    named('merged', int64List([0, 0, width])),
    named('first', int64List([0])),
  ];
  return graphCase(`a transformer block of opset ${opset}`, opset, nodes, { initializers, dims: [2, 5, width] });
}

export const UPGRADE_CASES: readonly UpgradeCase[] = [
  ...axes,
  ...slices,
  ...bounds,
  ...softmaxes,
  ...resizes,
  ...normalization,
  ...layers,
  ...renamed,
  ...elementwise,
  ...nested,
  transformerBlock(11),
  transformerBlock(12),
];

export { graphCase, named, one };
