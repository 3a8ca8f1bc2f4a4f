/** What units and their losses are called: the same in every run that shares a measurement key. */
import type { Candidate } from './candidates.ts';
import type { WorkUnit } from './work-units.ts';

/** The loss of the base alone, among those of its branches. */
export const BASE_LOSS = 'base';

/** A candidate by layer and width: "3:2". */
export function variableName({ layerIndex, bitWidth }: Pick<Candidate, 'layerIndex' | 'bitWidth'>): string {
  return `${layerIndex}:${bitWidth}`;
}

/** A unit by what it runs: "base=3:2|branches=4:2,4:4". */
export function unitName({ base, branches }: WorkUnit, candidates: readonly Candidate[]): string {
  const baseName = base === undefined ? 'float' : variableName(candidates[base]!);
  return `base=${baseName}|branches=${branches.map((variable) => variableName(candidates[variable]!)).join()}`;
}

/** What the losses of a unit stand on: a variable's name, or undefined for the float network. */
export function baseNameOf(unit: string): string | undefined {
  const name = /^base=([^|]+)\|/.exec(unit)?.[1];
  return name === 'float' ? undefined : name;
}

/** The losses that a unit gives. */
export function lossNames({ branches, measuresBase }: WorkUnit, candidates: readonly Candidate[]): string[] {
  const names = branches.map((variable) => variableName(candidates[variable]!));
  return measuresBase ? [...names, BASE_LOSS] : names;
}
