import { expect, it } from 'vitest';
import { listLayers } from '../../src/onnx/list-layers.ts';
import { openOnnxruntimeSession } from '../../src/runtime/onnxruntime.ts';
import { measureLayerCosts } from '../../src/sensitivity/layer-costs.ts';
import { newOutput } from '../../src/wire/model-proto.ts';
import { attribute, decodeBuilt, floatInput, node, value, weight } from '../onnx/small-model.ts';

it('measureLayerCosts: multiply-accumulate operations of every kind of layer, by hand', async () => {
  const model = await decodeBuilt({
    nodes: [
      // [2, 4, 8, 8] to [2, 6, 4, 4]: 192 outputs of 4 · 9 weights.
      node('Conv', ['x', 'conv'], ['a'], attribute.ints('pads', [1, 1, 1, 1]), attribute.ints('strides', [2, 2])),
      // In two groups to [2, 4, 4, 4]: 128 outputs of 3 weights.
      node('Conv', ['a', 'grouped'], ['b'], attribute.int('group', 2)),
      // Of the model's own input, to [2, 3, 16, 16]: each of 512 inputs into 3 · 4 outputs.
      node('ConvTranspose', ['x', 'up'], ['c'], attribute.ints('strides', [2, 2])),
      // In two groups, of an inner value, to [2, 6, 8, 8]: each of 128 inputs into 3 · 4 outputs.
      node('ConvTranspose', ['b', 'wide'], ['d'], attribute.int('group', 2), attribute.ints('strides', [2, 2])),
      node('Flatten', ['b'], ['flat']),
      // [2, 64] to [2, 5]: 10 outputs of 64 weights.
      node('Gemm', ['flat', 'gemm'], ['e']),
      // The same weight twice, [2, 4, 4, 4] to [2, 4, 4, 7]: 224 outputs of 4 weights each time.
      node('MatMul', ['b', 'shared'], ['f']),
      node('Relu', ['b'], ['r']),
      node('MatMul', ['r', 'shared'], ['g']),
    ],
    inputs: [value('x', ['batch', 4, 8, 8])],
    outputs: ['c', 'd', 'e', 'f', 'g'].map((name) => newOutput(name)),
    initializers: [
      weight('conv', [6, 4, 3, 3], 1),
      weight('grouped', [4, 3, 1, 1], 2),
      weight('up', [4, 3, 2, 2], 3),
      weight('wide', [4, 3, 2, 2], 4),
      weight('gemm', [64, 5], 5),
      weight('shared', [4, 7], 6),
    ],
  });
  const layers = listLayers(model);
  const batch = { feeds: { x: floatInput([2, 4, 8, 8], 9) }, sampleCount: 2 };
  const costs = await measureLayerCosts(model, layers, batch, openOnnxruntimeSession);
  const operations = layers.map(({ weightName, nodes }) => [
    weightName,
    nodes.map((each) => costs.get(each)!.operations),
  ]);
  expect(Object.fromEntries(operations)).toEqual({
    conv: [192 * 36],
    grouped: [128 * 3],
    up: [512 * 12],
    wide: [128 * 12],
    gemm: [10 * 64],
    shared: [224 * 4, 224 * 4],
  });
  expect(costs.get(layers[0]!.nodes[0]!)).toMatchObject({ outputBytes: 192 * 4, weightBytes: 216 * 4 });
});
