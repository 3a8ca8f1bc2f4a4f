import { describe, expect, it } from 'vitest';
import { layerLayout } from '../../src/calibrate/layer-layout.ts';
import { DATA_TYPE } from '../../src/onnx/data-type.ts';
import { listLayers } from '../../src/onnx/list-layers.ts';
import { withGraph } from '../../src/onnx/model.ts';
import { openOnnxruntimeSession } from '../../src/runtime/onnxruntime.ts';
import { elementCount } from '../../src/tensor.ts';
import { newAttribute, newOutput } from '../../src/wire/model-proto.ts';
import { attribute, decodeBuilt, floatInput, node, value, weight } from '../onnx/small-model.ts';
import {
  batchOf,
  calibrateAll,
  columnsOfChannels,
  columnsOfRows,
  difference,
  distance,
  modelOf,
  momentsByLoops,
  type OneLayer,
  unfoldByLayer,
} from './one-layer.ts';

const { int, ints, float } = attribute;
const text = (name: string, content: string) => newAttribute({ name, s: new TextEncoder().encode(content), type: 3 });

const CONVOLUTIONS: readonly (readonly [string, OneLayer])[] = [
  ['with padding', conv([3, 2, 7, 6], [18, 2, 3, 3], ints('pads', [1, 1, 1, 1]))],
  ['with uneven padding', conv([2, 2, 7, 6], [12, 2, 2, 3], ints('pads', [0, 2, 1, 0]))],
  ['with strides and dilations', conv([2, 2, 9, 9], [12, 2, 3, 2], ints('strides', [2, 3]), ints('dilations', [2, 1]))],
  ['with dilations', conv([2, 2, 9, 8], [12, 2, 3, 2], ints('dilations', [2, 3]), ints('pads', [1, 2, 3, 0]))],
  ['of no more rows than its kernel', conv([3, 2, 3, 6], [18, 2, 3, 3], ints('pads', [1, 0, 1, 0]))],
  ['of fewer rows than its kernel', conv([3, 2, 2, 6], [18, 2, 3, 3], ints('pads', [2, 0, 2, 0]))],
  ['padded by as much as its output', conv([2, 2, 4, 3], [28, 2, 2, 7], ints('pads', [1, 3, 1, 3]))],
  ['of fewer positions than inputs', conv([4, 3, 3, 3], [27, 3, 3, 3], ints('kernel_shape', [3, 3]))],
  ['in groups', conv([2, 6, 5, 5], [24, 2, 2, 2], int('group', 3), ints('pads', [1, 0, 0, 1]))],
  ['per channel', conv([2, 4, 6, 6], [36, 1, 3, 3], int('group', 4), ints('strides', [2, 2]))],
  ['in groups of fewer positions than inputs', conv([5, 4, 2, 2], [16, 2, 2, 2], int('group', 2))],
  ['of one element', conv([3, 5, 4, 4], [5, 5, 1, 1])],
  ['of one element in groups', conv([3, 6, 4, 4], [6, 2, 1, 1], int('group', 3))],
  ['of one element with strides', conv([3, 5, 5, 4], [5, 5, 1, 1], ints('strides', [2, 1]))],
  ['of one element with padding', conv([3, 5, 4, 4], [5, 5, 1, 1], ints('pads', [1, 1, 0, 0]))],
  [
    'padded to the same size',
    conv([2, 2, 6, 5], [18, 2, 3, 3], text('auto_pad', 'SAME_UPPER'), ints('strides', [2, 2])),
  ],
  ['padded below to the same size', conv([2, 2, 6, 5], [8, 2, 2, 2], text('auto_pad', 'SAME_LOWER'))],
  ['without padding', conv([2, 2, 6, 5], [18, 2, 3, 3], text('auto_pad', 'VALID'))],
  ['over one axis', conv([2, 3, 9], [9, 3, 3], ints('pads', [1, 1]), ints('strides', [2]))],
  ['over three axes', conv([2, 2, 4, 4, 3], [16, 2, 2, 2, 2], ints('pads', [0, 1, 0, 0, 0, 1]))],
  ['in half precision', { ...conv([2, 2, 5, 5], [18, 2, 3, 3]), dataType: DATA_TYPE.float16 }],
  ['at opset 7', { ...conv([2, 2, 5, 5], [18, 2, 3, 3], ints('pads', [1, 1, 1, 1])), opset: 7 }],
  ['transposed', convTranspose([2, 2, 4, 3], [2, 18, 3, 3], ints('strides', [2, 2]), ints('pads', [1, 1, 1, 1]))],
  ['transposed in groups', convTranspose([2, 4, 3, 3], [4, 8, 2, 2], int('group', 2), ints('strides', [2, 1]))],
  [
    'transposed with output padding',
    convTranspose([2, 2, 3, 3], [2, 8, 2, 2], ints('strides', [2, 2]), ints('output_padding', [1, 1])),
  ],
  ['transposed with dilations', convTranspose([2, 2, 4, 4], [2, 8, 2, 2], ints('dilations', [2, 3]))],
  [
    'transposed to a given size',
    convTranspose([2, 2, 4, 4], [2, 18, 3, 3], ints('strides', [2, 2]), ints('output_shape', [8, 8])),
  ],
  [
    'transposed and padded to the same size',
    convTranspose([2, 2, 4, 4], [2, 18, 3, 3], ints('strides', [2, 2]), text('auto_pad', 'SAME_LOWER')),
  ],
];

/** With how many rows in a row belong to one matrix. */
const PRODUCTS: readonly (readonly [string, OneLayer, number])[] = [
  ['Gemm', gemm([6, 5], [5, 5]), 6],
  ['Gemm with a transposed weight', gemm([6, 5], [5, 5], int('transB', 1)), 6],
  ['Gemm with a transposed input', gemm([5, 6], [5, 5], int('transA', 1)), 6],
  ['Gemm with alpha', gemm([6, 5], [5, 5], float('alpha', -1.5), int('transA', 0)), 6],
  ['Gemm in half precision', { ...gemm([6, 5], [5, 5]), dataType: DATA_TYPE.float16 }, 6],
  ['Gemm at opset 7', { ...gemm([6, 5], [5, 5]), opset: 7 }, 6],
  ['MatMul', matMul([6, 5], [5, 5]), 6],
  ['MatMul of a vector', matMul([5], [5, 5]), 1],
  ['MatMul of a sequence', matMul([3, 4, 5], [5, 5]), 12],
  ['MatMul of rank four', matMul([3, 2, 4, 5], [5, 5]), 24],
  ['MatMul with a stack of one', matMul([3, 4, 5], [1, 5, 5]), 12],
  ['MatMul with a stack', matMul([3, 2, 4, 5], [2, 5, 5]), 4],
  ['MatMul of one input with a stack', matMul([4, 5], [3, 5, 5]), 4],
  ['MatMul of a vector with a stack', matMul([5], [3, 5, 5]), 1],
  ['MatMul with a stack on the batch axis', matMul([3, 4, 5], [3, 5, 5]), 4],
  ['MatMul with a stack that is broadcast', matMul([2, 3, 4, 5], [2, 1, 5, 5]), 12],
  ['MatMul of an input that is broadcast', matMul([2, 1, 4, 5], [2, 3, 5, 5]), 4],
];

describe('calibrate', () => {
  for (const [name, layer] of CONVOLUTIONS) {
    it(`calibrate: a convolution ${name} has the moments of its unfolded input`, async () => {
      const model = await modelOf(layer);
      const batch = batchOf(layer.input, 2);
      const [found] = await calibrateAll(model, [batch]);
      const layout = layerLayout(listLayers(model)[0]!, '');
      const columns = columnsOfChannels(await unfoldByLayer(model, batch.feeds), layout);
      expect(found!.statistics.layout).toEqual(layout);
      expect(distance(found!.statistics, momentsByLoops(columns))).toBeLessThan(1e-6);
    });
  }

  for (const [name, layer, rowsPerMatrix] of PRODUCTS) {
    it(`calibrate: ${name} has the moments of its rows`, async () => {
      const model = await modelOf(layer);
      const batch = batchOf(layer.input, 3);
      const [found] = await calibrateAll(model, [batch]);
      const layout = layerLayout(listLayers(model)[0]!, '');
      const columns = columnsOfRows(await unfoldByLayer(model, batch.feeds), layout, rowsPerMatrix);
      expect(found!.statistics.layerName).toBe('w');
      expect(distance(found!.statistics, momentsByLoops(columns))).toBeLessThan(1e-6);
    });
  }

  it('calibrate: inputs of a convolution are ordered by channel, row and column', async () => {
    const model = await modelOf(conv([1, 2, 3, 3], [8, 2, 2, 2], ints('pads', [1, 0, 0, 0])));
    const batch = batchOf([1, 2, 3, 3], 4);
    const at = (channel: number, row: number, column: number) =>
      row < 0 ? 0 : Number(batch.feeds.x!.data[(channel * 3 + row) * 3 + column]);
    const columns = [0, 1, 2].flatMap((top) =>
      [0, 1].map((left) =>
        [0, 1].flatMap((channel) =>
          [0, 1].flatMap((row) => [0, 1].map((column) => at(channel, top - 1 + row, left + column))),
        ),
      ),
    );
    const [found] = await calibrateAll(model, [batch]);
    expect(distance(found!.statistics, momentsByLoops([columns]))).toBeLessThan(1e-6);
  });

  it('calibrate: batches of different sizes count by their samples', async () => {
    const model = await modelOf(conv([0, 2, 5, 5], [18, 2, 3, 3]));
    const whole = batchOf([5, 2, 5, 5], 5);
    const part = (start: number, end: number) => ({
      feeds: {
        x: { ...whole.feeds.x!, dims: [end - start, 2, 5, 5], data: whole.feeds.x!.data.slice(start * 50, end * 50) },
      },
      sampleCount: end - start,
    });
    const [together] = await calibrateAll(model, [whole]);
    const [apart] = await calibrateAll(model, [part(0, 1), part(1, 4), part(4, 5)]);
    expect(distance(apart!.statistics, together!.statistics)).toBeLessThan(1e-6);
  });

  it('calibrate: a batch that takes too much memory is run in parts', async () => {
    const model = await modelOf(conv([0, 2, 5, 5], [18, 2, 3, 3]));
    const batch = batchOf([5, 2, 5, 5], 6);
    const sizes: number[] = [];
    const [whole] = await calibrateAll(model, [batch]);
    const [parts] = await calibrateAll(model, [batch], {
      memoryLimitBytes: 10_000,
      openSession: async (bytes) => {
        const session = await openOnnxruntimeSession(bytes);
        const run: typeof session.run = (feeds, outputs) => {
          sizes.push(feeds.x!.dims[0]!);
          return session.run(feeds, outputs);
        };
        return { ...session, run };
      },
    });
    // A few for the shapes, then all.
    expect(sizes).toEqual([2, 2, 2, 1]);
    expect(distance(parts!.statistics, whole!.statistics)).toBeLessThan(1e-6);
  });

  it.each([
    ['a convolution', () => modelOf(conv([4, 2, 5, 5], [18, 2, 3, 3])), [4, 2, 5, 5]],
    ['a product of several rows per sample', () => modelOf(matMul([4, 3, 5], [5, 5])), [4, 3, 5]],
    ['a Gemm with samples on its second axis', samplesOnSecondAxis, [4, 5]],
  ] as const)('calibrate: what pads a fixed batch does not count, in %s', async (_, build, dims) => {
    const free = await build();
    const fixed = withGraph(free, { ...free.graph, input: [value('x', dims)] });
    const padded = batchOf(dims, 7, 3);
    const x = { ...padded.feeds.x!, dims: [3, ...dims.slice(1)] };
    const cut = { ...x, data: x.data.slice(0, 3 * elementCount(dims.slice(1))) };
    const [found] = await calibrateAll(fixed, [padded, batchOf(dims, 8)]);
    const [expected] = await calibrateAll(free, [{ feeds: { x: cut }, sampleCount: 3 }, batchOf(dims, 8)]);
    expect(distance(found!.statistics, expected!.statistics)).toBeLessThan(1e-6);
  });

  it('calibrate: a weight of two nodes has the moments of both inputs', async () => {
    const shared = await decodeBuilt({
      nodes: [
        node('MatMul', ['x', 'w'], ['a']),
        node('Relu', ['a'], ['b']),
        node('Gemm', ['b', 'w'], ['y'], float('alpha', 2)),
      ],
      inputs: [value('x', ['n', 4])],
      outputs: [newOutput('y')],
      initializers: [weight('w', [4, 4], 1)],
    });
    const twice = withGraph(shared, {
      ...shared.graph,
      node: shared.graph.node.with(2, node('Gemm', ['b', 'v'], ['y'], float('alpha', 2))),
      initializer: [...shared.graph.initializer, weight('v', [4, 4], 1)],
    });
    const batch = batchOf([6, 4], 8);
    const [both] = await calibrateAll(shared, [batch]);
    const [first, second] = await calibrateAll(twice, [batch]);
    const mean = (key: 'mean' | 'gram') =>
      first!.statistics[key].map((sum, i) => (sum + second!.statistics[key][i]!) / 2);
    expect(both!.statistics.positionCount).toBe(12);
    expect(difference(both!.statistics.gram, mean('gram'))).toBeLessThan(1e-6);
    expect(difference(both!.statistics.mean, mean('mean'))).toBeLessThan(1e-6);
  });

  it('calibrate: layers come in order and once, in as many sessions as memory asks for', async () => {
    const model = await threeLayers();
    let sessionCount = 0;
    const openSession = (bytes: Uint8Array) => {
      sessionCount++;
      return openOnnxruntimeSession(bytes);
    };
    const batches = [batchOf([6, 4], 9)];
    const together = await calibrateAll(model, batches, { openSession });
    expect(sessionCount).toBe(2);
    const apart = await calibrateAll(model, batches, { openSession, memoryLimitBytes: 600 });
    expect(sessionCount).toBe(6);
    expect(apart.map(({ layerIndex }) => layerIndex)).toEqual([0, 1, 2]);
    for (const [index, { statistics }] of apart.entries()) {
      expect(distance(statistics, together[index]!.statistics)).toBeLessThan(1e-6);
    }
  });

  it('calibrate: tells how many samples are done, of all sessions together', async () => {
    const events: string[] = [];
    await calibrateAll(await threeLayers(), [batchOf([6, 4], 9), batchOf([2, 4], 9)], {
      memoryLimitBytes: 600,
      reportProgress: ({ activity, done, total, unit }) => events.push(`${activity}: ${done} of ${total} ${unit}`),
    });
    expect(events.at(0)).toBe('measuring the inputs of layers: 0 of 24 samples');
    expect(events.at(-1)).toBe('measuring the inputs of layers: 24 of 24 samples');
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])(
    'calibrate: %s in an activation names layer and operator',
    async (bad) => {
      const feeds = { x: floatInput([6, 4], 10) };
      feeds.x.data[5] = bad;
      await expect(calibrateAll(await threeLayers(), [{ feeds, sampleCount: 6 }])).rejects.toThrow(
        "built.onnx: the input 'x' of layer 'first' (MatMul node 'make_a') is NaN or infinite for some calibration sample",
      );
    },
  );

  it('calibrate: NaN that only one row of the kernel sees is not taken for an overflow', async () => {
    const batch = batchOf([2, 2, 5, 5], 11);
    batch.feeds.x!.data[24] = Number.NaN;
    await expect(
      calibrateAll(await modelOf(conv([0, 2, 5, 5], [18, 2, 3, 3], ints('pads', [1, 1, 1, 1]))), [batch]),
    ).rejects.toThrow("the input 'x' of layer 'w' (Conv node 'make_y') is NaN or infinite for some calibration sample");
  });

  it('calibrate: an activation whose square overflows is told apart', async () => {
    const feeds = { x: floatInput([6, 4], 10) };
    feeds.x.data[5] = 1e25;
    await expect(calibrateAll(await threeLayers(), [{ feeds, sampleCount: 6 }])).rejects.toThrow(
      "the input 'x' of layer 'first' (MatMul node 'make_a') is so large that its square overflows",
    );
  });

  it('calibrate: refuses a weight that two nodes read as different matrices', async () => {
    const model = await decodeBuilt({
      nodes: [node('MatMul', ['x', 'w'], ['a']), node('Gemm', ['a', 'w'], ['y'], int('transB', 1))],
      inputs: [value('x', ['n', 4])],
      outputs: [newOutput('y')],
      initializers: [weight('w', [4, 4], 1)],
    });
    await expect(calibrateAll(model, [batchOf([2, 4], 1)])).rejects.toThrow(
      "layer 'w' is one weight that MatMul node 'make_a' and Gemm node 'make_y' read differently",
    );
  });

  it('calibrate: refuses groups that do not divide the channels', async () => {
    const model = await modelOf(conv([1, 4, 3, 3], [4, 2, 1, 1], int('group', 3)));
    await expect(calibrateAll(model, [batchOf([1, 4, 3, 3], 1)])).rejects.toThrow(
      "Conv node 'make_y' of layer 'w' divides 4 channels into 3 groups",
    );
  });
});

function conv(input: number[], dims: number[], ...attributes: OneLayer['attributes'] & {}): OneLayer {
  return { opType: 'Conv', input, dims, attributes };
}

function convTranspose(input: number[], dims: number[], ...attributes: OneLayer['attributes'] & {}): OneLayer {
  return { opType: 'ConvTranspose', input, dims, attributes };
}

function gemm(input: number[], dims: number[], ...attributes: OneLayer['attributes'] & {}): OneLayer {
  return { opType: 'Gemm', input, dims, attributes };
}

function matMul(input: number[], dims: number[]): OneLayer {
  return { opType: 'MatMul', input, dims };
}

function samplesOnSecondAxis() {
  return decodeBuilt({
    nodes: [node('Transpose', ['x'], ['a'], ints('perm', [1, 0])), node('Gemm', ['a', 'w'], ['y'], int('transA', 1))],
    inputs: [value('x', ['n', 5])],
    outputs: [newOutput('y')],
    initializers: [weight('w', [5, 3], 1)],
  });
}

function threeLayers() {
  return decodeBuilt({
    nodes: [
      node('MatMul', ['x', 'first'], ['a']),
      node('MatMul', ['a', 'second'], ['b']),
      node('MatMul', ['b', 'third'], ['y']),
    ],
    inputs: [value('x', ['n', 4])],
    outputs: [newOutput('y')],
    initializers: [weight('first', [4, 4], 1), weight('second', [4, 4], 2), weight('third', [4, 3], 3)],
  });
}
