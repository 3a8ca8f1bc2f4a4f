/** The sweep: the units that a method needs, measured or known, and what they say of candidates and pairs. */
import { LossTable } from './loss-table.ts';
import type { LossName } from './losses.ts';
import { measureUnits, sampleCountOf, type UnitInput, type UnitsInput } from './measure-units.ts';
import { measuresPair, type SensitivityMethod } from './method.ts';
import type { Sensitivities } from './sensitivities.ts';
import { estimateUnitMemory } from './unit-memory.ts';
import { pairUnits, singleUnits, type WorkUnit } from './work-units.ts';

export type MeasureInput = UnitsInput & {
  readonly method: SensitivityMethod;
  readonly lossName: LossName;
  /** What a session may take, by estimate. */
  readonly memoryLimitBytes: number;
};

export type PlanInput = Pick<UnitInput, 'model' | 'candidates' | 'costs'> &
  Pick<MeasureInput, 'method' | 'memoryLimitBytes'>;

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
  const { candidates, method, lossName, batches } = input;
  const begun = performance.now();
  const table = new LossTable(candidates, method);
  const units = planUnits(input);
  const measurements = await measureUnits(input, units);
  for (const [index, unit] of units.entries()) table.fill(unit, measurements[index]!);
  return {
    method,
    loss: lossName,
    sampleCount: sampleCountOf(batches),
    ...table.result(),
    forwardEquivalents: measurements.reduce((sum, { forwardEquivalents }) => sum + forwardEquivalents, 0),
    seconds: (performance.now() - begun) / 1000,
  };
}
