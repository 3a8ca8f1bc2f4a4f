/**
 * The inverse transform of JPEG blocks: the integer algorithm of Loeffler, Ligtenberg and Moschytz (ICASSP 1989) with
 * the precision of libjpeg's "islow" method, so that the samples equal those of the decoders that datasets are
 * trained with.
 */
import type { Component } from './frame.ts';

/** Fraction bits of the constants, and extra ones kept between the two passes. */
const CONSTANT_BITS = 13;
const EXTRA_BITS = 2;

/** round(c · 2^13) of the sums of cosines that the algorithm multiplies with. */
const C_0_298631336 = 2446;
const C_0_390180644 = 3196;
const C_0_541196100 = 4433;
const C_0_765366865 = 6270;
const C_0_899976223 = 7373;
const C_1_175875602 = 9633;
const C_1_501321110 = 12299;
const C_1_847759065 = 15137;
const C_1_961570560 = 16069;
const C_2_053119869 = 16819;
const C_2_562915447 = 20995;
const C_3_072711026 = 25172;

/** A component's samples; rows are `stride` long, of which the component's width is meaningful. */
export type Plane = { readonly stride: number; readonly samples: Uint8ClampedArray };

/** Samples of a component whose quantization table is known. */
export function inverseTransform(component: Component): Plane {
  const { blocksPerLine, blocksPerColumn, storedBlocksPerLine, coefficients } = component;
  const stride = blocksPerLine * 8;
  const samples = new Uint8ClampedArray(stride * blocksPerColumn * 8);
  const block = new Int32Array(64);
  for (let row = 0; row < blocksPerColumn; row++) {
    for (let column = 0; column < blocksPerLine; column++) {
      const from = (row * storedBlocksPerLine + column) * 64;
      for (let i = 0; i < 64; i++) block[i] = coefficients[from + i]! * component.quantization![i]!;
      transformBlock(block);
      storeBlock(block, samples, row * 8 * stride + column * 8, stride);
    }
  }
  return { stride, samples };
}

function transformBlock(block: Int32Array): void {
  for (let column = 0; column < 8; column++) transformLine(block, column, 8, CONSTANT_BITS - EXTRA_BITS);
  // The last three bits are the transform's own factor of 8.
  for (let row = 0; row < 8; row++) transformLine(block, row * 8, 1, CONSTANT_BITS + EXTRA_BITS + 3);
}

/** One-dimensional transform of the eight values at `start`, `start + step`, …, in place, rounded by `shift` bits. */
function transformLine(block: Int32Array, start: number, step: number, shift: number): void {
  const x0 = block[start]!;
  const x1 = block[start + step]!;
  const x2 = block[start + 2 * step]!;
  const x3 = block[start + 3 * step]!;
  const x4 = block[start + 4 * step]!;
  const x5 = block[start + 5 * step]!;
  const x6 = block[start + 6 * step]!;
  const x7 = block[start + 7 * step]!;
  const half = 1 << (shift - 1);

  const evenSum = Math.imul(x2 + x6, C_0_541196100);
  const even2 = evenSum - Math.imul(x6, C_1_847759065);
  const even3 = evenSum + Math.imul(x2, C_0_765366865);
  const sum04 = ((x0 + x4) << CONSTANT_BITS) + half;
  const difference04 = ((x0 - x4) << CONSTANT_BITS) + half;
  const e0 = sum04 + even3;
  const e3 = sum04 - even3;
  const e1 = difference04 + even2;
  const e2 = difference04 - even2;

  const z5 = Math.imul(x7 + x3 + x5 + x1, C_1_175875602);
  const z1 = -Math.imul(x7 + x1, C_0_899976223);
  const z2 = -Math.imul(x5 + x3, C_2_562915447);
  const z3 = z5 - Math.imul(x7 + x3, C_1_961570560);
  const z4 = z5 - Math.imul(x5 + x1, C_0_390180644);
  const o0 = Math.imul(x7, C_0_298631336) + z1 + z3;
  const o1 = Math.imul(x5, C_2_053119869) + z2 + z4;
  const o2 = Math.imul(x3, C_3_072711026) + z2 + z3;
  const o3 = Math.imul(x1, C_1_501321110) + z1 + z4;

  block[start] = (e0 + o3) >> shift;
  block[start + step] = (e1 + o2) >> shift;
  block[start + 2 * step] = (e2 + o1) >> shift;
  block[start + 3 * step] = (e3 + o0) >> shift;
  block[start + 4 * step] = (e3 - o0) >> shift;
  block[start + 5 * step] = (e2 - o1) >> shift;
  block[start + 6 * step] = (e1 - o2) >> shift;
  block[start + 7 * step] = (e0 - o3) >> shift;
}

/** Shift the values from around 0 to around 128; the array clamps them to a byte. */
function storeBlock(block: Int32Array, samples: Uint8ClampedArray, offset: number, stride: number): void {
  for (let y = 0; y < 8; y++) {
    for (let x = 0; x < 8; x++) samples[offset + y * stride + x] = block[y * 8 + x]! + 128;
  }
}
