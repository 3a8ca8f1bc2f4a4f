/** The part of what is kept that a run can use. */
import type { MeasurementRecord } from './measurement-record.ts';

export type WantedUnit = { readonly unit: string; readonly lossNames: readonly string[] };

/** Records of wanted units, in their order; those with other losses than their unit has are noted and left out. */
export function selectWanted(
  wanted: readonly WantedUnit[],
  all: ReadonlyMap<string, MeasurementRecord>,
  notes: Set<string>,
): Map<string, MeasurementRecord> {
  const known = new Map<string, MeasurementRecord>();
  let misfitCount = 0;
  for (const { unit, lossNames } of wanted) {
    const record = all.get(unit);
    if (record === undefined) continue;
    if (hasExactly(record, lossNames)) known.set(unit, record);
    else misfitCount += 1;
  }
  if (misfitCount > 0)
    notes.add(`${misfitCount} kept measurements have other losses than their units, and are measured anew`);
  return known;
}

function hasExactly({ losses }: MeasurementRecord, names: readonly string[]): boolean {
  return Object.keys(losses).length === names.length && names.every((name) => Object.hasOwn(losses, name));
}
