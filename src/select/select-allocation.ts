/**
 * The choice by measurement: the program proposes, the model decides (docs/formulation.md, "Selection").
 *
 * Every proposal is built with its corrections and measured on samples kept for the choice. The best is improved in rounds:
 * every one-layer move from it is measured in its context, the program picks the best few moves at once within a trust region,
 * and what it picks is built and measured in turn; it replaces the current allocation only by a gain beyond its paired noise.
 */
import { exceedsNoise, pairedGain } from './paired-gain.ts';
import { rankCorrelation } from './rank-correlation.ts';

/** The variable that each layer takes, shape [layerCount]. */
type Variables = readonly number[];

export type Proposal = {
  /** Where it comes from, such as `pairwise`. */
  readonly name: string;
  readonly variables: Variables;
};

/** An allocation as it would be shipped. */
export type Built = {
  readonly variables: Variables;
  /** Of the samples kept for the choice, shape [sampleCount]. */
  readonly losses: Float64Array;
};

export type SearchSteps<B extends Built> = {
  /** The loss that the model of the damage predicts. */
  predict(variables: Variables): number;
  build(variables: Variables): Promise<B>;
  /** Loss change of every one-layer move, by variable; zero for the variables it has. */
  measureMoves(current: B): Promise<Float64Array>;
  /** The best allocation that fits by these changes, at most so many layers away; undefined if that is where it is. */
  proposeMoves(current: B, changes: Float64Array, mostLayers: number): Promise<Variables | undefined>;
  secondsLeft(): number;
  /** What one round of measuring moves is expected to take. */
  readonly secondsForMoves: number;
};

export type MeasuredCandidate = {
  readonly name: string;
  readonly predicted: number;
  readonly measured: number;
  readonly chosen: boolean;
};

export type Selection<B extends Built> = {
  readonly best: B;
  readonly candidates: readonly MeasuredCandidate[];
  /** Between predicted and measured losses of the proposals. */
  readonly rankCorrelation?: number;
  readonly rounds: number;
  /** Whether the time limit ended the search before its rounds did. */
  readonly stoppedByTime: boolean;
};

/** Two rounds bring most of what in-context moves bring. */
const ROUNDS = 2;

/** How many layers a round may change at once; each size is one allocation to build and measure. */
const TRUST_REGIONS = [1, 2, 4, 8];

/** @param proposals one at least, the preferred first */
export async function selectAllocation<B extends Built>(
  proposals: readonly Proposal[],
  steps: SearchSteps<B>,
): Promise<Selection<B>> {
  const search = new Search(steps);
  await search.measureProposals(proposals);
  let rounds = 0;
  while (rounds < ROUNDS && (await search.improve())) rounds += 1;
  return search.result(rounds);
}

class Search<B extends Built> {
  readonly #steps: SearchSteps<B>;
  readonly #measured: { name: string; built: B; isProposal: boolean }[] = [];
  #best: { name: string; built: B } | undefined;
  #stoppedByTime = false;
  /** What the last allocation took. */
  #secondsForBuild = 0;

  constructor(steps: SearchSteps<B>) {
    this.#steps = steps;
  }

  /** The first is always measured; each distinct allocation once. */
  async measureProposals(proposals: readonly Proposal[]): Promise<void> {
    for (const { name, variables } of distinct(proposals)) {
      if (this.#best !== undefined && this.#isOutOfTime(this.#secondsForBuild)) return;
      const built = await this.#build(name, variables, true);
      if (this.#best === undefined || isLess(meanOf(built.losses), meanOf(this.#best.built.losses))) {
        this.#best = { name, built };
      }
    }
  }

  /** One round; false when nothing better was found. */
  async improve(): Promise<boolean> {
    if (this.#isOutOfTime(this.#steps.secondsForMoves)) return false;
    const { name: startName, built: start } = this.#best!;
    const changes = await this.#steps.measureMoves(start);
    const known = new Set(this.#measured.map(({ built }) => String(built.variables)));
    for (const mostLayers of TRUST_REGIONS) {
      if (this.#isOutOfTime(this.#secondsForBuild)) break;
      const variables = await this.#steps.proposeMoves(start, changes, mostLayers);
      if (variables === undefined || known.has(String(variables))) continue;
      known.add(String(variables));
      const name = `${mostLayers === 1 ? 'one move' : `up to ${mostLayers} moves`} from ${startName}`;
      this.#accept(name, await this.#build(name, variables, false));
    }
    return this.#best!.built !== start;
  }

  result(rounds: number): Selection<B> {
    const { built: best } = this.#best!;
    const candidates = this.#measured.map(({ name, built }) => ({
      name,
      predicted: this.#steps.predict(built.variables),
      measured: meanOf(built.losses),
      chosen: built === best,
    }));
    // Moves are left out: they are looked for where the prediction errs.
    const proposed = candidates.filter((_, index) => this.#measured[index]!.isProposal);
    const correlation = rankCorrelation(
      proposed.map(({ predicted }) => predicted),
      proposed.map(({ measured }) => measured),
    );
    return {
      best,
      candidates,
      ...(correlation === undefined ? {} : { rankCorrelation: correlation }),
      rounds,
      stoppedByTime: this.#stoppedByTime,
    };
  }

  async #build(name: string, variables: Variables, isProposal: boolean): Promise<B> {
    const secondsBefore = this.#steps.secondsLeft();
    const built = await this.#steps.build(variables);
    this.#secondsForBuild = secondsBefore - this.#steps.secondsLeft();
    this.#measured.push({ name, built, isProposal });
    return built;
  }

  #accept(name: string, built: B): void {
    const gain = pairedGain(this.#best!.built.losses, built.losses);
    if (exceedsNoise(gain)) this.#best = { name, built };
  }

  /** Nothing is begun that would not end in time. */
  #isOutOfTime(expectedSeconds: number): boolean {
    const secondsLeft = this.#steps.secondsLeft();
    if (secondsLeft > 0 && secondsLeft >= expectedSeconds) return false;
    this.#stoppedByTime = true;
    return true;
  }
}

/** Without what an earlier proposal has too; its name is then both names. */
function distinct(proposals: readonly Proposal[]): Proposal[] {
  const found = new Map<string, Proposal>();
  for (const proposal of proposals) {
    const key = String(proposal.variables);
    const twin = found.get(key);
    found.set(key, twin === undefined ? proposal : { ...twin, name: `${twin.name}, ${proposal.name}` });
  }
  return [...found.values()];
}

/** A loss that is NaN is more than any. */
function isLess(loss: number, other: number): boolean {
  return !Number.isNaN(loss) && !(other <= loss);
}

function meanOf(losses: Float64Array): number {
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}
