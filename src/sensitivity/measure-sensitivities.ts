/** The sweep: every unit of a method measured in turn, with progress, from the store where it is known. */
import type { ReportProgress } from '../progress.ts';
import type { Candidate } from './candidates.ts';
import type { LayerCosts } from './layer-costs.ts';
import type { LossName } from './losses.ts';
import type { Sensitivities } from './sensitivities.ts';
import { meanOf, measurePerturbed, type SweepInput } from './sweep.ts';
import { estimateUnitMemory } from './unit-memory.ts';
import { pairUnits, singleUnits, type WorkUnit } from './work-units.ts';

export type SensitivityMethod = Sensitivities['method'];

export type MeasureInput = SweepInput & {
  readonly candidates: readonly Candidate[];
  readonly costs: LayerCosts;
  readonly method: SensitivityMethod;
  readonly lossName: LossName;
  /** What a session may take, by estimate. */
  readonly memoryLimitBytes: number;
  readonly reportProgress: ReportProgress;
};

export type PlanInput = Pick<MeasureInput, 'model' | 'candidates' | 'costs' | 'method' | 'memoryLimitBytes'>;

/** The units that a method needs, in the order in which they are measured. */
export function planUnits({ model, candidates, costs, method, memoryLimitBytes }: PlanInput): WorkUnit[] {
  const memory = estimateUnitMemory(model, candidates, costs, memoryLimitBytes);
  return method === 'diagonal' ? singleUnits(candidates, memory) : pairUnits(candidates, memory, () => true);
}

/** Measure what the method needs. */
export async function measureSensitivities(input: MeasureInput): Promise<Sensitivities> {
  const { candidates, method, lossName, batches } = input;
  const begun = performance.now();
  const table = new LossTable(candidates, method === 'pairwise');
  const units = planUnits(input);
  const total = units.reduce((sum, unit) => sum + countOf(unit), 0);
  const activity = method === 'pairwise' ? 'measuring layers and pairs' : 'measuring layers';
  const tell = (done: number) => input.reportProgress({ activity, done, total, unit: 'perturbations' });
  let [done, forwardEquivalents] = [0, 0];
  tell(0);
  for (const unit of units) {
    forwardEquivalents += await measureUnit(input, unit, table);
    done += countOf(unit);
    tell(done);
  }
  return {
    method,
    loss: lossName,
    sampleCount: batches.reduce((sum, { sampleCount }) => sum + sampleCount, 0),
    ...table.result(),
    forwardEquivalents,
    seconds: (performance.now() - begun) / 1000,
  };
}

function countOf({ branches, measuresBase }: WorkUnit): number {
  return branches.length + (measuresBase ? 1 : 0);
}

async function measureUnit(input: MeasureInput, unit: WorkUnit, table: LossTable): Promise<number> {
  const { candidates, costs } = input;
  const base = unit.base === undefined ? new Map() : candidates[unit.base]!.perturbation;
  const branches = unit.branches.map((variable) => candidates[variable]!.perturbation);
  const measured = await measurePerturbed(input, base, branches, costs, unit.measuresBase);
  if (measured.base !== undefined) table.setSingle(unit.base!, meanOf(measured.base));
  for (const [index, variable] of unit.branches.entries()) {
    const loss = meanOf(measured.branches[index]!);
    if (unit.base === undefined) table.setSingle(variable, loss);
    else table.setPair(unit.base, variable, loss);
  }
  return measured.forwardEquivalents;
}

/** Losses as they arrive; what changes nothing (a layer left in float) is zero, alone and beside another. */
class LossTable {
  readonly #candidates: readonly Candidate[];
  readonly #singles: Float64Array;
  readonly #pairs: Float64Array | undefined;
  #singleCount = 0;
  #pairCount = 0;

  constructor(candidates: readonly Candidate[], hasPairs: boolean) {
    this.#candidates = candidates;
    this.#singles = Float64Array.from(candidates, ({ content }) => (content === 'float' ? 0 : Number.NaN));
    this.#pairs = hasPairs ? new Float64Array(candidates.length ** 2).fill(Number.NaN) : undefined;
  }

  setSingle(variable: number, loss: number): void {
    this.#singles[variable] = loss;
    this.#singleCount += 1;
  }

  setPair(first: number, second: number, loss: number): void {
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
