/** The program's costs, from the parts that candidates would have in the artifact. */
import type { AllocationProblem, Budget } from '../allocate/allocation-problem.ts';
import { totalWeights } from '../allocate/smallest-allocation.ts';
import { functionName } from '../artifact/decode-functions.ts';
import { type ArtifactPlan, artifactSizeBytes, type LayerParts, layerParts } from '../artifact/packed-artifact.ts';
import type { BudgetConfig } from '../config/config.ts';
import type { Candidate } from '../sensitivity/candidates.ts';

export function describeProblem(
  plan: ArtifactPlan,
  candidates: readonly Candidate[],
  budget: BudgetConfig,
  ties: AllocationProblem['ties'],
): AllocationProblem {
  const parts = candidates.map(({ layerIndex, content }) => layerParts(plan, layerIndex, content));
  const choices = candidates.map(({ layerIndex, bitWidth }, variable) => ({
    layerIndex,
    bitWidth,
    weightCount: plan.layers[layerIndex]!.weightCount,
    partBytes: parts[variable]!.sizeBytes,
    sharedPart: parts[variable]!.forms.map(functionName).join(),
  }));
  const problem = {
    choices,
    layerNames: plan.layers.map(({ name }) => name),
    fileBytes: (partBytes: number, usable: readonly number[]) =>
      artifactSizeBytes(plan, formsOf(plan, candidates, parts, usable), partBytes),
    constraints: [],
    ties,
  };
  return { ...problem, budget: exactBudget(budget, plan.model.fileSizeBytes, totalWeights(problem)) };
}

function formsOf(
  { layers }: ArtifactPlan,
  candidates: readonly Candidate[],
  parts: readonly LayerParts[],
  usable: readonly number[],
): LayerParts['forms'][] {
  const forms = layers.map((): LayerParts['forms'][number][] => []);
  for (const variable of usable) forms[candidates[variable]!.layerIndex]!.push(...parts[variable]!.forms);
  return forms;
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
