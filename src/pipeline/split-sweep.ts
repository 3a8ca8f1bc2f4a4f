import type { Config } from '../config/config.ts';
import type { SweepInput } from '../sensitivity/sweep.ts';

/** Of the calibration batches, one in so many is kept for the choice among measured allocations. */
const CHOICE_SHARE = 4;

export type Split = {
  /** What moments, sensitivities and corrections are fitted to. */
  fitting<Item>(items: readonly Item[]): readonly Item[];
  /** What was fitted is compared on. */
  choice<Item>(items: readonly Item[]): readonly Item[];
};

/** A split of calibration batches, and of what there is one of per batch. Without a choice to make, or too few batches, none. */
export function splitBatches(batchCount: number, { timeLimitSeconds }: Config['search']): Split {
  if (timeLimitSeconds === 0 || batchCount < CHOICE_SHARE)
    return { fitting: (items) => items, choice: (items) => items };
  const isKept = (index: number) => index % CHOICE_SHARE === CHOICE_SHARE - 1;
  return {
    fitting: (items) => items.filter((_, index) => !isKept(index)),
    choice: (items) => items.filter((_, index) => isKept(index)),
  };
}

/** The sweeps over both parts. */
export function splitSweep(sweep: SweepInput, split: Split): [fitting: SweepInput, choice: SweepInput] {
  const { batches, losses } = sweep;
  return [
    { ...sweep, batches: split.fitting(batches), losses: split.fitting(losses) },
    { ...sweep, batches: split.choice(batches), losses: split.choice(losses) },
  ];
}

/** How many of the calibration samples sensitivities are measured on, before the batches are read. */
export function fittingSampleCount(sampleCount: number, batchSize: number, search: Config['search']): number {
  const sizes = Array.from({ length: Math.ceil(sampleCount / batchSize) }, (_, index) =>
    Math.min(batchSize, sampleCount - index * batchSize),
  );
  return splitBatches(sizes.length, search)
    .fitting(sizes)
    .reduce((sum, size) => sum + size, 0);
}
