/** The division of a sweep into units: one session each, with a base and a group of branches over it. */
import type { Candidate } from './candidates.ts';

/** Variables are indices into the candidates. */
export type WorkUnit = {
  /** The candidate that all branches stand on; absent for the float network. */
  readonly base: number | undefined;
  readonly branches: readonly number[];
  /** Whether the loss of the base alone is wanted too: it is nearly free, because the base runs anyway. */
  readonly measuresBase: boolean;
};

/** Units that measure L({i:b}) of every candidate. */
export function singleUnits(candidates: readonly Candidate[], branchesPerUnit: number): WorkUnit[] {
  const variables = perturbing(candidates);
  return groups(variables, branchesPerUnit).map((branches) => ({ base: undefined, branches, measuresBase: false }));
}

/**
 * Units that measure L({i:b, j:c}) of every pair of layers i < j, and L({i:b}) on the way. The base is the earlier layer,
 * so that the branches copy only what follows the later one.
 */
export function pairUnits(candidates: readonly Candidate[], branchesPerUnit: number): WorkUnit[] {
  const variables = perturbing(candidates);
  return variables.flatMap((base) => {
    const later = variables.filter((variable) => candidates[variable]!.layerIndex > candidates[base]!.layerIndex);
    const branchGroups = later.length === 0 ? [[]] : groups(later, branchesPerUnit);
    return branchGroups.map((branches, index) => ({ base, branches, measuresBase: index === 0 }));
  });
}

/** A layer that stays float changes nothing: its losses are zero, and no pair with it is measured. */
function perturbing(candidates: readonly Candidate[]): number[] {
  return candidates.flatMap(({ content }, variable) => (content === 'float' ? [] : [variable]));
}

/** Cut into groups of nearly equal size, none above the limit. */
function groups(items: readonly number[], limit: number): number[][] {
  const groupCount = Math.ceil(items.length / limit);
  const result: number[][] = [];
  for (let group = 0; group < groupCount; group++) {
    const start = Math.round((group * items.length) / groupCount);
    result.push(items.slice(start, Math.round(((group + 1) * items.length) / groupCount)));
  }
  return result;
}
