/** The sweep: every unit of a method measured in turn, with progress, from the store where it is known. */
import type { Measurement } from '../cache/measurement-record.ts';
import type { ReportProgress } from '../progress.ts';
import type { Candidate } from './candidates.ts';
import type { LayerCosts } from './layer-costs.ts';
import type { LossName } from './losses.ts';
import { measuresPair, type SensitivityMethod } from './method.ts';
import type { Sensitivities } from './sensitivities.ts';
import { meanOf, measurePerturbed, type SweepInput } from './sweep.ts';
import { estimateUnitMemory } from './unit-memory.ts';
import { pairUnits, singleUnits, type WorkUnit } from './work-units.ts';

export type MeasureInput = SweepInput & {
  readonly candidates: readonly Candidate[];
  readonly costs: LayerCosts;
  readonly method: SensitivityMethod;
  readonly lossName: LossName;
  /** What a session may take, by estimate. */
  readonly memoryLimitBytes: number;
  readonly store: UnitStore;
  /** Ends the sweep between two units. */
  readonly signal: AbortSignal;
  readonly reportProgress: ReportProgress;
};

/** Where measured units are found again. */
export type UnitStore = {
  find(unit: string): Measurement | undefined;
  /** On its way to safety when it returns: a sweep may end after any unit. */
  keep(measurement: Measurement): Promise<void>;
};

export type PlanInput = Pick<MeasureInput, 'model' | 'candidates' | 'costs' | 'method' | 'memoryLimitBytes'>;

/** The units that a method needs, in the order in which they are measured. */
export function planUnits({ model, candidates, costs, method, memoryLimitBytes }: PlanInput): WorkUnit[] {
  if (method === 'local') return [];
  const memory = estimateUnitMemory(model, candidates, costs, memoryLimitBytes);
  if (method === 'diagonal') return singleUnits(candidates, memory);
  return pairUnits(candidates, memory, (earlier, later) => measuresPair(method, earlier, later));
}

/**
 * Measure what the method needs, but for what the store holds already.
 *
 * @throws the signal's reason when it is aborted; what was measured until then is in the store
 */
export async function measureSensitivities(input: MeasureInput): Promise<Sensitivities> {
  const { candidates, method, lossName, batches, store, signal } = input;
  const begun = performance.now();
  const table = new LossTable(candidates, method);
  const units = planUnits(input);
  const total = units.reduce((sum, unit) => sum + countOf(unit), 0);
  const activity = method === 'diagonal' ? 'measuring layers' : 'measuring layers and pairs';
  const tell = (done: number) => input.reportProgress({ activity, done, total, unit: 'perturbations' });
  let [done, forwardEquivalents] = [0, 0];
  tell(0);
  for (const unit of units) {
    signal.throwIfAborted();
    const name = unitName(unit, candidates);
    const kept = store.find(name);
    const measurement = kept ?? (await measureUnit(input, unit, name));
    if (kept === undefined) {
      await store.keep(measurement);
      forwardEquivalents += measurement.forwardEquivalents;
    }
    table.fill(unit, measurement);
    done += countOf(unit);
    tell(done);
  }
  return {
    method,
    loss: lossName,
    sampleCount: sampleCountOf(batches),
    ...table.result(),
    forwardEquivalents,
    seconds: (performance.now() - begun) / 1000,
  };
}

function countOf({ branches, measuresBase }: WorkUnit): number {
  return branches.length + (measuresBase ? 1 : 0);
}

async function measureUnit(input: MeasureInput, unit: WorkUnit, name: string): Promise<Measurement> {
  const { candidates, costs, batches } = input;
  const begun = performance.now();
  const base = unit.base === undefined ? new Map() : candidates[unit.base]!.perturbation;
  const branches = unit.branches.map((variable) => candidates[variable]!.perturbation);
  const measured = await measurePerturbed(input, base, branches, costs, unit.measuresBase);
  const losses = unit.branches.map((variable, index) => [
    variableName(candidates[variable]!),
    meanOf(measured.branches[index]!),
  ]);
  if (measured.base !== undefined) losses.push([BASE, meanOf(measured.base)]);
  return {
    unit: name,
    losses: Object.fromEntries(losses),
    sampleCount: sampleCountOf(batches),
    forwardEquivalents: measured.forwardEquivalents,
    seconds: (performance.now() - begun) / 1000,
  };
}

function sampleCountOf(batches: MeasureInput['batches']): number {
  return batches.reduce((sum, { sampleCount }) => sum + sampleCount, 0);
}

/** The loss of the base alone, among those of its branches. */
const BASE = 'base';

/** A candidate by layer and width, which mean the same in every run that shares a measurement key: "3:2". */
function variableName({ layerIndex, bitWidth }: Candidate): string {
  return `${layerIndex}:${bitWidth}`;
}

/** A unit by what it runs: "base=3:2|branches=4:2,4:4". */
function unitName({ base, branches }: WorkUnit, candidates: readonly Candidate[]): string {
  const baseName = base === undefined ? 'float' : variableName(candidates[base]!);
  return `base=${baseName}|branches=${branches.map((variable) => variableName(candidates[variable]!)).join()}`;
}

/** Losses as they arrive; what changes nothing (a layer left in float) is zero, alone and beside another. */
class LossTable {
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
    if (measuresBase) this.#setSingle(base!, lossOf(BASE));
    for (const variable of branches) {
      const loss = lossOf(variableName(this.#candidates[variable]!));
      if (base === undefined) this.#setSingle(variable, loss);
      else this.#setPair(base, variable, loss);
    }
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

  result() {
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
