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

/** Memory of sessions in bytes: what every unit takes, and what each branch adds. */
export type UnitMemory = {
  readonly limitBytes: number;
  readonly baseBytes: number;
  /** Shape [variableCount]. */
  readonly branchBytes: readonly number[];
};

/** Units that measure L({i:b}) of every candidate. */
export function singleUnits(candidates: readonly Candidate[], memory: UnitMemory): WorkUnit[] {
  const variables = perturbing(candidates);
  return groupByMemory(variables, memory).map((branches) => ({ base: undefined, branches, measuresBase: false }));
}

/**
 * Units that measure L({i:b, j:c}) of every wanted pair of layers i < j, and L({i:b}) on the way. The base is the earlier
 * layer, so that the branches copy only what follows the later one.
 */
export function pairUnits(
  candidates: readonly Candidate[],
  memory: UnitMemory,
  isWanted: (earlierLayer: number, laterLayer: number) => boolean,
): WorkUnit[] {
  const variables = perturbing(candidates);
  return variables.flatMap((base) => {
    const layer = candidates[base]!.layerIndex;
    const later = variables.filter((variable) => {
      const { layerIndex } = candidates[variable]!;
      return layerIndex > layer && isWanted(layer, layerIndex);
    });
    const branchGroups = later.length === 0 ? [[]] : groupByMemory(later, memory);
    return branchGroups.map((branches, index) => ({ base, branches, measuresBase: index === 0 }));
  });
}

/** A layer that stays float changes nothing: its losses are zero, and no pair with it is measured. */
function perturbing(candidates: readonly Candidate[]): number[] {
  return candidates.flatMap(({ content }, variable) => (content === 'float' ? [] : [variable]));
}

/** Cut into groups of nearly equal size, as few as memory allows, none for nothing; a branch that does not fit goes alone. */
export function groupByMemory(variables: readonly number[], memory: UnitMemory): number[][] {
  if (variables.length === 0) return [];
  for (let count = 1; ; count++) {
    const cut = cutInto(variables, count);
    if (count >= variables.length || cut.every((group) => fits(group, memory))) return cut;
  }
}

function cutInto(items: readonly number[], count: number): number[][] {
  const borders = Array.from({ length: count + 1 }, (_, index) => Math.round((index * items.length) / count));
  return borders.slice(1).map((end, index) => items.slice(borders[index]!, end));
}

function fits(variables: readonly number[], { limitBytes, baseBytes, branchBytes }: UnitMemory): boolean {
  return variables.reduce((sum, variable) => sum + branchBytes[variable]!, baseBytes) <= limitBytes;
}
