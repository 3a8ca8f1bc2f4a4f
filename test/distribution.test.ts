import { describe, expect, it } from 'vitest';
import { classCountOf, distributionKind, divergence, floatsOf, logProbabilities } from '../src/distribution.ts';
import { encodeFloat16Array } from '../src/float16.ts';
import type { Tensor } from '../src/tensor.ts';
import { seededNumbers } from './onnx/small-model.ts';

function output(dims: readonly number[], ...numbers: number[]): Tensor {
  return { elementType: 'float32', dims, data: Float32Array.from(numbers) };
}

function half({ dims, data }: Tensor): Tensor {
  return { elementType: 'float16', dims, data: encodeFloat16Array(data as Float32Array) };
}

/** KL(p ‖ q) of one item, from probabilities of float64. */
function divergenceOf(p: readonly number[], q: readonly number[]): number {
  return divergence(Float64Array.from(p, Math.log), Float64Array.from(q, Math.log), 0, p.length);
}

describe('distributionKind', () => {
  it.each([
    ['rows that sum to one', output([2, 2], 0.25, 0.75, 1, 0), 'probabilities'],
    ['rows of every position of a map', output([1, 2, 2], 0.5, 0.5, 0.1, 0.9), 'probabilities'],
    ['a sum that misses one by rounding', output([1, 3], 0.333, 0.333, 0.333), 'probabilities'],
    ['one row of logits', output([2, 2], 0.25, 0.75, -1, 2), 'logits'],
    ['positive numbers of another sum', output([1, 2], 0.5, 0.6), 'logits'],
    ['numbers that sum to one outside the range', output([1, 2], 1.5, -0.5), 'logits'],
    ['no number', output([1, 2], Number.NaN, 1), 'logits'],
    ['independent probabilities', output([1, 3], 0.9, 0.8, 0.1), 'logits'],
  ] as const)('distributionKind: %s', (_, tensor, kind) => {
    expect(distributionKind(tensor)).toBe(kind);
  });

  it('distributionKind: a softmax of a thousand classes rounded to half precision is still probabilities', () => {
    const next = seededNumbers(1);
    for (const spread of [0.1, 3, 12]) {
      const logits = Array.from({ length: 1000 }, () => next() * spread);
      const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
      const softmax = output([1, 1000], ...logits.map((logit) => Math.exp(logit) / sum));
      expect(distributionKind(softmax)).toBe('probabilities');
      expect(distributionKind(half(softmax))).toBe('probabilities');
    }
  });
});

describe('classCountOf and floatsOf', () => {
  it('classCountOf: the last axis holds classes', () => {
    expect(classCountOf(output([4, 7, 3]))).toBe(3);
    expect(classCountOf(output([]))).toBe(1);
  });

  it('floatsOf: float32 is not copied, half floats are decoded', () => {
    const tensor = output([2], 1.5, -2);
    expect(floatsOf(tensor)).toBe(tensor.data);
    expect(floatsOf(half(tensor))).toEqual(Float32Array.of(1.5, -2));
  });

  it('floatsOf: integers hold no distribution', () => {
    const classes: Tensor = { elementType: 'int64', dims: [1], data: BigInt64Array.of(3n) };
    expect(() => floatsOf(classes)).toThrow(new TypeError('an output of int64 holds no distribution'));
  });
});

describe('logProbabilities', () => {
  it('logProbabilities: of logits, by hand', () => {
    const logs = logProbabilities(output([2, 2], 0, Math.log(3), 5, 5), 'logits');
    for (const [index, probability] of [0.25, 0.75, 0.5, 0.5].entries()) {
      expect(logs[index]).toBeCloseTo(Math.log(probability), 7);
    }
  });

  it('logProbabilities: logits of any size neither overflow nor vanish', () => {
    const logs = logProbabilities(output([2, 2], 10_000, 9_999, -10_000, 0), 'logits');
    expect(logs[0]).toBeCloseTo(-Math.log(1 + Math.exp(-1)), 12);
    expect(Array.from(logs.subarray(2))).toEqual([-10_000, 0]);
  });

  it('logProbabilities: of probabilities, with a floor for zero', () => {
    const logs = logProbabilities(output([1, 3], 0.25, 0.75, 0), 'probabilities');
    expect(Array.from(logs)).toEqual([Math.log(0.25), Math.log(0.75), -126 * Math.LN2]);
  });

  it('logProbabilities: both forms of one distribution agree', () => {
    const next = seededNumbers(3);
    const logits = Array.from({ length: 10 }, () => next() * 5);
    const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
    const fromLogits = logProbabilities(output([1, 10], ...logits), 'logits');
    const softmax = output([1, 10], ...logits.map((logit) => Math.exp(logit) / sum));
    const fromProbabilities = logProbabilities(softmax, 'probabilities');
    for (const [index, log] of fromLogits.entries()) expect(log).toBeCloseTo(fromProbabilities[index]!, 5);
  });

  it.each(['logits', 'probabilities'] as const)(
    'logProbabilities: no number among %s spoils its row and no other',
    (kind) => {
      const logs = logProbabilities(output([2, 2], 0.5, 0.5, Number.NaN, 0.5), kind);
      expect(logs.subarray(0, 2).some(Number.isNaN)).toBe(false);
      expect(logs[2]).toBeNaN();
    },
  );
});

describe('divergence', () => {
  it.each([
    [[0.5, 0.5], [0.25, 0.75], 0.5 * Math.log(4 / 3)],
    [[1, 0], [0.5, 0.5], Math.LN2],
    [[0.2, 0.3, 0.5], [0.5, 0.3, 0.2], 0.3 * Math.log(2.5)],
    [[0.5, 0.5], [1, 0], Number.POSITIVE_INFINITY],
  ])('divergence: of %j from %j, by hand', (p, q, expected) => {
    expect(divergenceOf(p, q)).toBeCloseTo(expected, 12);
  });

  it('divergence: nothing between a distribution and itself, impossible classes included', () => {
    for (const p of [
      [0.1, 0.9],
      [1, 0],
      [0.25, 0.75, 0],
    ])
      expect(divergenceOf(p, p)).toBe(0);
  });

  it('divergence: a class that cannot be adds nothing, whatever the other says of it', () => {
    expect(divergenceOf([1, 0, 0], [0.5, 0.5, 0])).toBeCloseTo(Math.LN2, 12);
  });

  it('divergence: never negative, and only of the item asked for', () => {
    const next = seededNumbers(5);
    const logits = () => output([4, 6], ...Array.from({ length: 24 }, () => next() * 4));
    const [p, q] = [logProbabilities(logits(), 'logits'), logProbabilities(logits(), 'logits')];
    for (let item = 0; item < 4; item++) {
      const start = item * 6;
      const [pRow, qRow] = [p, q].map((logs) => Array.from(logs.subarray(start, start + 6), Math.exp));
      const found = divergence(p, q, start, 6);
      expect(found).toBeCloseTo(divergenceOf(pRow!, qRow!), 12);
      expect(found).toBeGreaterThan(0);
    }
  });

  it('divergence: no number on either side is no divergence', () => {
    expect(divergenceOf([Number.NaN, 0.5], [0.5, 0.5])).toBeNaN();
    expect(divergenceOf([0.5, 0.5], [0.5, Number.NaN])).toBeNaN();
    expect(divergenceOf([1, 0], [0.5, Number.NaN])).toBeNaN();
  });
});
