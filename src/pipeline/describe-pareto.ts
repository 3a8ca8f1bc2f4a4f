/** Budgets and their answers as the points of a picture. */
import { explainNoAllocation, smallestAgreeingUse } from '../allocate/agreeing-limits.ts';
import type { AllocationProblem } from '../allocate/allocation-problem.ts';
import { effectiveBits, findShortage, smallestUse, totalWeights } from '../allocate/smallest-allocation.ts';
import type { BudgetConfig, Config } from '../config/config.ts';
import { type Problem, UserError } from '../errors.ts';
import type { ParetoPoint, ParetoReport } from '../report/pareto-report.ts';
import type { Solve } from '../solver/solution.ts';
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
export async function assertSomeFeasible(
  budgets: readonly BudgetConfig[],
  run: PreparedRun,
  { quantize }: Config,
  solve: Solve,
): Promise<void> {
  const writer = createWriter(quantize.format, run.model, run.layers, run.provenance);
  const problem = describeProblem({ ...run.sizes, writer, candidates: run.standIns });
  const problems: Problem[] = [];
  for (const budget of budgets) {
    const found = await explainBudget(withBudget(problem, budget, run), solve);
    if (found.length === 0) return;
    problems.push(...found);
  }
  throw new UserError(problems);
}

/** Why a budget leaves no allocation; empty where it leaves one. */
async function explainBudget(problem: AllocationProblem, solve: Solve): Promise<readonly Problem[]> {
  const shortage = findShortage(problem);
  return shortage === undefined ? explainNoAllocation(problem, solve) : [shortage];
}

/** How many budgets a picture has by itself. */
const SPREAD_COUNT = 6;

/** From the smallest file to the largest, each larger by the same factor: the curve bends at its small end. */
export async function spreadBudgets(problem: AllocationProblem, solve: Solve): Promise<BudgetConfig[]> {
  const [smallest, largest] = [
    (await smallestAgreeingUse(problem, solve)) ?? smallestUse(problem),
    problem.budget.limit,
  ];
  const sizes = Array.from({ length: SPREAD_COUNT }, (_, index) =>
    Math.round(smallest * (largest / smallest) ** (index / (SPREAD_COUNT - 1))),
  );
  return [...new Set(sizes)].map((sizeBytes) => ({ kind: 'bytes', sizeBytes }));
}

/** @param answer absent where no allocation fits */
export async function describePoint(
  budget: BudgetConfig,
  problem: AllocationProblem,
  answer: BudgetAnswer | undefined,
  solve: Solve,
): Promise<ParetoPoint> {
  const asked = { budget: describeBudget(budget, problem) };
  if (answer === undefined) {
    return { ...asked, status: 'infeasible', ...(await smallestBudget(problem, solve)) };
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

/** The smallest budget that can be met together with all further limits, in its unit; nothing where none was found. */
export async function smallestBudget(
  problem: AllocationProblem,
  solve: Solve,
): Promise<{ readonly smallest?: number }> {
  const smallest = await smallestAgreeingUse(problem, solve);
  if (smallest === undefined) return {};
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

/** Which values of the gate's metric are the good ones. */
export function betterOf({ gate, evaluate }: Config): ParetoReport['better'] {
  return gate.metric === 'kl' ? 'lower' : (evaluate?.better ?? 'higher');
}
