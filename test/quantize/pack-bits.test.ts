import { describe, expect, it } from 'vitest';
import { type Grid, signedGrid } from '../../src/quantize/grid.ts';
import { chunksOf, packChunk, paddedCount, unpackChunks } from '../../src/quantize/pack-bits.ts';
import { seededNumbers } from '../onnx/small-model.ts';

const WIDTHS = [1, 2, 3, 4, 5, 6, 7];

function levelsOf({ quantMin, quantMax }: Grid): Int8Array {
  return Int8Array.from({ length: quantMax - quantMin + 1 }, (_, level) => quantMin + level);
}

function packAll(values: Int8Array, grid: Grid): Uint8Array[] {
  return chunksOf(grid.bitWidth).map((chunk) => packChunk(values, grid, chunk));
}

/** The definition bit by bit: element k·M + m in byte m, its chunk's bits from bit k·width on. */
function packSlowly(values: Int8Array, grid: Grid): Uint8Array[] {
  let shift = 0;
  return [4, 2, 1]
    .filter((width) => Math.floor(grid.bitWidth / width) % 2 === 1)
    .map((width) => {
      const bytes = new Uint8Array((paddedCount(values.length) * width) / 8);
      for (const [index, value] of values.entries()) {
        for (let bit = 0; bit < width; bit++) {
          const isSet = Math.floor((value - grid.quantMin) / 2 ** (shift + bit)) % 2 === 1;
          if (isSet) bytes[index % bytes.length]! += 2 ** (Math.floor(index / bytes.length) * width + bit);
        }
      }
      shift += width;
      return bytes;
    });
}

describe('chunksOf', () => {
  it.each([
    [1, [[1, 0]]],
    [2, [[2, 0]]],
    [
      3,
      [
        [2, 0],
        [1, 2],
      ],
    ],
    [4, [[4, 0]]],
    [
      5,
      [
        [4, 0],
        [1, 4],
      ],
    ],
    [
      6,
      [
        [4, 0],
        [2, 4],
      ],
    ],
    [
      7,
      [
        [4, 0],
        [2, 4],
        [1, 6],
      ],
    ],
  ])('chunksOf: %d bits', (bitWidth, expected) => {
    expect(chunksOf(bitWidth).map(({ width, shift }) => [width, shift])).toEqual(expected);
  });

  it.each([0, 8, 2.5, -1, Number.NaN])('chunksOf: refuses %d bits', (bitWidth) => {
    expect(() => chunksOf(bitWidth)).toThrow(new RangeError(`no chunks for ${bitWidth} bits`));
  });
});

describe('packChunk', () => {
  it('packChunk: bytes by hand', () => {
    const four = signedGrid(4);
    const rising = Int8Array.of(-8, -7, -6, -5, -4, -3, -2, -1);
    expect(packAll(rising, four)).toEqual([Uint8Array.of(0x40, 0x51, 0x62, 0x73)]);
    const two = signedGrid(2);
    expect(packAll(Int8Array.of(-2, -1, 0, 1, 1, 1, 1, 1), two)).toEqual([Uint8Array.of(0b11111000, 0b11111101)]);
    const three = signedGrid(3);
    // Levels 0 to 7: their low two bits, then their third.
    expect(packAll(Int8Array.of(-4, -3, -2, -1, 0, 1, 2, 3), three)).toEqual([
      Uint8Array.of(0b10001000, 0b11011101),
      Uint8Array.of(0b11110000),
    ]);
  });

  it('packChunk: elements are padded with zeros, which stand for the least value', () => {
    expect(packAll(Int8Array.of(7), signedGrid(4))).toEqual([Uint8Array.of(0x0f, 0, 0, 0)]);
    expect(packAll(new Int8Array(0), signedGrid(4))).toEqual([new Uint8Array(0)]);
  });

  it.each(WIDTHS)('packChunk: %d bits of every level, in exactly their bits', (bitWidth) => {
    const grid = signedGrid(bitWidth);
    const values = levelsOf(grid);
    const packed = packAll(values, grid);
    expect(packed).toEqual(packSlowly(values, grid));
    const sizeBytes = packed.reduce((sum, { length }) => sum + length, 0);
    expect(sizeBytes).toBe((paddedCount(values.length) * bitWidth) / 8);
  });

  it.each(WIDTHS)('packChunk: %d bits never clip', (bitWidth) => {
    const grid = signedGrid(bitWidth);
    for (const value of [grid.quantMax + 1, grid.quantMin - 1]) {
      for (const chunk of chunksOf(bitWidth)) {
        expect(() => packChunk(Int8Array.of(0, value).subarray(1), grid, chunk)).toThrow(
          new RangeError(`${value} is not on the grid ${grid.quantMin}…${grid.quantMax}`),
        );
      }
    }
  });
});

describe('unpackChunks', () => {
  it.each(WIDTHS)('unpackChunks: the inverse of packing %d bits, of every length', (bitWidth) => {
    const grid = signedGrid(bitWidth);
    const next = seededNumbers(bitWidth);
    for (const length of [0, 1, 2, 7, 8, 9, 15, 16, 17, 63, 64, 65, 300]) {
      const values = Int8Array.from({ length }, () => Math.floor((next() + 1) * 2 ** (bitWidth - 1)) + grid.quantMin);
      const packed = packAll(values, grid);
      expect(packed).toEqual(packSlowly(values, grid));
      expect(unpackChunks(packed, grid, length)).toEqual(values);
    }
  });
});
