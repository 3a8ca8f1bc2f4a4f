/**
 * The choice by measurement: the program proposes, the model decides (docs/formulation.md, "Selection").
 *
 * Every proposal is built with its corrections and measured on samples kept for the choice, then near-optimal ones. The best is
 * improved in rounds: every one-layer move from it is measured in its context, the program picks the best few moves at once
 * within a trust region, and what it picks is built and measured in turn; it replaces the current allocation only by a gain
 * beyond its paired noise. Budget that is left over is spent last. Nothing is begun that is not expected to end in time.
 */
import { type Expectation, fillUp, gainingUpgrades } from './fill-up.ts';
import { type Built, MeasuredAllocations, meanLoss, type Variables } from './measured-allocations.ts';
import { exceedsNoise, pairedGain } from './paired-gain.ts';
import { SearchClock } from './search-clock.ts';

export type { Built, Variables } from './measured-allocations.ts';

export type Proposal = {
  /** Where it comes from, such as `pairwise`. */
  readonly name: string;
  /** Asked for when it is its turn; undefined where its model of the damage proposes nothing in time. */
  propose(): Promise<Variables | undefined>;
};

export type SearchSteps<B extends Built> = {
  /** The loss that the model of the damage predicts. */
  predict(variables: Variables): number;
  build(variables: Variables): Promise<B>;
  /**
   * What the model of the damage behind the proposal of this name would choose at least so many layers away from all of the
   * `others`; undefined if there is nothing.
   */
  proposeApart(name: string, others: readonly Variables[], leastLayers: number): Promise<Variables | undefined>;
  /** Loss change of every one-layer move, by variable; zero for the variables it has. */
  measureMoves(current: B): Promise<Float64Array>;
  /** The best allocation that fits by these changes, at most so many layers away; undefined if that is where it is. */
  proposeMoves(current: B, changes: Float64Array, mostLayers: number): Promise<Variables | undefined>;
  /** Allocations with one layer or tie wider that fit the budget. */
  upgradesOf(variables: Variables): readonly Variables[];
  /** Of the time that the search may take, in seconds, finite. */
  secondsLeft(): number;
  /** What measuring every move is expected to take before it was done once, where building one allocation takes so long. */
  estimateMoves(secondsForBuild: number): number;
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
  /** Whether some proposal measured better than another that was predicted to be better, beyond noise. */
  readonly isMisranked: boolean;
  /** That brought a gain. */
  readonly rounds: number;
  /** Whether the time limit ended the search before it was done. */
  readonly stoppedByTime: boolean;
};

/** How many layers near-optimal proposals differ from all others, one proposal each. */
const DISTANCES = [2, 4, 8];

/** Of the time, what is kept for rounds of moves where one would end in it, and not given to near-optimal proposals: moves bring more. */
const SHARE_FOR_MOVES = 2 / 3;

/** How many layers a round may change at once; each size is one allocation to build and measure. */
const TRUST_REGIONS = [1, 2, 4, 8];

/** @param proposals one at least, the preferred first; that one is built whatever the time, and so has to propose */
export async function selectAllocation<B extends Built>(
  proposals: readonly Proposal[],
  steps: SearchSteps<B>,
): Promise<Selection<B>> {
  const search = new Search(steps);
  await search.measureProposals(proposals);
  await search.measureNearOptimal();
  let rounds = 0;
  while (await search.improve(rounds + 1)) rounds += 1;
  await search.spendRest();
  return search.result(rounds);
}

class Search<B extends Built> {
  readonly #steps: SearchSteps<B>;
  readonly #clock: SearchClock;
  readonly #measured = new MeasuredAllocations<B>();
  #best: B | undefined;
  /** The proposal that measured best, whose model of the damage is trusted most. */
  #bestProposal = '';
  /** Of the last round, and what they are changes from. */
  #moves: { readonly from: B; readonly changes: Float64Array } | undefined;

  constructor(steps: SearchSteps<B>) {
    this.#steps = steps;
    this.#clock = new SearchClock(() => steps.secondsLeft());
  }

  async measureProposals(proposals: readonly Proposal[]): Promise<void> {
    for (const { name, propose } of proposals) {
      if (this.#best !== undefined && !this.#clock.hasTimeForBuild()) return;
      const variables = await propose();
      if (variables === undefined || this.#measured.addName(variables, name)) continue;
      await this.#measureProposal(name, variables, name);
    }
    if (this.#best === undefined) throw new RangeError('nothing was proposed');
  }

  /** From the model of the damage that proposed best. */
  async measureNearOptimal(): Promise<void> {
    const keptShare = this.#hasTimeForMoves() ? SHARE_FOR_MOVES : 0;
    for (const leastLayers of DISTANCES) {
      if (!this.#clock.hasTimeForBuild(keptShare)) return;
      const source = this.#bestProposal;
      const variables = await this.#steps.proposeApart(source, this.#measured.variables(), leastLayers);
      // Solving took time as well.
      if (variables === undefined || !this.#clock.hasTimeForBuild(keptShare)) continue;
      await this.#measureProposal(`${source}, ${leastLayers} layers apart`, variables, source);
    }
  }

  /** One round; false when nothing better was found. */
  async improve(round: number): Promise<boolean> {
    const start = this.#best!;
    if (!this.#hasTimeForMoves()) return false;
    const changes = await this.#clock.timeMoves(() => this.#steps.measureMoves(start));
    this.#moves = { from: start, changes };
    for (const mostLayers of TRUST_REGIONS) {
      if (!this.#clock.hasTimeForBuild()) break;
      const variables = await this.#steps.proposeMoves(start, changes, mostLayers);
      if (variables === undefined || this.#measured.has(variables)) continue;
      const size = mostLayers === 1 ? 'one move' : `up to ${mostLayers} moves`;
      const built = await this.#build(`round ${round}: ${size}`, variables, false);
      if (exceedsNoise(pairedGain(this.#best!.losses, built.losses))) this.#best = built;
    }
    return this.#best !== start;
  }

  #hasTimeForMoves(): boolean {
    return this.#clock.hasTimeForMoves((secondsForBuild) => this.#steps.estimateMoves(secondsForBuild));
  }

  /** All upgrades that fit together and are expected to gain; where that measures worse, one by one. */
  async spendRest(): Promise<void> {
    const expected = this.#expectation();
    while (await this.#upgrade(expected));
  }

  result(rounds: number): Selection<B> {
    return {
      best: this.#best!,
      ...this.#measured.describe(this.#best!, (variables) => this.#steps.predict(variables)),
      rounds,
      stoppedByTime: this.#clock.stoppedByTime,
    };
  }

  async #measureProposal(name: string, variables: Variables, source: string): Promise<void> {
    const built = await this.#build(name, variables, true);
    if (this.#best !== undefined && !isLess(meanLoss(built), meanLoss(this.#best))) return;
    this.#best = built;
    this.#bestProposal = source;
  }

  /** The first that is not worse; false where there is none, or no time. */
  async #upgrade(expected: Expectation): Promise<boolean> {
    const upgradesOf = (variables: Variables) => this.#steps.upgradesOf(variables);
    const start = this.#best!;
    const singles = gainingUpgrades(start.variables, upgradesOf, expected);
    if (singles.length === 0) return false;
    for (const variables of [fillUp(singles[0]!, upgradesOf, expected), ...singles]) {
      if (this.#measured.has(variables)) continue;
      if (!this.#clock.hasTimeForBuild()) return false;
      const built = await this.#build(`left-over budget: ${countUpgrades(start, variables)}`, variables, false);
      if (!(pairedGain(start.losses, built.losses).gain >= 0)) continue;
      this.#best = built;
      return true;
    }
    return false;
  }

  /** In context where the moves of the last round start from the best; else by the model of the damage. */
  #expectation(): Expectation {
    const moves = this.#moves;
    if (moves === undefined || moves.from !== this.#best) return (variables) => this.#steps.predict(variables);
    return (variables) => variables.reduce((sum, variable) => sum + moves.changes[variable]!, 0);
  }

  async #build(name: string, variables: Variables, isProposal: boolean): Promise<B> {
    const built = await this.#clock.timeBuild(() => this.#steps.build(variables));
    this.#measured.add(name, built, isProposal);
    return built;
  }
}

function countUpgrades({ variables }: Built, upgraded: Variables): string {
  const count = variables.filter((variable, layer) => variable !== upgraded[layer]).length;
  return `${count} layer${count === 1 ? '' : 's'} wider`;
}

/** A loss that is NaN is more than any. */
function isLess(loss: number, other: number): boolean {
  return !Number.isNaN(loss) && !(other <= loss);
}
