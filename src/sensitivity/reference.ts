/** The float model over the calibration batches: what every perturbed network is compared with. */
import type { Batch } from '../dataset/sample-set.ts';
import type { Model } from '../onnx/model.ts';
import type { OpenSession } from '../runtime/session.ts';
import { encodeModelProto } from '../wire/model-proto.ts';
import type { ReferenceOutputs } from './losses.ts';
import { sampleCountOf } from './measure-units.ts';

export type Reference = {
  readonly outputNames: readonly string[];
  /** Shape [batches.length]. */
  readonly outputs: readonly ReferenceOutputs[];
  /** Seconds of one forward over all batches, warm. */
  readonly forwardSeconds: number;
};

/** In its first run a session finds out what memory it needs, and takes it all in its second. */
export const WARM_UP_RUNS = 2;

export async function measureReference(
  model: Model,
  batches: readonly Batch[],
  openSession: OpenSession,
): Promise<Reference> {
  const outputNames = model.graph.output.map(({ name }) => name ?? '');
  const session = await openSession(encodeModelProto(model.proto));
  try {
    const outputs: ReferenceOutputs[] = [];
    const secondsPerSample: number[] = [];
    for (const [index, { feeds, sampleCount }] of batches.entries()) {
      // The first runs of a session also allocate: they would make a forecast too long.
      for (let count = 0; index === 0 && count < WARM_UP_RUNS; count++) await session.run(feeds, outputNames);
      const begun = performance.now();
      const results = await session.run(feeds, outputNames);
      secondsPerSample.push((performance.now() - begun) / 1000 / sampleCount);
      outputs.push(outputNames.map((name) => results[name]!));
    }
    return { outputNames, outputs, forwardSeconds: medianOf(secondsPerSample) * sampleCountOf(batches) };
  } finally {
    await session.release();
  }
}

/** A run that was held up by another program says nothing of the others. */
function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}
