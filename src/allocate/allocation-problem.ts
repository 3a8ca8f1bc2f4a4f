import type { LinearConstraint } from '../program/quadratic-program.ts';
import type { OfferedWidth } from './offered-widths.ts';

/** A candidate as the program sees it. */
export type Choice = {
  readonly layerIndex: number;
  readonly bitWidth: number;
  readonly weightCount: number;
  /** Bits that one weight takes in the file: its width, or that of the next type up. */
  readonly storedBits: number;
  /** Serialized bytes of the layer's parts in the artifact. */
  readonly partBytes: number;
  /** What it shares in the file with other choices, such as the name of a function that decodes it. */
  readonly sharedPart: string;
};

/** What may be used up; both kinds are exact. */
export type Budget =
  | { readonly kind: 'file-bytes'; readonly limit: number }
  | { readonly kind: 'weight-bits'; readonly limit: number };

/** A further limit before its costs are laid out over the choices. */
export type CostLimit = Pick<FurtherLimit, 'name' | 'unit' | 'limit'> & {
  costOf(layerIndex: number, width: OfferedWidth): number;
};

/** A linear limit beside the budget. */
export type FurtherLimit = LinearConstraint & {
  /** Of its costs, where they have one. */
  readonly unit?: string;
};

export type AllocationProblem = {
  /** The variables, layer by layer, in ascending bits. */
  readonly choices: readonly Choice[];
  /** Names of the layers, for messages, shape [layerCount]. */
  readonly layerNames: readonly string[];
  readonly budget: Budget;
  /**
   * Bytes of a file whose layers' parts take `partBytes`, with all that the `usable` variables share: exact if an
   * allocation uses all of that, else an upper bound.
   */
  fileBytes(partBytes: number, usable: readonly number[]): number;
  /** Groups of layer indices that take one width; no layer is in two. */
  readonly ties: readonly (readonly number[])[];
  readonly constraints: readonly FurtherLimit[];
};

/** The index of the choice that each layer takes, shape [layerCount]. */
export type ChosenVariables = readonly number[];

export function candidateCounts({ choices, layerNames }: AllocationProblem): number[] {
  const counts = new Array<number>(layerNames.length).fill(0);
  for (const { layerIndex } of choices) counts[layerIndex]! += 1;
  return counts;
}

/** The variables whose choice is so, in order. */
export function variablesWhere({ choices }: AllocationProblem, isWanted: (choice: Choice) => boolean): number[] {
  return [...choices.keys()].filter((variable) => isWanted(choices[variable]!));
}
