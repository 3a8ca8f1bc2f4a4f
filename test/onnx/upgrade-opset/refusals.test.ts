import { describe, expect, it } from 'vitest';
import { UnsupportedModelError } from '../../../src/errors.ts';
import { DATA_TYPE } from '../../../src/onnx/data-type.ts';
import type { Model } from '../../../src/onnx/model.ts';
import { floatList, int64List, stringAttribute } from '../../../src/onnx/upgrade-opset/constants.ts';
import { upgradeOpset } from '../../../src/onnx/upgrade-opset/upgrade-opset.ts';
import { newNode } from '../../../src/wire/model-proto.ts';
import { attribute, buildModel, decodeBuilt, node, value, weight } from '../small-model.ts';
import { graphCase, named, one, type UpgradeCase } from './cases.ts';

const { float, int } = attribute;

describe('upgradeOpset: refuses by name', () => {
  const bn = (attributes: Parameters<typeof one>[3], outputs = ['y']) =>
    one('', 8, 'BatchNormalization', {
      inputs: ['x', 'scale', 'bias', 'mean', 'variance'],
      initializers: ['scale', 'bias', 'mean', 'variance'].map((name, index) => weight(name, [3], index)),
      outputs,
      ...attributes,
    });
  const resize = (scales: readonly number[]) =>
    one('', 10, 'Resize', {
      inputs: ['x', 'scales'],
      initializers: [named('scales', floatList(scales))],
    });

  it.each([
    [
      'an operator it does not know',
      one('', 9, 'FancyOp'),
      21,
      "the FancyOp node 'make_y' (domain ai.onnx, opset 9) is not known",
    ],
    ['BatchNormalization with spatial=0', bn({ attributes: [int('spatial', 0)] }), 21, 'opset 9 dropped spatial=0'],
    ['BatchNormalization that trains', bn({}, ['y', 'm', 'v']), 21, 'its further outputs put it into training mode'],
    [
      'Dropout whose mask is read',
      graphCase('', 9, [node('Dropout', ['x'], ['d', 'mask']), node('Mul', ['d', 'mask'], ['y'])]),
      13,
      "the Dropout node 'make_d' (domain ai.onnx, opset 9) cannot be upgraded to opset 13: its mask 'mask' is read",
    ],
    ['Scan of opset 8', one('', 8, 'Scan'), 13, 'opset 9 took the batch axis out of it'],
    ['OneHot of opset 9', one('', 9, 'OneHot'), 13, 'opset 11 lets negative indices count from the back'],
    [
      'GroupNormalization of opset 18',
      one('', 18, 'GroupNormalization'),
      21,
      'opset 21 scales every channel on its own',
    ],
    ['RoiAlign beyond opset 21', one('', 16, 'RoiAlign'), 25, 'onnxruntime 1.30 has no kernel for it'],
    [
      'Cast to a float8 without infinity',
      one('', 21, 'Cast', { attributes: [int('to', 18)] }),
      25,
      'opset 24 casts infinity',
    ],
    ['Resize up and down to the nearest', resize([1, 1, 2, 0.5]), 13, 'it scales one axis up and another one down'],
    [
      'Resize by computed scales to the nearest',
      graphCase('', 10, [node('Abs', ['x'], ['s']), node('Resize', ['x', 's'], ['y'])]),
      13,
      'its scales are not constant',
    ],
    [
      'Resize with tf_half_pixel_for_nn and no floor',
      one('', 11, 'Resize', {
        attributes: [stringAttribute('coordinate_transformation_mode', 'tf_half_pixel_for_nn')],
        inputs: ['x', '', 'scales'],
        initializers: [named('scales', floatList([1, 1, 2, 2]))],
      }),
      13,
      'opset 13 dropped tf_half_pixel_for_nn',
    ],
    ['Upsample for opset 10', one('', 7, 'Upsample'), 10, 'its rewrite reaches opset 11'],
    [
      'Clip of a value whose type nothing tells',
      graphCase('', 9, [
        newNode({ opType: 'Own', domain: 'local', input: ['x'], output: ['u'] }),
        node('Clip', ['u'], ['c'], float('max', 1)),
        node('Neg', ['c'], ['y']),
      ]),
      13,
      "the element type of 'u' is not known to be a float type",
    ],
  ] as [string, UpgradeCase, number, string][])('%s', async (_, wanted, target, message) => {
    const model = await modelOf(wanted);
    expect(() => upgradeOpset(model, target)).toThrow(UnsupportedModelError);
    expect(() => upgradeOpset(model, target)).toThrow(message);
  });

  it('also inside a subgraph', async () => {
    const { parts } = one('', 9, 'Relu');
    const inner = buildModel({ nodes: [node('FancyOp', ['x'], ['t'])], outputs: [value('t', [1])] }).graph!;
    const branches = ['then_branch', 'else_branch'].map((name) => attribute.graph(name, inner));
    const condition = { ...int64List([1]), name: 'c', dataType: DATA_TYPE.bool, dims: [], rawData: Uint8Array.of(1) };
    const model = await decodeBuilt({
      ...parts,
      nodes: [node('If', ['c'], ['y'], ...branches)],
      initializers: [condition],
    });
    expect(() => upgradeOpset(model, 21)).toThrow("the FancyOp node 'make_t' (domain ai.onnx, opset 9) is not known");
  });

  it('takes a target beyond the table as a fault of the caller', async () => {
    const model = await modelOf(one('', 9, 'Relu'));
    expect(() => upgradeOpset(model, 26)).toThrow(RangeError);
  });
});

function modelOf({ parts }: UpgradeCase): Promise<Model> {
  return decodeBuilt(parts);
}
