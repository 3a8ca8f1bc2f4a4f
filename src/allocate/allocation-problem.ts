import type { LinearConstraint } from '../program/quadratic-program.ts';

/** A candidate as the program sees it. */
export type Choice = {
  readonly layerIndex: number;
  readonly bitWidth: number;
  readonly weightCount: number;
  /** Serialized bytes of the layer's parts in the artifact. */
  readonly partBytes: number;
};

/** What may be used up; both kinds are exact. */
export type Budget =
  | { readonly kind: 'file-bytes'; readonly limit: number }
  | { readonly kind: 'weight-bits'; readonly limit: number };

export type AllocationProblem = {
  /** The variables, layer by layer, in ascending bits. */
  readonly choices: readonly Choice[];
  /** Names of the layers, for messages, shape [layerCount]. */
  readonly layerNames: readonly string[];
  readonly budget: Budget;
  /**
   * Exact bytes of a file whose layers' parts take `partBytes` and use no other than these bit-widths: the rest of the
   * model and the decoding that the widths share.
   */
  fileBytes(partBytes: number, bitWidths: ReadonlySet<number>): number;
  /** Further linear limits over the choices. */
  readonly constraints: readonly LinearConstraint[];
};

/** The index of the choice that each layer takes, shape [layerCount]. */
export type ChosenVariables = readonly number[];

export function candidateCounts({ choices, layerNames }: AllocationProblem): number[] {
  const counts = new Array<number>(layerNames.length).fill(0);
  for (const { layerIndex } of choices) counts[layerIndex]! += 1;
  return counts;
}

/** Every bit-width that some choice has. */
export function offeredWidths({ choices }: AllocationProblem): Set<number> {
  return new Set(choices.map(({ bitWidth }) => bitWidth));
}
