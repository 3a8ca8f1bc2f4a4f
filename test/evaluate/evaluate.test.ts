import { expect, it } from 'vitest';
import type { Batch } from '../../src/dataset/sample-set.ts';
import { UserError } from '../../src/errors.ts';
import { type EvaluationInput, evaluate } from '../../src/evaluate/evaluate.ts';
import type { ProgressEvent } from '../../src/progress.ts';
import { seededRandom } from '../../src/random.ts';
import type { NamedTensors, Tensor } from '../../src/tensor.ts';
import { answering, floats, labelled, rows, streamOf, unlabelled } from './fake-session.ts';

/** One batch per answer, both models' outputs as they are given. */
function run(
  metric: EvaluationInput['metric'],
  batches: readonly Batch[],
  float: readonly NamedTensors[],
  artifact: readonly NamedTensors[],
  more: Partial<EvaluationInput> = {},
) {
  return evaluate({
    floatSession: answering(...float),
    artifactSession: answering(...artifact),
    batches: streamOf(batches),
    sampleCount: batches.reduce((sum, batch) => sum + batch.sampleCount, 0),
    metric,
    reportProgress: () => {},
    ...more,
  });
}

/** A run of one batch with one output. */
function runOnce(metric: EvaluationInput['metric'], batch: Batch, float: Tensor, artifact: Tensor = float) {
  return run(metric, [batch], [{ y: float }], [{ y: artifact }]);
}

async function messageOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message;
}

it('evaluate: top1 counts who is right on what, over all batches', async () => {
  const zero = [5, 1, 0];
  const one = [0, 7, 0];
  const measured = await run(
    'top1',
    [labelled([0, 0, 1]), labelled([1, 2])],
    [{ y: rows(zero, zero, zero) }, { y: rows(one, one) }],
    [{ y: rows(zero, one, one) }, { y: rows(one, one) }],
  );
  expect(measured).toMatchObject({
    metric: 'top1',
    sampleCount: 5,
    outputNames: ['y'],
    pairedCounts: { both: 2, onlyFloat: 1, onlyArtifact: 1, neither: 1 },
    float: 3 / 5,
    quantized: 3 / 5,
    drop: 0,
    agreement: 3 / 5,
    nonFiniteCount: 0,
  });
});

it('evaluate: equal scores go to the lowest class', async () => {
  const tie = rows([1, 3, 3], [2, 2, 2]);
  expect(await runOnce('top1', labelled([1, 0]), tie)).toMatchObject({ quantized: 1 });
  expect(await runOnce('top1', labelled([2, 1]), tie)).toMatchObject({ quantized: 0 });
  const flat = rows(Array(7).fill(0));
  expect(await runOnce('top5', labelled([4]), flat)).toMatchObject({ quantized: 1 });
  expect(await runOnce('top5', labelled([5]), flat)).toMatchObject({ quantized: 0 });
});

it('evaluate: top1 and top5 are what sorting the scores says', async () => {
  const seed = 11;
  const random = seededRandom(seed);
  // Few distinct scores, so that many tie.
  const scores = Array.from({ length: 200 }, () => Array.from({ length: 9 }, () => Math.floor(random() * 4)));
  const labels = scores.map(() => Math.floor(random() * 9));
  const sortedClasses = (row: readonly number[]) => row.map((_, c) => c).toSorted((a, b) => row[b]! - row[a]! || a - b);
  for (const [metric, count] of [
    ['top1', 1],
    ['top5', 5],
  ] as const) {
    const hits = scores.filter((row, index) => sortedClasses(row).slice(0, count).includes(labels[index]!)).length;
    const measured = await runOnce(metric, labelled(labels), rows(...scores));
    expect(measured.quantized, `seed ${seed}`).toBe(hits / 200);
  }
});

it('evaluate: what pads the last batch is not counted', async () => {
  const float = rows([1, 0], [1, 0], [1, 0], [1, 0]);
  const artifact = rows([1, 0], [0, 1], [0, 1], [0, Number.NaN]);
  const measured = await runOnce('top1', labelled([0, 0], 4), float, artifact);
  expect(measured).toMatchObject({ sampleCount: 2, float: 1, quantized: 0.5, agreement: 0.5, nonFiniteCount: 0 });
  expect(measured.divergences).toHaveLength(2);
});

it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
  'evaluate: an artifact that answers %d is wrong on that sample, and its divergence is no number',
  async (value) => {
    // The label's own score is the largest by far.
    const measured = await runOnce('top1', labelled([0, 0]), rows([9, 0], [9, 0]), rows([9, 0], [9, value]));
    expect(measured).toMatchObject({ float: 1, quantized: 0.5, drop: 0.5, agreement: 0.5, nonFiniteCount: 1 });
    expect([...measured.divergences!]).toEqual([0, Number.NaN]);
    expect(measured.klToFloat).toBeNaN();
  },
);

it('evaluate: an infinite probability is no divergence of zero', async () => {
  const measured = await runOnce('kl', unlabelled(1), rows([0.5, 0.5]), rows([Number.POSITIVE_INFINITY, 0]));
  expect(measured).toMatchObject({ quantized: Number.NaN, drop: Number.NaN, nonFiniteCount: 1 });
});

it.each([Number.NaN, Number.POSITIVE_INFINITY])('evaluate: a float model that answers %d is refused', async (value) => {
  const broken = rows([1, 0], [1, value]);
  const message =
    "the float model's output 'y' is NaN or infinite on evaluation sample 3\n  fix: check the model and the preprocessing (scale, mean, std)";
  const float = [{ y: rows([1, 0], [1, 0]) }, { y: broken }];
  expect(await messageOf(run('top1', [labelled([0, 0]), labelled([0, 0])], float, float))).toBe(message);
  expect(await messageOf(run('kl', [unlabelled(2), unlabelled(2)], float, float))).toBe(message);
});

it('evaluate: kl of logits is the plain formula, and the artifact loses all of it', async () => {
  const p = [Math.exp(1) / (Math.exp(1) + 1), 1 / (Math.exp(1) + 1)];
  const expected = p[0]! * Math.log(p[0]! / 0.5) + p[1]! * Math.log(p[1]! / 0.5);
  const measured = await runOnce('kl', unlabelled(2), rows([1, 0], [3, 3]), rows([2, 2], [3, 3]));
  expect(measured).toMatchObject({ metric: 'kl', float: 0, agreement: 1 });
  expect(measured.quantized).toBeCloseTo(expected / 2, 12);
  expect(measured.drop).toBe(measured.quantized);
  expect(measured.divergences![0]).toBeCloseTo(expected, 12);
  expect(measured.divergences![1]).toBe(0);
  expect(measured.pairedCounts).toBeUndefined();
});

it('evaluate: kl of probabilities takes no second softmax', async () => {
  const measured = await runOnce('kl', unlabelled(1), rows([0.75, 0.25]), rows([0.5, 0.5]));
  expect(measured.quantized).toBeCloseTo(0.75 * Math.log(1.5) + 0.25 * Math.log(0.5), 7);
});

it('evaluate: logits that look like probabilities in one batch are logits in all', async () => {
  const alike = { y: rows([0.75, 0.25]) };
  const logits = { y: rows([4, -4]) };
  const other = [{ y: rows([0.25, 0.75]) }, logits];
  const batches = [unlabelled(1), unlabelled(1)];
  const { divergences } = await run('kl', batches, [alike, logits], other);
  const p = 1 / (1 + Math.exp(-0.5));
  expect(divergences![0]).toBeCloseTo(p * Math.log(p / (1 - p)) + (1 - p) * Math.log((1 - p) / p), 7);
});

it('evaluate: of several outputs kl reads those that are probabilities, and asks for no other again', async () => {
  const scores = (value: number) => floats([1, 2, 2], [value, 1 - value, 0.5, 0.5]);
  const boxes = floats([1, 2, 4], [0, 1, 2, 3, 4, 5, 6, 7]);
  const far = floats([1, 2, 4], [9, 9, 9, 9, 9, 9, 9, 9]);
  const float = answering({ boxes, scores: scores(0.75) }, { boxes, scores: scores(0.75) });
  const artifact = answering({ boxes: far, scores: scores(0.5) }, { boxes: far, scores: scores(0.75) });
  const measured = await run('kl', [unlabelled(1), unlabelled(1)], [], [], {
    floatSession: float,
    artifactSession: artifact,
  });
  expect(measured.outputNames).toEqual(['scores']);
  // The mean over two samples of the mean over two items.
  expect(measured.quantized).toBeCloseTo((0.75 * Math.log(1.5) + 0.25 * Math.log(0.5)) / 4, 7);
  // 0.75 against the tie of 0.5 and 0.5, whose first class is the lowest.
  expect(measured.agreement).toBe(1);
  expect(float.asked).toEqual([['boxes', 'scores'], ['scores']]);
});

it('evaluate: several outputs without a distribution are refused for kl, unless one is named', async () => {
  const outputs = {
    boxes: rows([5, 6]),
    ids: { elementType: 'int64', dims: [1], data: BigInt64Array.of(1n) } as Tensor,
  };
  const work = (more: object) => run('kl', [unlabelled(1)], [outputs], [outputs], more);
  expect(await messageOf(work({}))).toBe(
    "the metric kl needs an output of class scores, or one whose rows are probabilities; found 'boxes' float32 [1, 2], 'ids' int64 [1]\n" +
      '  fix: name an output with classes on its last axis in gate.output',
  );
  expect(await work({ output: 'boxes' })).toMatchObject({ quantized: 0, outputNames: ['boxes'] });
  expect(await messageOf(work({ output: 'ids' }))).toContain("found 'ids' int64 [1]\n");
});

it('evaluate: an output without an axis of samples is refused for kl', async () => {
  expect(await messageOf(runOnce('kl', unlabelled(2), rows([0.5, 0.5])))).toBe(
    "the output 'y' [1, 2] of 2 samples has no axis of samples first, so kl cannot be told per sample\n" +
      '  fix: export the model with the batch on the first axis of its outputs',
  );
});

it('evaluate: top1 reads the one output of class scores among others', async () => {
  const outputs = { boxes: floats([2, 3, 2], Array(12).fill(0)), scores: rows([1, 0], [0, 1]) };
  const measured = await run('top1', [labelled([0, 1])], [outputs], [outputs]);
  expect(measured).toMatchObject({ outputNames: ['scores'], quantized: 1 });
});

it('evaluate: class scores may have axes of length one, and half precision', async () => {
  const squeezed = floats([2, 3, 1, 1], [0, 0, 1, 1, 0, 0]);
  expect(await runOnce('top1', labelled([2, 0]), squeezed)).toMatchObject({ quantized: 1 });
  // 1.0 and 2.0 in IEEE 754 half precision.
  const half: Tensor = { elementType: 'float16', dims: [1, 2], data: Uint16Array.of(0x3c00, 0x4000) };
  expect(await runOnce('top1', labelled([1]), half)).toMatchObject({ quantized: 1, klToFloat: 0 });
});

it('evaluate: several outputs of class scores are refused, unless one is named', async () => {
  const outputs = { logits: rows([0, 1]), embedding: rows([3, 2, 1]) };
  const work = (output?: string) =>
    run('top1', [labelled([1])], [outputs], [outputs], output === undefined ? {} : { output });
  expect(await messageOf(work())).toBe(
    "the metric top1 could be read from 'logits' or 'embedding'\n  fix: name one of them in gate.output",
  );
  expect(await work('logits')).toMatchObject({ quantized: 1, outputNames: ['logits'] });
  expect(await work('embedding')).toMatchObject({ quantized: 0 });
  expect(await messageOf(work('logit'))).toBe(
    "gate.output is 'logit', which the model does not have; it has 'logits' float32 [1, 2], 'embedding' float32 [1, 3]\n" +
      '  fix: name one of these',
  );
});

it('evaluate: a model without class scores is refused for top1', async () => {
  expect(await messageOf(runOnce('top1', labelled([0]), floats([1, 2, 2], [0, 1, 0, 1])))).toBe(
    "the metric top1 needs an output of class scores, shape [batch, classes]; found 'y' float32 [1, 2, 2]\n" +
      '  fix: set gate.metric to kl, which compares distributions of any shape',
  );
});

it('evaluate: top5 of five classes is refused, because it cannot miss', async () => {
  expect(await messageOf(runOnce('top5', labelled([0]), rows([1, 2, 3, 4, 5])))).toBe(
    "the metric top5 is always 1 for the 5 classes of 'y'\n  fix: set gate.metric to top1 or kl",
  );
});

it('evaluate: samples without labels are refused for top1', async () => {
  expect(await messageOf(runOnce('top1', unlabelled(1), rows([0, 1])))).toBe(
    'the metric top1 needs labels, which the evaluation data do not have\n' +
      "  fix: add an array 'labels' to the .npz file, or one sub-folder of pictures per class; or set gate.metric to kl",
  );
});

it.each([2, -1])('evaluate: the label %d of two classes is refused by the number of its sample', async (label) => {
  const scores = { y: rows([0, 1], [0, 1]) };
  const work = run('top1', [labelled([0, 1]), labelled([1, label])], [scores, scores], [scores, scores]);
  expect(await messageOf(work)).toBe(
    `the label of evaluation sample 3 is ${label}, but 'y' has the classes 0 to 1\n` +
      '  fix: number the classes as the model does, from 0 on',
  );
});

it('evaluate: no samples are refused', async () => {
  expect(await messageOf(run('top1', [], [{ y: rows([0, 1]) }], [{ y: rows([0, 1]) }]))).toBe(
    'there are no evaluation samples\n  fix: add samples to data.evaluation',
  );
});

it('evaluate: an artifact with other shapes is a fault, not a measurement', async () => {
  await expect(runOnce('top1', labelled([0]), rows([0, 1]), rows([0, 1, 2]))).rejects.toThrow(
    "output 'y' is [1, 3] in the artifact, [1, 2] in the float model",
  );
});

it('evaluate: progress counts samples, without what pads', async () => {
  const events: ProgressEvent[] = [];
  const scores = { y: rows([1, 0], [1, 0]) };
  await run('top1', [labelled([0, 0]), labelled([0], 2)], [scores, scores], [scores, scores], {
    reportProgress: (event) => void events.push(event),
  });
  expect(events.map(({ activity, done, total, unit }) => `${activity} ${done}/${total} ${unit}`)).toEqual([
    'evaluating 0/3 samples',
    'evaluating 2/3 samples',
    'evaluating 3/3 samples',
  ]);
});
