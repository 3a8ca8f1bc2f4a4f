/** The program's costs, from the parts that candidates would have in the artifact. */
import type { AllocationProblem, Budget } from '../allocate/allocation-problem.ts';
import { totalWeights } from '../allocate/smallest-allocation.ts';
import type { BudgetConfig } from '../config/config.ts';
import type { Layer } from '../onnx/list-layers.ts';
import type { Candidate } from '../sensitivity/candidates.ts';
import type { ArtifactWriter } from './artifact-writer.ts';

export type ProblemInput = {
  readonly writer: ArtifactWriter;
  readonly layers: readonly Layer[];
  readonly candidates: readonly Pick<Candidate, 'layerIndex' | 'bitWidth' | 'content'>[];
  readonly budget: BudgetConfig;
  /** For a budget that is a share of the float file. */
  readonly floatFileBytes: number;
  readonly ties: AllocationProblem['ties'];
};

export function describeProblem({
  writer,
  layers,
  candidates,
  budget,
  floatFileBytes,
  ties,
}: ProblemInput): AllocationProblem {
  const choices = candidates.map((candidate) => {
    const { sizeBytes: partBytes, storedBits, sharedPart } = writer.partsOf(candidate);
    const { layerIndex, bitWidth } = candidate;
    return { layerIndex, bitWidth, weightCount: layers[layerIndex]!.weightCount, partBytes, storedBits, sharedPart };
  });
  const layerNames = layers.map(({ name }) => name);
  return {
    choices,
    layerNames,
    ties,
    constraints: [],
    budget: exactBudget(budget, floatFileBytes, totalWeights({ choices, layerNames })),
    fileBytes: (partBytes, usable) =>
      writer.fileBytes(
        partBytes,
        usable.map((variable) => candidates[variable]!),
      ),
  };
}

function exactBudget(budget: BudgetConfig, floatFileBytes: number, weightCount: number): Budget {
  switch (budget.kind) {
    case 'bytes':
      return { kind: 'file-bytes', limit: budget.sizeBytes };
    case 'ratio':
      return { kind: 'file-bytes', limit: Math.floor(budget.ratio * floatFileBytes) };
    case 'bits-per-weight':
      return { kind: 'weight-bits', limit: Math.floor(budget.bitsPerWeight * weightCount) };
  }
}
