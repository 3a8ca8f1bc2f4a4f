/** What a run works on: read, and checked as far as that takes no model that runs. */
import { offeredWidths, tiedLayers } from '../allocate/offered-widths.ts';
import { assertFeasible } from '../allocate/smallest-allocation.ts';
import type { Provenance } from '../artifact/packed-artifact.ts';
import type { Config } from '../config/config.ts';
import { type Data, openData, readAll } from '../dataset/open-data.ts';
import type { Batch } from '../dataset/sample-set.ts';
import type { Files } from '../entry/files.ts';
import { modelInputs } from '../onnx/model-inputs.ts';
import type { Candidate, OfferedWidths } from '../sensitivity/candidates.ts';
import { describeProblem, type ProblemInput } from './allocation-problem.ts';
import { createWriter } from './artifact-writer.ts';
import { describeProvenance } from './provenance.ts';
import { type LoadedModel, readModel } from './read-model.ts';
import { type GivenSensitivities, readSensitivities } from './read-sensitivities.ts';
import { sizeCandidates } from './size-candidates.ts';
import { type Split, splitBatches } from './split-sweep.ts';
import type { StageClock } from './stage-clock.ts';

export type PreparedRun = LoadedModel & {
  /** Shape [layerCount]. */
  readonly widths: readonly OfferedWidths[];
  readonly data: Data;
  /** The calibration samples. */
  readonly batches: readonly Batch[];
  readonly split: Split;
  readonly provenance: Provenance;
  readonly sizes: Pick<ProblemInput, 'layers' | 'budget' | 'floatFileBytes' | 'ties'>;
  /** Absent where a run measures. */
  readonly given?: GivenSensitivities;
  /** Candidates by place and size, without numbers. */
  readonly standIns: readonly Candidate[];
};

/** @throws UserError if something cannot be read or used, or no allocation fits the budget */
export async function prepareRun(config: Config, files: Files, clock: StageClock): Promise<PreparedRun> {
  const loaded = await clock.time('read the model', () => readModel(config, files));
  const { original, model, layers } = loaded;
  const names = layers.map(({ name }) => name);
  const widths = offeredWidths(names, config.quantize, config.path);
  const ties = tiedLayers(names, widths, config.quantize.ties, config.path);
  const given = await readSensitivities(config, loaded, widths, files);
  const data = await clock.time('read the data', () => openData(config.data, modelInputs(model), config.seed, files));
  const batches = await clock.time('read the data', () => readAll(data.calibration.batches()));
  const split = splitBatches(batches.length, config.search);

  const provenance = await describeProvenance(original, data.calibration, config, given?.source);
  const sizes = { layers, budget: config.budget, floatFileBytes: original.contentSizeBytes, ties };
  const standIns = sizeCandidates(layers, widths, config.quantize.granularity);
  // A hopeless budget is refused before the model runs for the first time.
  const writer = createWriter(config.quantize.format, model, layers, provenance);
  assertFeasible(describeProblem({ ...sizes, writer, candidates: standIns }), config.gate.locations.size);
  return { ...loaded, widths, data, batches, split, provenance, sizes, standIns, ...(given && { given }) };
}
