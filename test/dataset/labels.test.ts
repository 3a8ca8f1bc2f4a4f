import { describe, expect, it } from 'vitest';
import { checkLabels, readLabels } from '../../src/dataset/labels.ts';
import { decodeNpy } from '../../src/dataset/npy-array.ts';
import type { SampleSet } from '../../src/dataset/sample-set.ts';
import { npy } from './npy-bytes.ts';

function labelsOf(file: Uint8Array, sampleCount: number): Int32Array {
  return readLabels({ subject: "array 'labels'", array: decodeNpy(file) }, sampleCount, 'd.npz');
}

describe('readLabels', () => {
  it.each([
    ['|u1', Uint8Array.of(0, 255)],
    ['|i1', Int8Array.of(-1, 127)],
    ['<u2', Uint16Array.of(0, 65535)],
    ['<i4', Int32Array.of(0, 2 ** 31 - 1)],
    ['<u8', BigUint64Array.of(0n, 999n)],
    ['<i8', BigInt64Array.of(-(2n ** 31n) + 1n, 5n)],
    ['<f4', Float32Array.of(0, 3)],
    ['<f8', Float64Array.of(0, 2 ** 31 - 1)],
  ])('readLabels: %s holds class indices', (descr, data) => {
    expect(labelsOf(npy(descr, [2], data), 2)).toEqual(Int32Array.from(data, Number));
  });

  it.each([
    ['<f4', Float32Array.of(0, 1.5), '1.5'],
    ['<f4', Float32Array.of(0, Number.NaN), 'NaN'],
    ['<f8', Float64Array.of(0, Number.POSITIVE_INFINITY), 'Infinity'],
    ['<u4', Uint32Array.of(0, 2 ** 31), '2147483648'],
    ['<i8', BigInt64Array.of(0n, -(2n ** 40n)), '-1099511627776'],
    ['<u8', BigUint64Array.of(0n, 2n ** 64n - 1n), '18446744073709551615'],
  ])('readLabels: %s with a number that is no class index is refused', (descr, data, shown) => {
    expect(() => labelsOf(npy(descr, [2], data), 2)).toThrow(
      `d.npz: the label of sample 1 is ${shown}, which is no class index\n` +
        "  fix: save whole numbers from 0 on: labels.astype('int64')",
    );
  });

  it.each([
    ['bool', '|b1', Uint8Array.of(0, 1)],
    ['float16', '<f2', Uint16Array.of(0, 0x3c00)],
  ])('readLabels: %s is refused', (dataType, descr, data) => {
    expect(() => labelsOf(npy(descr, [2], data), 2)).toThrow(
      `d.npz: array 'labels' is ${dataType}\n  fix: save labels.astype('int64')`,
    );
  });

  it.each([
    [[3], 3],
    [[2, 1], 2],
    [[1, 2], 2],
  ])('readLabels: shape %j is not one label per sample', (dims, length) => {
    expect(() => labelsOf(npy('|u1', dims, new Uint8Array(length)), 2)).toThrow(
      `d.npz: array 'labels' has shape [${dims.join(', ')}], but there are 2 samples\n` +
        '  fix: save one class index per sample, shape [2]',
    );
  });
});

describe('checkLabels', () => {
  const set = (fields: Partial<SampleSet>): SampleSet => ({
    path: 'd.npz',
    sampleCount: 3,
    read: async () => ({}),
    contentHashes: async () => [],
    ...fields,
  });

  it('checkLabels: classes of the model are the labels', () => {
    const labels = Int32Array.of(0, 9, 4);
    expect(checkLabels(set({ labels }), 10)).toBe(labels);
  });

  it('checkLabels: missing labels say how to add them', () => {
    expect(() => checkLabels(set({}), 10)).toThrow(
      'd.npz: the data have no labels, which the metric or the loss needs\n' +
        "  fix: add an array 'labels' to the .npz file, or one sub-folder of pictures per class; or use kl, which needs none",
    );
  });

  it.each([10, -1, 2 ** 31 - 1])('checkLabels: label %d is out of range', (label) => {
    expect(() => checkLabels(set({ labels: Int32Array.of(0, label, 11) }), 10)).toThrow(
      `d.npz: the label of sample 1 is ${label}, but the model's classes are 0 to 9\n` +
        '  fix: number the classes as the model does, from 0 on',
    );
  });

  it('checkLabels: a picture is named', () => {
    const fields = {
      path: '/pictures',
      labels: Int32Array.of(0, 1, 2),
      sampleNames: ['0/a.jpg', '1/b.jpg', '2/c.jpg'],
    };
    expect(() => checkLabels(set(fields), 2)).toThrow(
      "/pictures: the label of sample 2 (2/c.jpg) is 2, but the model's classes are 0 to 1",
    );
  });
});
