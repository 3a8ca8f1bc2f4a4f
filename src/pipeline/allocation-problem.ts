/** The program's costs, from the parts that candidates would have in the artifact. */
import type { AllocationProblem, Budget, CostLimit, FurtherLimit } from '../allocate/allocation-problem.ts';
import { largestFile, totalWeights } from '../allocate/smallest-allocation.ts';
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
  readonly limits: readonly CostLimit[];
};

export function describeProblem({
  writer,
  layers,
  candidates,
  budget,
  floatFileBytes,
  ties,
  limits,
}: ProblemInput): AllocationProblem {
  const choices = candidates.map((candidate) => {
    const { sizeBytes: partBytes, storedBits, sharedPart } = writer.partsOf(candidate);
    const { layerIndex, bitWidth } = candidate;
    return { layerIndex, bitWidth, weightCount: layers[layerIndex]!.weightCount, partBytes, storedBits, sharedPart };
  });
  const layerNames = layers.map(({ name }) => name);
  const fileBytes: AllocationProblem['fileBytes'] = (partBytes, usable) =>
    writer.fileBytes(
      partBytes,
      usable.map((variable) => candidates[variable]!),
    );
  const sizes = { choices, layerNames, fileBytes };
  const constraints = layOut(limits, candidates);
  return { ...sizes, ties, constraints, budget: exactBudget(budget, floatFileBytes, sizes) };
}

/** Further limits with a cost for each candidate. */
export function layOut(limits: readonly CostLimit[], candidates: ProblemInput['candidates']): FurtherLimit[] {
  return limits.map(({ costOf, ...limit }) => ({
    ...limit,
    costs: Float64Array.from(candidates, ({ layerIndex, bitWidth, content }) =>
      costOf(layerIndex, content === 'float' ? content : bitWidth),
    ),
  }));
}

/** The budget in exact bytes or bits; `auto` and none leave all the room that some allocation could use. */
export function exactBudget(
  budget: BudgetConfig,
  floatFileBytes: number,
  sizes: Pick<AllocationProblem, 'choices' | 'layerNames' | 'fileBytes'>,
): Budget {
  switch (budget.kind) {
    case 'bytes':
      return { kind: 'file-bytes', limit: budget.sizeBytes };
    case 'ratio':
      return { kind: 'file-bytes', limit: Math.floor(budget.ratio * floatFileBytes) };
    case 'bits-per-weight':
      return { kind: 'weight-bits', limit: Math.floor(budget.bitsPerWeight * totalWeights(sizes)) };
    case 'auto':
      return {
        kind: 'file-bytes',
        limit: Math.min(largestFile(sizes), budget.maxSizeBytes ?? Number.POSITIVE_INFINITY),
      };
    case 'none':
      return { kind: 'file-bytes', limit: largestFile(sizes) };
  }
}
