import { describe, expect, it } from 'vitest';
import type { Batch } from '../../src/dataset/sample-set.ts';
import { createLosses, type LossName } from '../../src/sensitivity/losses.ts';
import type { Tensor } from '../../src/tensor.ts';

function floats(dims: number[], ...values: number[]): Tensor {
  return { elementType: 'float32', dims, data: Float32Array.from(values) };
}

/** @param fedCount samples fed, those that only fill up the batch included */
function batchOf(sampleCount: number, labels?: number[], fedCount = sampleCount): Batch {
  const feeds = { x: floats([fedCount], ...new Array<number>(fedCount).fill(0)) };
  return { feeds, sampleCount, ...(labels === undefined ? {} : { labels: Int32Array.from(labels) }) };
}

function lossOf(name: LossName, batch: Batch, reference: Tensor, output: Tensor): number[] {
  return [...createLosses(name, [batch], [[reference]], ['y'])[0]!([output])];
}

const HALF = Math.log(0.5);

describe('createLosses: kl', () => {
  it('is KL(float ‖ perturbed) of the softmax, by hand', () => {
    const [loss] = lossOf('kl', batchOf(1), floats([1, 2], 0, 0), floats([1, 2], Math.log(3), 0));
    expect(loss).toBeCloseTo(0.5 * (HALF - Math.log(0.75)) + 0.5 * (HALF - Math.log(0.25)), 6);
  });

  it('takes probabilities as they are', () => {
    const [loss] = lossOf('kl', batchOf(1), floats([1, 2], 0.5, 0.5), floats([1, 2], 0.75, 0.25));
    expect(loss).toBeCloseTo(0.5 * (HALF - Math.log(0.75)) + 0.5 * (HALF - Math.log(0.25)), 6);
  });

  it('is zero for the float output itself', () => {
    expect(lossOf('kl', batchOf(2), floats([2, 2], 1, 2, 3, -4), floats([2, 2], 1, 2, 3, -4))).toEqual([0, 0]);
  });

  it('passes over the samples that only fill up a fixed batch', () => {
    const losses = lossOf('kl', batchOf(1, undefined, 2), floats([2, 2], 0, 0, 0, 0), floats([2, 2], 0, 0, 9, 0));
    expect(losses).toEqual([0]);
  });

  it('is the mean over the items of a sample', () => {
    const reference = floats([1, 2, 2], 0.5, 0.5, 0.5, 0.5);
    const [loss] = lossOf('kl', batchOf(1), reference, floats([1, 2, 2], 0.75, 0.25, 0.5, 0.5));
    expect(loss).toBeCloseTo((0.5 * (HALF - Math.log(0.75)) + 0.5 * (HALF - Math.log(0.25))) / 2, 6);
  });

  it('gives NaN, not a number, when the perturbed output is NaN', () => {
    expect(lossOf('kl', batchOf(1), floats([1, 2], 0, 0), floats([1, 2], Number.NaN, 0))[0]).toBeNaN();
  });

  it('refuses rows of logits, because any map of numbers could be rows', () => {
    const map = floats([1, 2, 2], 0, 1, 2, 3);
    expect(() => createLosses('kl', [batchOf(1)], [[map]], ['heat'])).toThrow("the model has 'heat' [1, 2, 2]");
  });

  it('refuses a model with two outputs, and names them', () => {
    const outputs = [floats([1, 2], 0, 1), floats([1, 4], 0, 1, 2, 3)];
    expect(() => createLosses('kl', [batchOf(1)], [outputs], ['scores', 'boxes'])).toThrow(
      "the loss kl needs one output of class scores, shape [batch, classes]; the model has 'scores' [1, 2], 'boxes' [1, 4]\n  fix: set sensitivity.loss to mse",
    );
  });
});

describe('createLosses: cross-entropy', () => {
  it("is the rise of the label's −log p over the float model's", () => {
    const [loss] = lossOf('cross-entropy', batchOf(1, [1]), floats([1, 2], 0, 0), floats([1, 2], Math.log(3), 0));
    expect(loss).toBeCloseTo(HALF - Math.log(0.25), 6);
  });
});

describe('createLosses: mse', () => {
  it('is the squared difference over the variance of the float output', () => {
    const [loss] = lossOf('mse', batchOf(1), floats([1, 2], 1, 3), floats([1, 2], 1, 5));
    expect(loss).toBe(4 / 2 / 1);
  });

  it('is the mean over several outputs, each in its own scale', () => {
    const reference = [floats([1, 2], 1, 3), floats([1, 2], 10, 30)];
    const [loss] = createLosses('mse', [batchOf(1)], [reference], ['a', 'b']);
    expect([...loss!([floats([1, 2], 1, 5), floats([1, 2], 10, 30)])]).toEqual([1]);
  });

  it('takes a constant output in its own units', () => {
    expect(lossOf('mse', batchOf(1), floats([1, 1], 2), floats([1, 1], 5))).toEqual([9]);
  });
});

describe('createLosses', () => {
  it('refuses a float model that gives NaN on the calibration data', () => {
    expect(() => createLosses('mse', [batchOf(1)], [[floats([1, 1], Number.NaN)]], ['y'])).toThrow(
      "the float model's output 'y' is NaN or infinite on the calibration data\n  fix: check the model and the preprocessing",
    );
  });

  it('refuses an output that is no float tensor', () => {
    const labels: Tensor = { elementType: 'int64', dims: [1], data: BigInt64Array.of(3n) };
    expect(() => createLosses('mse', [batchOf(1)], [[labels]], ['label'])).toThrow(
      "the model's output 'label' is int64, which no loss can compare\n  fix: export the model without that output",
    );
  });

  it('refuses an output whose first axis does not count the samples', () => {
    expect(() => createLosses('mse', [batchOf(3)], [[floats([1, 3], 1, 2, 3)]], ['y'])).toThrow(
      "the model's output 'y' [1, 3] of 3 samples has no axis of samples first\n  fix: export the model with the batch on the first axis",
    );
  });
});
