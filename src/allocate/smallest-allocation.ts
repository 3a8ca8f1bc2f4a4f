/** The least that any allocation takes of the budget: found before the model runs, so that a hopeless run never starts. */
import { UserError } from '../errors.ts';
import type { AllocationProblem } from './allocation-problem.ts';
import { widthSubsets } from './width-subsets.ts';

/** Smallest amount of the budget's resource over all allocations, and over those of each set of widths that can be used. */
export function smallestUse(problem: AllocationProblem): number {
  const { budget } = problem;
  if (budget.kind === 'weight-bits')
    return smallestSum(
      problem,
      () => true,
      ({ bitWidth, weightCount }) => bitWidth * weightCount,
    )!;
  return Math.min(...widthSubsets(problem).map((widths) => smallestFile(problem, widths) ?? Number.POSITIVE_INFINITY));
}

/** Bytes of the smallest file that uses no other widths; undefined if a layer has none of them. */
export function smallestFile(problem: AllocationProblem, widths: ReadonlySet<number>): number | undefined {
  const parts = smallestSum(
    problem,
    ({ bitWidth }) => widths.has(bitWidth),
    ({ partBytes }) => partBytes,
  );
  return parts === undefined ? undefined : problem.fileBytes(parts, widths);
}

type Choice = AllocationProblem['choices'][number];

/** Σ over layers of the least cost of a usable choice; undefined if a layer has no usable one. */
function smallestSum(
  { choices, layerNames }: AllocationProblem,
  isUsable: (choice: Choice) => boolean,
  costOf: (choice: Choice) => number,
): number | undefined {
  const least = new Array<number>(layerNames.length).fill(Number.POSITIVE_INFINITY);
  for (const choice of choices) {
    if (isUsable(choice)) least[choice.layerIndex] = Math.min(least[choice.layerIndex]!, costOf(choice));
  }
  const sum = least.reduce((total, cost) => total + cost, 0);
  return Number.isFinite(sum) ? sum : undefined;
}

/** @throws UserError naming the smallest feasible budget */
export function assertFeasible(problem: AllocationProblem): void {
  const { budget } = problem;
  const smallest = smallestUse(problem);
  if (smallest <= budget.limit) return;
  const weightCount = totalWeights(problem);
  throw new UserError(
    budget.kind === 'file-bytes'
      ? {
          what: `no allocation fits the budget of ${budget.limit} bytes; the smallest artifact has ${smallest} bytes`,
          fix: `raise the budget to ${smallest} bytes or more, or offer smaller bit-widths under quantize.bits`,
        }
      : {
          what: `no allocation fits the budget of ${rounded(budget.limit / weightCount)} bits per weight; the smallest has ${rounded(smallest / weightCount)}`,
          fix: 'raise the budget, offer smaller bit-widths under quantize.bits, or pin fewer layers',
        },
  );
}

/** Weights of all layers together. */
export function totalWeights({ choices, layerNames }: AllocationProblem): number {
  const counts = new Array<number>(layerNames.length).fill(0);
  for (const { layerIndex, weightCount } of choices) counts[layerIndex] = weightCount;
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Up to four decimals, rounded up so that the number named is itself enough. */
function rounded(bits: number): number {
  return Math.ceil(bits * 10_000 - 1e-6) / 10_000;
}
