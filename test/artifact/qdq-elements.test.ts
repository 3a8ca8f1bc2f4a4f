import { describe, expect, it } from 'vitest';
import { ELEMENT_TYPE, type ElementWidth, elementWidthFor, packElements } from '../../src/artifact/qdq-elements.ts';
import { floatTensor } from '../../src/onnx/tensor-values.ts';
import { newTensor } from '../../src/wire/model-proto.ts';
import { buildModel, node, runModel, seededNumbers, value } from '../onnx/small-model.ts';

describe('elementWidthFor', () => {
  it('elementWidthFor: a width without a type of its own takes the next one up', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 8].map(elementWidthFor)).toEqual([2, 2, 4, 4, 8, 8, 8, 8]);
  });
});

describe('packElements', () => {
  it.each([
    { width: 8, values: [-128, -1, 0, 127], bytes: [0x80, 0xff, 0x00, 0x7f] },
    { width: 4, values: [-8, 7, -1, 1], bytes: [0x78, 0x1f] },
    { width: 4, values: [1, 2, -3], bytes: [0x21, 0x0d] },
    { width: 2, values: [1, -2, -1, 0], bytes: [0b00_11_10_01] },
    { width: 2, values: [-1, -1, -1, -1, 1], bytes: [0xff, 0x01] },
    { width: 4, values: [], bytes: [] },
  ] as const)('packElements: INT$width $values, element 0 in the low bits', ({ width, values, bytes }) => {
    expect([...packElements(Int8Array.from(values), width)]).toEqual([...bytes]);
  });

  it.each([
    { width: 4, value: 8 },
    { width: 4, value: -9 },
    { width: 2, value: 2 },
    { width: 2, value: -3 },
  ] as const)('packElements: $value does not fit INT$width', ({ width, value: wrong }) => {
    const pack = () => packElements(Int8Array.of(0, wrong), width);
    expect(pack).toThrow(RangeError);
    expect(pack).toThrow(`${wrong} does not fit INT${width}`);
  });

  const counts = [1, 2, 3, 4, 5, 7, 8, 64, 1001];
  const cases = ([2, 4, 8] as const).flatMap((width) => counts.map((count) => ({ width, count })));

  it.each(cases)('packElements: onnxruntime reads $count elements of INT$width back', async ({ width, count }) => {
    const values = randomElements(width, count);
    const quantized = newTensor({
      name: 'q',
      dataType: ELEMENT_TYPE[width],
      dims: [BigInt(count)],
      rawData: packElements(values, width),
    });
    const model = buildModel({
      nodes: [node('DequantizeLinear', ['q', 'one'], ['y'])],
      initializers: [quantized, floatTensor('one', [], Float32Array.of(1))],
      outputs: [value('y', [count])],
      opset: 25,
      irVersion: 13,
    });
    expect((await runModel(model, {})).y?.data).toEqual(Float32Array.from(values));
  });
});

/** Both ends of the type and seeded integers between. */
function randomElements(width: ElementWidth, count: number): Int8Array {
  const next = seededNumbers(count);
  const half = 2 ** (width - 1);
  return Int8Array.from({ length: count }, (_, index) => {
    if (index < 2) return index === 0 ? -half : half - 1;
    return Math.floor(next() * half);
  });
}
