import { describe, expect, it } from 'vitest';
import { createMatrixProduct } from '../../src/calibrate/matrix-product.ts';
import { multiplyByLoops } from '../../src/quantize/matrix-product.ts';
import { openOnnxruntimeSession } from '../../src/runtime/onnxruntime.ts';
import { seededNumbers } from '../onnx/small-model.ts';

const randomMatrix = (rowCount: number, columnCount: number, seed: number) => ({
  rowCount,
  columnCount,
  values: Float64Array.from({ length: rowCount * columnCount }, seededNumbers(seed)),
});

describe('createMatrixProduct', () => {
  it.each([
    [1, 1, 1],
    [3, 5, 2],
    [64, 200, 33],
  ])('createMatrixProduct: %d×%d times %d columns, in float64', async (rows, inner, columns) => {
    const product = createMatrixProduct(openOnnxruntimeSession);
    const [left, right] = [randomMatrix(rows, inner, 1), randomMatrix(inner, columns, 2)];
    const found = await product.multiply(left, right);
    const expected = multiplyByLoops(left, right);
    expect(Math.max(...found.map((value, index) => Math.abs(value - expected[index]!)))).toBeLessThan(1e-13);
    await product.release();
  });

  it('createMatrixProduct: takes parts of larger arrays', async () => {
    const product = createMatrixProduct(openOnnxruntimeSession);
    const whole = Float64Array.of(9, 1, 2, 3, 4, 9);
    const square = { values: whole.subarray(1, 5), rowCount: 2, columnCount: 2 };
    expect([...(await product.multiply(square, square))]).toEqual([7, 10, 15, 22]);
    await product.release();
  });

  it('createMatrixProduct: the same bits with one thread as with several', async () => {
    const [left, right] = [randomMatrix(150, 700, 3), randomMatrix(700, 130, 4)];
    const [one, several] = await Promise.all(
      [1, 2].map(async (threadCount) => {
        const product = createMatrixProduct((model) => openOnnxruntimeSession(model, { threadCount }));
        const found = await product.multiply(left, right);
        await product.release();
        return found;
      }),
    );
    expect(one).toEqual(several);
  });

  it('createMatrixProduct: opens one session, and none without a product', async () => {
    let opened = 0;
    const open = (model: Uint8Array) => {
      opened++;
      return openOnnxruntimeSession(model);
    };
    await createMatrixProduct(open).release();
    expect(opened).toBe(0);
    const product = createMatrixProduct(open);
    const one = { values: Float64Array.of(2), rowCount: 1, columnCount: 1 };
    await Promise.all([product.multiply(one, one), product.multiply(one, one)]);
    expect(opened).toBe(1);
    await product.release();
  });
});
