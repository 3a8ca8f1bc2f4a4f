/** Models that answer from a list, and batches to feed them. */
import type { Batch } from '../../src/dataset/sample-set.ts';
import type { Session } from '../../src/runtime/session.ts';
import type { NamedTensors, Tensor } from '../../src/tensor.ts';

export function floats(dims: readonly number[], values: readonly number[]): Tensor {
  return { elementType: 'float32', dims, data: Float32Array.from(values) };
}

/** Rows of class scores, shape [rows.length, rows[0].length]. */
export function rows(...scores: readonly (readonly number[])[]): Tensor {
  return floats([scores.length, scores[0]!.length], scores.flat());
}

/** Gives `answers[n]` to the n-th run, and remembers which outputs it was asked for. */
export function answering(...answers: readonly NamedTensors[]): Session & { readonly asked: (readonly string[])[] } {
  const asked: (readonly string[])[] = [];
  const outputNames = Object.keys(answers[0] ?? {});
  return {
    inputNames: ['x'],
    outputNames,
    asked,
    run: async (_feeds, names = outputNames) => {
      const answer = answers[asked.length]!;
      asked.push(names);
      return Object.fromEntries(names.map((name) => [name, answer[name]!]));
    },
    release: async () => {},
  };
}

/** A batch of `fedCount` samples, of which those with a label count. */
export function labelled(labels: readonly number[], fedCount = labels.length): Batch {
  return { ...unlabelled(labels.length, fedCount), labels: Int32Array.from(labels) };
}

export function unlabelled(sampleCount: number, fedCount = sampleCount): Batch {
  return { feeds: { x: floats([fedCount, 1], Array(fedCount).fill(0)) }, sampleCount };
}

export async function* streamOf(batches: readonly Batch[]): AsyncGenerator<Batch> {
  yield* batches;
}
