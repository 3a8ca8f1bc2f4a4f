/** What a run works on: read, and checked as far as that takes no model that runs. */
import { assertAgreeing } from '../allocate/agreeing-limits.ts';
import { assertFeasible } from '../allocate/smallest-allocation.ts';
import type { Provenance } from '../artifact/packed-artifact.ts';
import type { Config } from '../config/config.ts';
import { type Data, openData, readAll } from '../dataset/open-data.ts';
import type { Batch } from '../dataset/sample-set.ts';
import { modelInputs } from '../onnx/model-inputs.ts';
import type { Effects } from '../pipeline.ts';
import type { Candidate } from '../sensitivity/candidates.ts';
import { type LayerCosts, measureLayerCosts } from '../sensitivity/layer-costs.ts';
import { describeProblem, layOut, type ProblemInput } from './allocation-problem.ts';
import { createWriter } from './artifact-writer.ts';
import { describeLimits, readConstraints } from './further-limits.ts';
import { type LayerChoices, readLayerChoices } from './layer-choices.ts';
import { describeProvenance } from './provenance.ts';
import { type LoadedModel, readModel } from './read-model.ts';
import { explainingFailure } from './run-float-model.ts';
import { sizeCandidates } from './size-candidates.ts';
import { type Split, splitBatches } from './split-sweep.ts';
import type { StageClock } from './stage-clock.ts';

export type PreparedRun = LoadedModel &
  Pick<LayerChoices, 'widths' | 'given'> & {
    readonly data: Data;
    /** The calibration samples. */
    readonly batches: readonly Batch[];
    readonly split: Split;
    readonly provenance: Provenance;
    readonly sizes: Pick<ProblemInput, 'layers' | 'budget' | 'floatFileBytes' | 'ties' | 'limits'>;
    /** Candidates by place and size, without numbers. */
    readonly standIns: readonly Candidate[];
    /** Of the first batch; measured once, when they are first asked for. */
    readonly layerCosts: () => Promise<LayerCosts>;
  };

export type PrepareEffects = Pick<Effects, 'files' | 'openSession' | 'solve'>;

/** @throws UserError if something cannot be read or used, or no allocation keeps the budget and all further limits */
export async function prepareRun(
  config: Config,
  { files, openSession, solve }: PrepareEffects,
  clock: StageClock,
): Promise<PreparedRun> {
  const constraints = await readConstraints(config.constraints, files);
  const loaded = await clock.time('read the model', () => readModel(config, files));
  const { original, model, layers } = loaded;
  const { widths, ties, given } = await readLayerChoices(config, loaded, files);
  const data = await clock.time('read the data', () => openData(config.data, modelInputs(model), config.seed, files));
  const batches = await clock.time('read the data', () => readAll(data.calibration.batches()));
  const split = splitBatches(batches.length, config.search);

  const provenance = await describeProvenance(original, data.calibration, config, constraints, given?.source);
  const unlimited = { layers, budget: config.budget, floatFileBytes: original.contentSizeBytes, ties, limits: [] };
  const standIns = sizeCandidates(layers, widths, config.quantize.granularity);
  // A hopeless budget is refused before the model runs for the first time.
  const writer = createWriter(config.quantize.format, model, layers, provenance);
  const problem = describeProblem({ ...unlimited, writer, candidates: standIns });
  assertFeasible(problem, config.gate.locations.size);

  const layerCosts = once(() =>
    explainingFailure(loaded, batches, openSession, () => measureLayerCosts(model, layers, batches[0]!, openSession)),
  );
  const { quantize } = config;
  const limits = await describeLimits(constraints, { layers, widths, quantize, batch: batches[0]!, layerCosts });
  await assertAgreeing({ ...problem, constraints: layOut(limits, standIns) }, solve, constraints);
  const sizes = { ...unlimited, limits };
  return { ...loaded, widths, data, batches, split, provenance, sizes, standIns, layerCosts, ...(given && { given }) };
}

function once<Result>(work: () => Promise<Result>): () => Promise<Result> {
  let result: Promise<Result> | undefined;
  return () => {
    result ??= work();
    return result;
  };
}
