import { type AllocationProblem, variablesWhere } from './allocation-problem.ts';
import { jointChoices } from './joint-choices.ts';

/**
 * The variables of every set of offered widths that leaves each layer a choice, largest sets first. What the widths in use
 * share in the file (the functions that decode them) makes its size depend on the set, not only on the layers.
 */
export function variablesByWidths(problem: AllocationProblem): number[][] {
  const widths = [...new Set(problem.choices.map(({ bitWidth }) => bitWidth))];
  const subsets = Array.from({ length: 2 ** widths.length - 1 }, (_, index) => {
    const mask = index + 1;
    return variablesWhere(problem, ({ bitWidth }) => (mask >> widths.indexOf(bitWidth)) % 2 === 1);
  });
  return subsets.filter((subset) => jointChoices(problem, subset) !== undefined).sort((a, b) => b.length - a.length);
}
