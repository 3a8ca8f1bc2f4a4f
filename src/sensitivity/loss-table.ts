/** Losses of units, put where their candidates and pairs of candidates have them. */
import type { Measurement } from '../cache/measurement-record.ts';
import type { Candidate } from './candidates.ts';
import type { SensitivityMethod } from './method.ts';
import type { Sensitivities } from './sensitivities.ts';
import { BASE_LOSS, variableName } from './unit-names.ts';
import type { WorkUnit } from './work-units.ts';

/** Losses as they arrive; what changes nothing (a layer left in float) is zero, alone and beside another. */
export class LossTable {
  readonly #candidates: readonly Candidate[];
  readonly #singles: Float64Array;
  readonly #pairs: Float64Array | undefined;
  #singleCount = 0;
  #pairCount = 0;

  constructor(candidates: readonly Candidate[], method: SensitivityMethod) {
    this.#candidates = candidates;
    const before = ({ content, localLoss }: Candidate) => {
      if (content === 'float') return 0;
      return method === 'local' ? localLoss : Number.NaN;
    };
    this.#singles = Float64Array.from(candidates, before);
    const hasPairs = method === 'block' || method === 'pairwise';
    this.#pairs = hasPairs ? new Float64Array(candidates.length ** 2).fill(Number.NaN) : undefined;
  }

  /** @throws Error if a loss is missing: the store gave back another unit */
  fill({ base, branches, measuresBase }: WorkUnit, { unit, losses }: Measurement): void {
    const lossOf = (name: string) => {
      const loss = losses[name];
      if (loss === undefined) throw new Error(`the measurement of ${unit} has no loss for ${name}`);
      return loss;
    };
    if (measuresBase) this.set([base!], lossOf(BASE_LOSS));
    for (const variable of branches) {
      const loss = lossOf(variableName(this.#candidates[variable]!));
      this.set(base === undefined ? [variable] : [base, variable], loss);
    }
  }

  /** @param variables one candidate, or two of different layers */
  set([first, second]: readonly number[], loss: number): void {
    if (second === undefined) this.#setSingle(first!, loss);
    else this.#setPair(first!, second, loss);
  }

  #setSingle(variable: number, loss: number): void {
    this.#singles[variable] = loss;
    this.#singleCount += 1;
  }

  #setPair(first: number, second: number, loss: number): void {
    const count = this.#candidates.length;
    this.#pairs![first * count + second] = loss;
    this.#pairs![second * count + first] = loss;
    this.#pairCount += 1;
  }

  result(): Pick<Sensitivities, 'candidateCounts' | 'singles' | 'pairs' | 'singleCount' | 'pairCount'> {
    const layerCount = (this.#candidates.at(-1)?.layerIndex ?? -1) + 1;
    const candidateCounts = Array.from(
      { length: layerCount },
      (_, layer) => this.#candidates.filter(({ layerIndex }) => layerIndex === layer).length,
    );
    return {
      candidateCounts,
      singles: this.#singles,
      ...(this.#pairs === undefined ? {} : { pairs: this.#pairs }),
      singleCount: this.#singleCount,
      pairCount: this.#pairCount,
    };
  }
}
