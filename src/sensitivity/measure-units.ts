/** Units measured in turn, with progress; from the store where they are known. */
import type { Measurement } from '../cache/measurement-record.ts';
import type { ReportProgress } from '../progress.ts';
import type { Candidate } from './candidates.ts';
import type { LayerCosts } from './layer-costs.ts';
import { meanOf, measurePerturbed, type SweepInput } from './sweep.ts';
import { lossNames, unitName } from './unit-names.ts';
import type { WorkUnit } from './work-units.ts';

export type UnitInput = SweepInput & {
  readonly candidates: readonly Candidate[];
  readonly costs: LayerCosts;
};

export type UnitsInput = UnitInput & {
  readonly store: UnitStore;
  /** Ends the sweep; a unit that is not finished is lost. */
  readonly signal: AbortSignal;
  readonly reportProgress: ReportProgress;
};

/** Where measured units are found again. */
export type UnitStore = {
  find(unit: string): Measurement | undefined;
  /** Safe when it returns: a sweep may end after any unit. */
  keep(measurement: Measurement): Promise<void>;
};

/**
 * Measure units, but for what the store holds already.
 *
 * @returns one measurement per unit, in their order
 * @throws the signal's reason when it is aborted; what was measured until then is in the store
 */
export async function measureUnits(input: UnitsInput, units: readonly WorkUnit[]): Promise<Measurement[]> {
  const { candidates, store, signal } = input;
  const total = units.reduce((sum, unit) => sum + networkCount(unit), 0);
  const activity = units.some(({ base }) => base !== undefined) ? 'measuring layers and pairs' : 'measuring layers';
  const tell = (done: number) => input.reportProgress({ activity, done, total, unit: 'perturbations' });
  const measurements: Measurement[] = [];
  let done = 0;
  tell(0);
  for (const unit of units) {
    signal.throwIfAborted();
    const kept = store.find(unitName(unit, candidates));
    const measurement = kept ?? (await measureUnit(input, unit));
    if (kept === undefined) await store.keep(measurement);
    measurements.push(measurement);
    done += networkCount(unit);
    tell(done);
  }
  return measurements;
}

function networkCount({ branches, measuresBase }: WorkUnit): number {
  return branches.length + (measuresBase ? 1 : 0);
}

/** Measure one unit, whatever is known. */
export async function measureUnit(input: UnitInput, unit: WorkUnit): Promise<Measurement> {
  const { candidates, costs, batches } = input;
  const begun = performance.now();
  const base = unit.base === undefined ? new Map() : candidates[unit.base]!.perturbation;
  const branches = unit.branches.map((variable) => candidates[variable]!.perturbation);
  const measured = await measurePerturbed(input, base, branches, costs, unit.measuresBase);
  const all = measured.base === undefined ? measured.branches : [...measured.branches, measured.base];
  const losses = lossNames(unit, candidates).map((name, index) => [name, meanOf(all[index]!)]);
  return {
    unit: unitName(unit, candidates),
    losses: Object.fromEntries(losses),
    sampleCount: sampleCountOf(batches),
    forwardEquivalents: measured.forwardEquivalents,
    seconds: (performance.now() - begun) / 1000,
  };
}

export function sampleCountOf(batches: SweepInput['batches']): number {
  return batches.reduce((sum, { sampleCount }) => sum + sampleCount, 0);
}
