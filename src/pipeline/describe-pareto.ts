/** Budgets and their answers as the points of a picture. */
import type { AllocationProblem } from '../allocate/allocation-problem.ts';
import { effectiveBits, findShortage, smallestUse, totalWeights } from '../allocate/smallest-allocation.ts';
import type { BudgetConfig, Config } from '../config/config.ts';
import { UserError } from '../errors.ts';
import type { ParetoPoint, ParetoReport } from '../report/pareto-report.ts';
import { describeProblem, exactBudget } from './allocation-problem.ts';
import type { BudgetAnswer } from './answer-budget.ts';
import { createWriter } from './artifact-writer.ts';
import { describeBudget } from './build-report.ts';
import type { PreparedRun } from './prepare-run.ts';

/** The same choices under another budget. */
export function withBudget(
  problem: AllocationProblem,
  budget: BudgetConfig,
  { sizes }: PreparedRun,
): AllocationProblem {
  return { ...problem, budget: exactBudget(budget, sizes.floatFileBytes, problem) };
}

export function isFeasible(problem: AllocationProblem): boolean {
  return findShortage(problem) === undefined;
}

/** @throws UserError with the reason of every budget, if none can be met */
export function assertSomeFeasible(budgets: readonly BudgetConfig[], run: PreparedRun, { quantize }: Config): void {
  const writer = createWriter(quantize.format, run.model, run.layers, run.provenance);
  const problem = describeProblem({ ...run.sizes, writer, candidates: run.standIns });
  const shortages = budgets.map((budget) => findShortage(withBudget(problem, budget, run)));
  const found = shortages.filter((shortage) => shortage !== undefined);
  if (found.length === budgets.length) throw new UserError(found);
}

/** How many budgets a picture has by itself. */
const SPREAD_COUNT = 6;

/** From the smallest file to the largest, each larger by the same factor: the curve bends at its small end. */
export function spreadBudgets(problem: AllocationProblem): BudgetConfig[] {
  const [smallest, largest] = [smallestUse(problem), problem.budget.limit];
  const sizes = Array.from({ length: SPREAD_COUNT }, (_, index) =>
    Math.round(smallest * (largest / smallest) ** (index / (SPREAD_COUNT - 1))),
  );
  return [...new Set(sizes)].map((sizeBytes) => ({ kind: 'bytes', sizeBytes }));
}

/** @param answer absent where no allocation fits */
export function describePoint(
  budget: BudgetConfig,
  problem: AllocationProblem,
  answer: BudgetAnswer | undefined,
): ParetoPoint {
  const asked = { budget: describeBudget(budget, problem) };
  if (answer === undefined) {
    return { ...asked, status: 'infeasible', ...smallestBudget(problem) };
  }
  const { artifact, chosen, measurements, verdict } = answer;
  const { variables } = chosen.best;
  const { predicted, measured } = chosen.candidates.find((candidate) => candidate.chosen)!;
  return {
    ...asked,
    status: 'measured',
    sizeBytes: artifact.length,
    effectiveBits: effectiveBits(problem, variables),
    value: measurements.quantized,
    drop: measurements.drop,
    verdict: verdict.verdict,
    dominated: false,
    predictedLoss: predicted,
    measuredLoss: measured,
    bits: variables.map((variable) => problem.choices[variable]!.bitWidth),
  };
}

/** The smallest budget that can be met, in its unit; nothing where other limits than the size are what stands in the way. */
export function smallestBudget(problem: AllocationProblem): { readonly smallest?: number } {
  if (isFeasible(problem)) return {};
  const smallest = smallestUse(problem);
  return { smallest: problem.budget.kind === 'file-bytes' ? smallest : smallest / totalWeights(problem) };
}

/** The config's own budget, where it names one. */
export function describeBudgetOf(
  { budget }: Config,
  problem: AllocationProblem,
  run: PreparedRun,
): Pick<ParetoReport, 'budget'> {
  return budget.kind === 'auto' ? {} : { budget: describeBudget(budget, withBudget(problem, budget, run)) };
}

export function describeLimits({ gate: { min, max, maxDrop, maxSizeBytes } }: Config): ParetoReport['limits'] {
  return {
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(maxDrop === undefined ? {} : { maxDrop }),
    ...(maxSizeBytes === undefined ? {} : { maxSizeBytes }),
  };
}
