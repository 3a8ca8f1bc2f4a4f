import { createHash } from 'node:crypto';
import { MEASUREMENT_VERSION, type MeasurementFacts } from '../cache/measurement-key.ts';
import type { Config } from '../config/config.ts';
import type { Selection } from '../dataset/open-data.ts';
import type { Batch } from '../dataset/sample-set.ts';
import type { Model } from '../onnx/model.ts';
import type { OfferedWidths } from '../sensitivity/candidates.ts';
import type { Split } from './split-sweep.ts';

/** Where models run, as a record of measurements names it. */
export type Device = {
  /** Version of onnxruntime. */
  readonly runtimeVersion: string;
  /** The execution provider, and the device's own name where it has one. */
  readonly device: string;
};

export type FactsInput = Device & {
  /** As it stands in the file. */
  readonly original: Model;
  readonly calibration: Selection;
  /** All of the calibration samples. */
  readonly batches: readonly Batch[];
  readonly split: Split;
  /** Shape [layerCount]. */
  readonly widths: readonly OfferedWidths[];
};

/** Everything that a measured loss depends on, and nothing else. */
export async function measurementFacts(input: FactsInput, config: Config): Promise<MeasurementFacts> {
  const { method, correct, granularity } = config.quantize;
  return {
    algorithm: MEASUREMENT_VERSION,
    model: input.original.contentSha256,
    calibration: await hashFittingSamples(input),
    preprocess: JSON.stringify(config.data.preprocess),
    quantizer: JSON.stringify([method, correct, granularity]),
    candidates: JSON.stringify(input.widths),
    loss: config.sensitivity.loss,
    executionProvider: input.device,
    onnxruntime: input.runtimeVersion,
  };
}

/** Only what is fitted to and measured on: samples kept for the choice move no measured loss. */
async function hashFittingSamples({ calibration, batches, split }: FactsInput): Promise<string> {
  const hashes = await calibration.set.contentHashes(calibration.indices);
  const ends = batches.map((_, index) =>
    batches.slice(0, index + 1).reduce((sum, { sampleCount }) => sum + sampleCount, 0),
  );
  const parts = batches.map(({ sampleCount, labels }, index) => {
    const end = ends[index]!;
    return [hashes.slice(end - sampleCount, end), labels === undefined ? 'no labels' : [...labels]];
  });
  return createHash('sha256')
    .update(JSON.stringify(split.fitting(parts)))
    .digest('hex');
}
