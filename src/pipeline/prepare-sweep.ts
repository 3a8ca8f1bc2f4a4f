/** What sensitivities are measured of and with: the candidates, the float model's outputs, and what its layers cost. */

import { assertAgreeing } from '../allocate/agreeing-limits.ts';
import type { AllocationProblem } from '../allocate/allocation-problem.ts';
import { assertFeasible } from '../allocate/smallest-allocation.ts';
import type { Config } from '../config/config.ts';
import type { ReportProgress } from '../progress.ts';
import type { OpenSession } from '../runtime/session.ts';
import type { Candidate } from '../sensitivity/candidates.ts';
import type { MachineTimes } from '../sensitivity/forecast.ts';
import type { LayerCosts } from '../sensitivity/layer-costs.ts';
import { createLosses } from '../sensitivity/losses.ts';
import type { SweepInput } from '../sensitivity/sweep.ts';
import type { Solve } from '../solver/solution.ts';
import { describeProblem } from './allocation-problem.ts';
import { type ArtifactWriter, createWriter } from './artifact-writer.ts';
import { measureMachineTimes } from './machine-times.ts';
import { measureActivations } from './measure-activations.ts';
import { checkNeededLabels } from './needed-labels.ts';
import type { PreparedRun } from './prepare-run.ts';
import { quantizeLayers } from './quantize-layers.ts';
import { runFloatModel } from './run-float-model.ts';
import { splitSweep } from './split-sweep.ts';
import type { StageClock } from './stage-clock.ts';

export type PreparedSweep = {
  readonly candidates: readonly Candidate[];
  readonly writer: ArtifactWriter;
  readonly problem: AllocationProblem;
  readonly costs: LayerCosts;
  /** Of this machine, over the fitting samples. */
  readonly times: MachineTimes;
  /** What moments, sensitivities and corrections are fitted to. */
  readonly fitting: SweepInput;
  /** Samples kept for the choice. */
  readonly choice: SweepInput;
};

export type SweepEffects = {
  readonly openSession: OpenSession;
  readonly solve: Solve;
  readonly reportProgress: ReportProgress;
  readonly signal: AbortSignal;
};

/** @throws UserError if no allocation fits the budget, or the loss or the metric lacks the labels it needs */
export async function prepareSweep(
  run: PreparedRun,
  config: Config,
  { openSession, solve, reportProgress, signal }: SweepEffects,
  clock: StageClock,
): Promise<PreparedSweep> {
  const { model, layers, widths, batches, split, data, provenance } = run;
  const reference = await clock.time('run the float model', () => runFloatModel(run, batches, openSession));
  // What the metric and the loss cannot read is refused before anything takes long.
  checkNeededLabels(config, data, batches, reference);
  const losses = createLosses(config.sensitivity.loss, batches, reference.outputs, reference.outputNames);
  const [fitting, choice] = splitSweep({ model, batches, losses, openSession, signal }, split);

  const { memoryLimitBytes } = config;
  const measuring = { model, layers, widths, batches: fitting.batches, memoryLimitBytes, openSession, reportProgress };
  const ranges = await clock.time('quantize', () => measureActivations(config.quantize.activations, measuring));
  const candidates = await clock.time('quantize', () =>
    quantizeLayers({ ...measuring, quantize: config.quantize, wantsMoments: wantsMoments(config) }),
  );
  const writer = createWriter(config.quantize.format, model, layers, provenance, ranges);
  const problem = describeProblem({ ...run.sizes, writer, candidates });
  assertFeasible(problem, config.gate.locations.size);
  await assertAgreeing(problem, solve, config.constraints);

  const costs = await run.layerCosts();
  const ratio = fitting.batches.length / batches.length;
  const times = await clock.time('run the float model', () =>
    measureMachineTimes(model, batches[0]!, openSession, reference, losses, ratio),
  );
  return { candidates, writer, problem, costs, times, fitting, choice };
}

/** Whether sensitivities may come from the moments of the layers' inputs. */
function wantsMoments({ quantize: { allocationPath }, sensitivity: { method } }: Config): boolean {
  return allocationPath === undefined && (method === 'local' || method === 'auto');
}
