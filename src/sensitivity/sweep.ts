/**
 * The measuring of branch graphs over the calibration batches: what every sensitivity is made of.
 */
import type { Batch } from '../dataset/sample-set.ts';
import type { Model } from '../onnx/model.ts';
import type { OpenSession } from '../runtime/session.ts';
import type { Tensor } from '../tensor.ts';
import { branchGraph } from './branch-graph.ts';
import type { Candidate } from './candidates.ts';
import type { WorkUnit } from './work-units.ts';

/** Sum of the samples' losses, from the model's outputs for one batch in the model's order. */
export type BatchLoss = (outputs: readonly Tensor[]) => number;

export type SweepInput = {
  readonly model: Model;
  readonly candidates: readonly Candidate[];
  readonly batches: readonly Batch[];
  /** One per batch. */
  readonly losses: readonly BatchLoss[];
  readonly openSession: OpenSession;
};

/** Mean loss per sample of every branch of a unit, and of its base where the unit asks for it. */
export type UnitLosses = { readonly base: number | undefined; readonly branches: Float64Array };

/** Run one unit over all batches. The session lives no longer than the unit. */
export async function measureUnit(input: SweepInput, unit: WorkUnit): Promise<UnitLosses> {
  const { model, candidates, batches } = input;
  const base = unit.base === undefined ? new Map() : candidates[unit.base]!.perturbation;
  const branches = unit.branches.map((variable) => candidates[variable]!.perturbation);
  const graph = branchGraph(model, base, branches, { withBaseOutputs: unit.measuresBase });
  const session = await input.openSession(graph.bytes);
  try {
    const sums = new Float64Array(branches.length);
    let baseSum = 0;
    for (const [index, { feeds }] of batches.entries()) {
      const results = await session.run(feeds);
      const loss = input.losses[index]!;
      const lossOf = (names: readonly string[]) => loss(names.map((name) => results[name]!));
      for (const [branch, names] of graph.branchOutputs.entries()) sums[branch]! += lossOf(names);
      if (unit.measuresBase) baseSum += lossOf(graph.baseOutputs);
    }
    const sampleCount = batches.reduce((total, batch) => total + batch.sampleCount, 0);
    return {
      base: unit.measuresBase ? baseSum / sampleCount : undefined,
      branches: sums.map((sum) => sum / sampleCount),
    };
  } finally {
    await session.release();
  }
}
