import { describe, expect, it } from 'vitest';
import { factorise } from '../../src/quantize/factorise.ts';
import { copyBlock, multiplyByLoops, transposed, withSmallProducts } from '../../src/quantize/matrix-product.ts';
import { randomMatrix } from './random-layers.ts';

const loops = async (...pair: Parameters<typeof multiplyByLoops>) => multiplyByLoops(...pair);

describe('factorise', () => {
  it.each([1, 2, 17, 128, 129, 300])('factorise: a matrix of size %d is the product of its factors', async (size) => {
    const { gram } = randomMatrix(1, size, size).statistics;
    const factor = gram.slice();
    expect(await factorise(factor, size, loops)).toBe(true);
    for (let row = 0; row < size; row++) factor.fill(0, row * size, row * size + row);
    const upper = { values: factor, rowCount: size, columnCount: size };
    const product = multiplyByLoops(transposed(upper), upper);
    const largest = Math.max(...gram.map(Math.abs));
    expect(Math.max(...product.map((value, index) => Math.abs(value - gram[index]!)))).toBeLessThan(1e-12 * largest);
  });

  it.each([0, 5, 140])('factorise: says no when the pivot %d is not positive', async (pivot) => {
    const size = 150;
    const identity = new Float64Array(size ** 2);
    for (let row = 0; row < size; row++) identity[row * size + row] = row === pivot ? -1 : 1;
    expect(await factorise(identity, size, loops)).toBe(false);
  });

  it('factorise: says no to NaN', async () => {
    expect(await factorise(Float64Array.of(Number.NaN), 1, loops)).toBe(false);
  });
});

describe('multiplyByLoops', () => {
  it('multiplyByLoops: multiplies by hand', () => {
    const left = { values: Float64Array.of(1, 2, 3, 4, 5, 6), rowCount: 2, columnCount: 3 };
    const right = { values: Float64Array.of(1, 0, 0, 1, 2, 2), rowCount: 3, columnCount: 2 };
    expect([...multiplyByLoops(left, right)]).toEqual([7, 8, 16, 17]);
  });

  it('withSmallProducts: asks for large products only', async () => {
    const asked: number[] = [];
    const multiply = withSmallProducts(async (left, right) => {
      asked.push(left.rowCount);
      return multiplyByLoops(left, right);
    });
    for (const size of [1, 40, 41]) {
      const square = { values: new Float64Array(size ** 2).fill(1), rowCount: size, columnCount: size };
      expect((await multiply(square, square))[0]).toBe(size);
    }
    expect(asked).toEqual([41]);
  });
});

describe('copyBlock', () => {
  const square = Float64Array.from({ length: 16 }, (_, index) => index);

  it('copyBlock: copies rows and columns, into given memory too', () => {
    const rows = { start: 1, end: 3 };
    const columns = { start: 2, end: 4 };
    const expected = { values: Float64Array.of(6, 7, 10, 11), rowCount: 2, columnCount: 2 };
    expect(copyBlock(square, 4, rows, columns)).toEqual(expected);
    const scratch = new Float64Array(6).fill(9);
    expect(copyBlock(square, 4, rows, columns, scratch)).toEqual(expected);
    expect([...scratch]).toEqual([6, 7, 10, 11, 9, 9]);
  });

  it('transposed: turns rows into columns', () => {
    const turned = transposed({ values: Float64Array.of(1, 2, 3, 4, 5, 6), rowCount: 2, columnCount: 3 });
    expect(turned).toEqual({ values: Float64Array.of(1, 4, 2, 5, 3, 6), rowCount: 3, columnCount: 2 });
  });
});
