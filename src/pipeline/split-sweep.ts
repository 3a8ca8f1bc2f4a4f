import type { SweepInput } from '../sensitivity/sweep.ts';

/**
 * Samples that everything is fitted to, and samples kept for the choice among what was fitted: every `share`-th batch. With too
 * few batches to split, both are all of them.
 */
export function splitSweep(input: SweepInput, share: number): [fitting: SweepInput, choice: SweepInput] {
  if (input.batches.length < share) return [input, input];
  const isKept = (_: unknown, index: number) => index % share === share - 1;
  const isFitted = (_: unknown, index: number) => !isKept(_, index);
  return [filterBatches(input, isFitted), filterBatches(input, isKept)];
}

function filterBatches(input: SweepInput, isWanted: (batch: unknown, index: number) => boolean): SweepInput {
  return { ...input, batches: input.batches.filter(isWanted), losses: input.losses.filter(isWanted) };
}
