import { describe, expect, it } from 'vitest';
import { loadPrepared, presentModels } from '../../bench/shared-models.ts';
import { UserError } from '../../src/errors.ts';
import { DATA_TYPE } from '../../src/onnx/data-type.ts';
import { nameLayers } from '../../src/onnx/layer-names.ts';
import { listLayers } from '../../src/onnx/list-layers.ts';
import { prepareModel } from '../../src/onnx/prepare-model.ts';
import { floatTensor } from '../../src/onnx/tensor-values.ts';
import { type NodeProto, newNode, newTensor, type TensorProto } from '../../src/wire/model-proto.ts';
import { attribute, decodeBuilt, node, value, weight } from './small-model.ts';

/** The layers of a graph of one node, or of several that all read `x`. */
async function layersOf(nodes: readonly NodeProto[], initializers: readonly TensorProto[]) {
  const inputs = [value('x', [1, 4, 8, 8])];
  const outputs = [value(nodes.at(-1)!.output[0]!, 'any')];
  return listLayers(prepareModel(await decodeBuilt({ nodes, initializers, inputs, outputs })));
}

async function messageOf(nodes: readonly NodeProto[], initializers: readonly TensorProto[]): Promise<string> {
  const error = await layersOf(nodes, initializers).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message;
}

describe('listLayers', () => {
  it.each([
    ['Conv', node('Conv', ['x', 'w'], ['y']), [6, 4, 3, 3], 0],
    ['grouped Conv', node('Conv', ['x', 'w'], ['y'], attribute.int('group', 2)), [6, 2, 3, 3], 0],
    ['depthwise Conv', node('Conv', ['x', 'w'], ['y'], attribute.int('group', 4)), [4, 1, 3, 3], 0],
    ['one-dimensional Conv', node('Conv', ['x', 'w'], ['y']), [6, 4, 3], 0],
    ['ConvTranspose', node('ConvTranspose', ['x', 'w'], ['y']), [4, 6, 3, 3], 1],
    ['Gemm', node('Gemm', ['x', 'w'], ['y']), [4, 6], 1],
    ['Gemm with transB = 0', node('Gemm', ['x', 'w'], ['y'], attribute.int('transB', 0)), [4, 6], 1],
    ['Gemm with transB', node('Gemm', ['x', 'w'], ['y'], attribute.int('transB', 1)), [6, 4], 0],
    ['MatMul', node('MatMul', ['x', 'w'], ['y']), [8, 6], 1],
    ['MatMul of a batch', node('MatMul', ['x', 'w'], ['y']), [4, 8, 6], 2],
  ])('listLayers: %s', async (_, only, dims, channelAxis) => {
    const layers = await layersOf([only], [weight('w', dims, 1)]);
    const weightCount = dims.reduce((product, dim) => product * dim);
    expect(layers).toEqual([
      {
        name: 'w',
        opType: only.opType,
        nodes: [expect.objectContaining({ name: 'make_y' })],
        weightName: 'w',
        dims,
        weightCount,
        dataType: DATA_TYPE.float32,
        floatBitWidth: 32,
        channelAxis,
      },
    ]);
  });

  it('listLayers: float16 weights and typed data fields', async () => {
    const typed = newTensor({
      name: 'typed.weight',
      dataType: DATA_TYPE.float32,
      dims: [1n, 4n],
      floatData: [1, 2, 3, 4],
    });
    const nodes = [node('Conv', ['x', 'half.weight'], ['h']), node('Gemm', ['x', 'typed.weight'], ['y'])];
    const layers = await layersOf(nodes, [weight('half.weight', [2, 4, 1, 1], 1, DATA_TYPE.float16), typed]);
    expect(layers.map(({ name, floatBitWidth }) => [name, floatBitWidth])).toEqual([
      ['half', 16],
      ['typed', 32],
    ]);
  });

  it('listLayers: a weight shared by two nodes is one layer, listed where the first stands', async () => {
    const nodes = [
      node('Conv', ['x', 'shared.weight'], ['a']),
      node('Conv', ['a', 'own.weight'], ['b']),
      node('Conv', ['b', 'shared.weight'], ['y']),
    ];
    const layers = await layersOf(nodes, [
      weight('own.weight', [4, 4, 1, 1], 1),
      weight('shared.weight', [4, 4, 1, 1], 2),
    ]);
    expect(layers.map(({ name, nodes }) => [name, nodes.map(({ output }) => output[0])])).toEqual([
      ['shared', ['a', 'y']],
      ['own', ['b']],
    ]);
  });

  it('listLayers: what is no constant float matrix of a layer is left alone', async () => {
    const integers = newTensor({ name: 'q', dataType: DATA_TYPE.int8, dims: [4n, 4n], rawData: new Uint8Array(16) });
    const nodes = [
      node('DequantizeLinear', ['q', 'one'], ['dequantized']),
      node('MatMul', ['x', 'dequantized'], ['a']),
      node('MatMul', ['x', 'a'], ['b']),
      node('MatMul', ['x', 'vector'], ['c']),
      node('MatMul', ['x', 'empty'], ['d']),
      node('Conv', ['x', 'double'], ['e']),
      newNode({ opType: 'Conv', domain: 'custom', input: ['x', 'custom'], output: ['f'] }),
      node('Add', ['x', 'custom'], ['g']),
      node('MatMul', ['x', 'kept.weight'], ['y']),
    ];
    const layers = await layersOf(nodes, [
      integers,
      floatTensor('one', [], Float32Array.of(1)),
      weight('vector', [8], 1),
      weight('empty', [8, 0], 1),
      newTensor({ name: 'double', dataType: DATA_TYPE.float64, dims: [1n, 1n], doubleData: [1] }),
      weight('custom', [1, 4, 1, 1], 1),
      weight('kept.weight', [8, 2], 1),
    ]);
    expect(layers.map(({ name }) => name)).toEqual(['kept']);
  });

  it('listLayers: a model without layers is refused, naming what comes near', async () => {
    const WHAT =
      'built.onnx: the model has no layer to quantize (Conv, ConvTranspose, Gemm or MatMul with a constant float weight)';
    const FIX = '\n  fix: export the float model, with its weights as initializers';
    expect(await messageOf([node('Relu', ['x'], ['y'])], [])).toBe(WHAT + FIX);
    expect(await messageOf([node('MatMul', ['x', 'x'], ['y'])], [])).toBe(
      `${WHAT}; these have no constant float weight: MatMul node 'make_y'${FIX}`,
    );
  });

  it.each([
    ['NaN', DATA_TYPE.float32, Number.NaN],
    ['infinity', DATA_TYPE.float32, Number.NEGATIVE_INFINITY],
    ['NaN in half precision', DATA_TYPE.float16, Number.NaN],
    ['a number beyond half precision', DATA_TYPE.float16, 70_000],
  ])('listLayers: %s in a weight is refused', async (_, dataType, broken) => {
    const values = Float32Array.of(1, 2, broken, 4);
    const message = await messageOf(
      [node('Gemm', ['x', 'fc.weight'], ['y'])],
      [floatTensor('fc.weight', [2, 2], values, dataType)],
    );
    expect(message).toBe(
      "built.onnx: the weight 'fc.weight' of layer 'fc' holds NaN or infinity (element 2)\n" +
        '  fix: train or export the model again: a broken weight cannot be quantized or trusted',
    );
  });
});

describe('layer names', () => {
  const named = (weightName: string, opType = 'Conv', nodeName = '') => ({
    weightName,
    node: newNode({ opType, name: nodeName }),
  });

  it('nameLayers: the weight without its suffix, else the path of the node, else operator and weight', () => {
    const names = nameLayers([
      named('layer1.0.conv1.weight'),
      named('conv_pw_1/kernel:0'),
      named('onnx::Conv_123', 'Conv', '/layer1/layer1.0/conv1/Conv'),
      named('val_7', 'MatMul', '/encoder/fc/MatMul_1'),
      named('42', 'Gemm', ''),
      named('weight', 'Conv', ''),
    ]);
    expect(names).toEqual(['layer1.0.conv1', 'conv_pw_1', 'layer1.0.conv1#2', 'encoder.fc', 'Gemm:42', 'weight']);
  });

  it('nameLayers: no two names are the same, even when one looks like a repetition', () => {
    expect(nameLayers([named('a.weight'), named('a#2.weight'), named('a.kernel')])).toEqual(['a', 'a#2', 'a#3']);
  });

  const EXPECTED: Record<string, { count: number; some: string[] }> = {
    resnet20: { count: 20, some: ['conv1', 'layer1.0.conv1', 'layer3.2.conv2', 'linear'] },
    resnet32: { count: 32, some: ['conv1', 'layer1.4.conv2', 'layer3.4.conv2', 'linear'] },
    mobilenet: { count: 28, some: ['conv1', 'conv_dw_1', 'conv_pw_13', 'preds'] },
    ultraface: {
      count: 52,
      some: ['base_net.0.0', 'base_net.7.branch2.3.conv', 'extras.0.2.2', 'regression_headers.3'],
    },
  };

  it.each(presentModels())('listLayers: the layers of $name have readable names', async (shared) => {
    const names = listLayers(await loadPrepared(shared)).map(({ name }) => name);
    const { count, some } = EXPECTED[shared.name]!;
    expect(names).toHaveLength(count);
    expect(names).toEqual(expect.arrayContaining(some));
    for (const name of names) expect(name).toMatch(/^[a-zA-Z][\w.]*$/);
    expect(new Set(names).size).toBe(names.length);
  });
});
