/** Sensitivities out of records that were kept, whatever units they were measured in. */
import type { Measurement } from '../cache/measurement-record.ts';
import type { Candidate } from './candidates.ts';
import { LossTable } from './loss-table.ts';
import type { LossName } from './losses.ts';
import { measuresPair, type SensitivityMethod } from './method.ts';
import type { Sensitivities } from './sensitivities.ts';
import { BASE_LOSS, baseNameOf, variableName } from './unit-names.ts';

/** The losses that a method needs, and how many of them are there. */
export type KeptSensitivities = {
  readonly neededCount: number;
  readonly keptCount: number;
  /** Absent while losses are missing. */
  readonly sensitivities?: Sensitivities;
};

/** @param records of one measurement set, that of the candidates */
export function keptSensitivities(
  records: readonly Measurement[],
  candidates: readonly Candidate[],
  method: SensitivityMethod,
  loss: LossName,
): KeptSensitivities {
  const losses = lossesByNetwork(records);
  const networks = networksOf(candidates, method);
  const kept = networks.filter(({ name }) => losses.has(name));
  const counts = { neededCount: networks.length, keptCount: kept.length };
  if (kept.length < networks.length) return counts;
  const table = new LossTable(candidates, method);
  for (const { name, variables } of networks) table.set(variables, losses.get(name)!);
  const sensitivities = {
    method,
    loss,
    sampleCount: records[0]?.sampleCount ?? 0,
    ...table.result(),
    forwardEquivalents: records.reduce((sum, { forwardEquivalents }) => sum + forwardEquivalents, 0),
    seconds: 0,
  };
  return { ...counts, sensitivities };
}

/** By the name of what was perturbed: "3:2", or "3:2,4:4" for a pair. */
function lossesByNetwork(records: readonly Measurement[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const { unit, losses } of records) {
    const base = baseNameOf(unit);
    for (const [name, loss] of Object.entries(losses)) {
      if (name === BASE_LOSS) found.set(base!, loss);
      else found.set(base === undefined ? name : `${base},${name}`, loss);
    }
  }
  return found;
}

type Network = { readonly name: string; readonly variables: readonly number[] };

/** What a method measures: candidates alone and in pairs, the earlier layer first; a float layer changes nothing. */
function networksOf(candidates: readonly Candidate[], method: SensitivityMethod): Network[] {
  const perturbing = [...candidates.keys()].filter((variable) => candidates[variable]!.content !== 'float');
  const named = (variables: readonly number[]) => ({
    name: variables.map((variable) => variableName(candidates[variable]!)).join(),
    variables,
  });
  const pairs = perturbing.flatMap((first) =>
    perturbing.filter((second) => isPair(candidates[first]!, candidates[second]!)).map((second) => [first, second]),
  );
  const wantsPair = ([first, second]: readonly number[]) =>
    measuresPair(method, candidates[first!]!.layerIndex, candidates[second!]!.layerIndex);
  return [...perturbing.map((variable) => [variable]), ...pairs.filter(wantsPair)].map(named);
}

function isPair(first: Candidate, second: Candidate): boolean {
  return first.layerIndex < second.layerIndex;
}
