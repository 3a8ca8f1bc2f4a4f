/** The allocations that were built and measured, and what is to be said of them. */
import { exceedsNoise, pairedGain } from './paired-gain.ts';
import { rankCorrelation } from './rank-correlation.ts';
import type { MeasuredCandidate, Selection } from './select-allocation.ts';

/** The variable that each layer takes, shape [layerCount]. */
export type Variables = readonly number[];

/** An allocation as it would be shipped. */
export type Built = {
  readonly variables: Variables;
  /** Of the samples kept for the choice, shape [sampleCount]. */
  readonly losses: Float64Array;
};

type Entry<B> = { readonly names: string[]; readonly built: B; readonly isProposal: boolean };

/** A difference that chance would make once in some forty times; among many pairs one standard error is often exceeded. */
const CLEAR_STANDARD_ERRORS = 2;

export class MeasuredAllocations<B extends Built> {
  readonly #entries = new Map<string, Entry<B>>();

  add(name: string, built: B, isProposal: boolean): void {
    this.#entries.set(String(built.variables), { names: [name], built, isProposal });
  }

  has(variables: Variables): boolean {
    return this.#entries.has(String(variables));
  }

  /** What was measured under another name gets this one too; false if it was not measured. */
  addName(variables: Variables, name: string): boolean {
    const entry = this.#entries.get(String(variables));
    entry?.names.push(name);
    return entry !== undefined;
  }

  variables(): Variables[] {
    return [...this.#entries.values()].map(({ built }) => built.variables);
  }

  describe(
    best: B,
    predict: (variables: Variables) => number,
  ): Pick<Selection<B>, 'candidates' | 'rankCorrelation' | 'isMisranked'> {
    const rated = [...this.#entries.values()].map(({ names, built, isProposal }) => {
      const [predicted, measured] = [predict(built.variables), meanLoss(built)];
      return { name: names.join(', '), predicted, measured, built, isProposal };
    });
    // Moves and upgrades are left out: they are looked for where the prediction errs.
    const proposed = rated.filter(({ isProposal }) => isProposal);
    const correlation = rankCorrelation(
      proposed.map(({ predicted }) => predicted),
      proposed.map(({ measured }) => measured),
    );
    return {
      candidates: rated.map(
        ({ name, predicted, measured, built }): MeasuredCandidate => ({
          name,
          predicted,
          measured,
          chosen: built === best,
        }),
      ),
      ...(correlation === undefined ? {} : { rankCorrelation: correlation }),
      isMisranked: proposed.some((a) => proposed.some((b) => isClearlyMisranked(a, b))),
    };
  }
}

type Rated = { readonly predicted: number; readonly built: Built };

/** Whether `a` was predicted to be better, and `b` is. */
function isClearlyMisranked(a: Rated, b: Rated): boolean {
  if (!(a.predicted < b.predicted)) return false;
  return exceedsNoise(pairedGain(a.built.losses, b.built.losses), CLEAR_STANDARD_ERRORS);
}

export function meanLoss({ losses }: Built): number {
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}
