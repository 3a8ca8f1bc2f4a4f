import { describe, expect, it } from 'vitest';
import { DATA_TYPE, dataTypeName, elementTypeOf, rawDataSize } from '../../src/onnx/data-type.ts';
import { floatTensor, readFloats } from '../../src/onnx/tensor-values.ts';
import { newTensor } from '../../src/wire/model-proto.ts';

const { float16, float32, int8 } = DATA_TYPE;

describe('readFloats', () => {
  // 1, −2, 0.5 and the smallest binary16, as onnx.proto lays them out.
  const halves = [0x3c00, 0xc000, 0x3800, 0x0001];

  it.each([
    [
      'float32 in raw_data',
      newTensor({ dataType: float32, rawData: Uint8Array.of(0, 0, 128, 63, 0, 0, 0, 192) }),
      [1, -2],
    ],
    ['float32 in float_data', newTensor({ dataType: float32, floatData: [1, -2] }), [1, -2]],
    ['float16 in raw_data', newTensor({ dataType: float16, rawData: Uint8Array.of(0, 60, 0, 192) }), [1, -2]],
    ['float16 in int32_data', newTensor({ dataType: float16, int32Data: halves }), [1, -2, 0.5, 2 ** -24]],
    ['no elements', newTensor({ dataType: float32 }), []],
  ])('readFloats: %s', (_, tensor, expected) => {
    expect([...readFloats(tensor, 'm.onnx')]).toEqual(expected);
  });

  it('readFloats: raw_data may start at any byte of the file', () => {
    const rawData = Uint8Array.of(9, 0, 0, 128, 63).subarray(1);
    expect([...readFloats(newTensor({ dataType: float32, rawData }), '')]).toEqual([1]);
    expect([...readFloats(newTensor({ dataType: float16, rawData: rawData.subarray(2) }), '')]).toEqual([1.875]);
  });

  it('readFloats: another type is refused by name', () => {
    const tensor = newTensor({ name: 'w', dataType: int8, rawData: Uint8Array.of(1) });
    expect(() => readFloats(tensor, 'm.onnx')).toThrow("m.onnx: initializer 'w' is int8, not float");
  });
});

describe('floatTensor', () => {
  it('floatTensor: readFloats gives the numbers back, rounded to half precision where asked', () => {
    const values = Float32Array.of(1, -0.1, 65504, 3e-8);
    expect([...readFloats(floatTensor('w', [4], values), '')]).toEqual([...values]);
    expect(floatTensor('w', [2, 2], values)).toMatchObject({ name: 'w', dims: [2n, 2n], dataType: 1 });
    const half = floatTensor('w', [4], values, float16);
    expect(half.rawData).toHaveLength(8);
    expect([...readFloats(half, '')]).toEqual([1, -0.0999755859375, 65504, 2 ** -24]);
  });
});

describe('data types', () => {
  it('dataTypeName, elementTypeOf, rawDataSize: by the numbers of onnx.proto', () => {
    expect([1, 10, 22, 99, undefined].map(dataTypeName)).toEqual([
      'float32',
      'float16',
      'int4',
      'data type 99',
      'data type 0',
    ]);
    expect([1, 7, 16, undefined].map(elementTypeOf)).toEqual(['float32', 'int64', undefined, undefined]);
    const sizes = [1, 10, 22, 25, 15, 8].map((dataType) => rawDataSize(dataType, 5));
    expect(sizes).toEqual([20, 10, 3, 2, 80, undefined]);
  });
});
