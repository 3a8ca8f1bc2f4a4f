/** Layers that are decided together, because the config ties them, and what is left for them to choose. */
import type { JointChoice } from '../program/join-groups.ts';
import type { AllocationProblem } from './allocation-problem.ts';

/**
 * For every tie, and every layer outside of them, the choices among the usable variables: tied layers take one width.
 *
 * @returns shape [setCount][choiceCount]; undefined if some set has no choice left
 */
export function jointChoices(problem: AllocationProblem, usable: readonly number[]): JointChoice[][] | undefined {
  const { choices, layerNames, ties } = problem;
  const tied = new Set(ties.flat());
  const single = [...layerNames.keys()].filter((layer) => !tied.has(layer)).map((layer) => [layer]);
  const variableOf = (layer: number, bitWidth: number) =>
    usable.find((variable) => choices[variable]!.layerIndex === layer && choices[variable]!.bitWidth === bitWidth);
  const sets = [...ties, ...single].map((layers) => {
    const widths = new Set(usable.filter((v) => choices[v]!.layerIndex === layers[0]).map((v) => choices[v]!.bitWidth));
    return [...widths].flatMap((width) => {
      const variables = layers.flatMap((layer) => variableOf(layer, width) ?? []);
      return variables.length === layers.length ? [variables] : [];
    });
  });
  return sets.every((set) => set.length > 0) ? sets : undefined;
}
