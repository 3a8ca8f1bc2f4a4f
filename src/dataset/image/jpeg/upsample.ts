/**
 * Chroma rows at full resolution. Halved dimensions are interpolated with the weights 3/4 and 1/4 of libjpeg's
 * "fancy" upsampling, rounding alternately up and down; other ratios repeat samples, as libjpeg does.
 */
import type { Component, Frame } from './frame.ts';
import type { Plane } from './inverse-dct.ts';

/** Writes row `y` of the full picture; `row` has room for the picture's width and a little more. */
export type WriteRow = (y: number, row: Uint8Array) => void;

/** Room that a row needs beyond the picture's width: the widest horizontal ratio. */
export const ROW_MARGIN = 4;

/** libjpeg interpolates no component narrower than this. */
const SMALLEST_INTERPOLATED_WIDTH = 3;

export function rowWriter(component: Component, plane: Plane, frame: Frame): WriteRow {
  const horizontalRatio = frame.largestHorizontal / component.horizontal;
  const verticalRatio = frame.largestVertical / component.vertical;
  const { width } = component;
  const isWide = width >= SMALLEST_INTERPOLATED_WIDTH;
  if (horizontalRatio === 2 && verticalRatio === 1 && isWide) {
    return (y, row) => interpolateAcross(readRow(plane, y), width, row);
  }
  if (horizontalRatio === 1 && verticalRatio === 2) return (y, row) => interpolateDown(component, plane, y, row);
  if (horizontalRatio === 2 && verticalRatio === 2 && isWide) {
    const sums = new Int16Array(width);
    return (y, row) => interpolateBoth(component, plane, y, sums, row);
  }
  return (y, row) => repeat(readRow(plane, Math.floor(y / verticalRatio)), width, horizontalRatio, row);
}

function readRow({ samples, stride }: Plane, y: number): Uint8ClampedArray {
  return samples.subarray(y * stride, (y + 1) * stride);
}

function repeat(source: Uint8ClampedArray, width: number, ratio: number, row: Uint8Array): void {
  if (ratio === 1) row.set(source.subarray(0, width));
  else for (let x = 0; x < width; x++) row.fill(source[x]!, x * ratio, (x + 1) * ratio);
}

function interpolateAcross(source: Uint8ClampedArray, width: number, row: Uint8Array): void {
  for (let x = 0; x < width; x++) {
    const near = source[x]! * 3;
    row[2 * x] = x === 0 ? source[0]! : (near + source[x - 1]! + 1) >> 2;
    row[2 * x + 1] = x === width - 1 ? source[x]! : (near + source[x + 1]! + 2) >> 2;
  }
}

function interpolateDown(component: Component, plane: Plane, y: number, row: Uint8Array): void {
  const [near, far] = nearAndFarRow(component, plane, y);
  const rounding = y % 2 === 0 ? 1 : 2;
  for (let x = 0; x < component.width; x++) row[x] = (near[x]! * 3 + far[x]! + rounding) >> 2;
}

/** @param sums scratch, shape [component width] */
function interpolateBoth(component: Component, plane: Plane, y: number, sums: Int16Array, row: Uint8Array): void {
  const [near, far] = nearAndFarRow(component, plane, y);
  const last = component.width - 1;
  for (let x = 0; x <= last; x++) sums[x] = near[x]! * 3 + far[x]!;
  for (let x = 0; x <= last; x++) {
    const sum = sums[x]!;
    row[2 * x] = (sum * 3 + sums[x === 0 ? 0 : x - 1]! + 8) >> 4;
    row[2 * x + 1] = (sum * 3 + sums[x === last ? last : x + 1]! + 7) >> 4;
  }
}

/**
 * The two rows of a vertically halved component that lie around row `y` of the picture; the edge rows stand in for
 * what lies outside.
 */
function nearAndFarRow(
  component: Component,
  plane: Plane,
  y: number,
): [near: Uint8ClampedArray, far: Uint8ClampedArray] {
  const near = y >> 1;
  const far = y % 2 === 0 ? Math.max(near - 1, 0) : Math.min(near + 1, component.height - 1);
  return [readRow(plane, near), readRow(plane, far)];
}
