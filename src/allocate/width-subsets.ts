import { type AllocationProblem, offeredWidths } from './allocation-problem.ts';

/**
 * Every set of offered widths that leaves each layer a choice, largest sets first. What the widths in use share in the
 * artifact (the functions that decode them) makes the file's size depend on the set, not only on the layers.
 */
export function widthSubsets(problem: AllocationProblem): ReadonlySet<number>[] {
  const widths = [...offeredWidths(problem)].sort((a, b) => a - b);
  const subsets = Array.from({ length: 2 ** widths.length - 1 }, (_, index) => {
    const mask = index + 1;
    return new Set(widths.filter((_, position) => (mask >> position) & 1));
  });
  return subsets.filter((subset) => servesEveryLayer(problem, subset)).sort((a, b) => b.size - a.size);
}

function servesEveryLayer({ choices, layerNames }: AllocationProblem, widths: ReadonlySet<number>): boolean {
  const served = new Set(choices.filter(({ bitWidth }) => widths.has(bitWidth)).map(({ layerIndex }) => layerIndex));
  return served.size === layerNames.length;
}
