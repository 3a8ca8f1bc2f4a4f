/**
 * The choice that an earlier run on this machine made for the same question, so that the same config gives the same answer
 * although a second run has less time to choose. It is one more record of the cache, with a key of its own.
 */
import { createHash } from 'node:crypto';
import type { AllocationProblem, ChosenVariables } from '../allocate/allocation-problem.ts';
import { keepsLimits } from '../allocate/fitting-upgrades.ts';
import type { CacheInput, MeasurementCache } from '../cache/measurement-cache.ts';
import type { SensitivityConfig } from '../config/config.ts';
import { type Built, meanLoss } from '../select/measured-allocations.ts';
import type { Sensitivities } from '../sensitivity/sensitivities.ts';
import { variableName } from '../sensitivity/unit-names.ts';

export type EarlierChoice = {
  /** Undefined where there is none that this run could have made. */
  readonly variables: ChosenVariables | undefined;
  keep(chosen: Built, work: Work): Promise<void>;
};

export type Work = { readonly forwardEquivalents: number; readonly seconds: number };

export type Question = {
  /** Of the measurement set. */
  readonly measurementKey: string;
  readonly method: Sensitivities['method'];
  readonly terms: Pick<SensitivityConfig, 'transform' | 'psd'>;
  /** How many answers share the time for the choice: each of many is chosen with less care than one. */
  readonly answerCount: number;
  readonly problem: AllocationProblem;
};

/** @param hadAll whether all losses were kept before this run */
export async function openEarlierChoice(
  question: Question,
  hadAll: boolean,
  openSet: (set: Omit<CacheInput, 'policy'>) => Promise<MeasurementCache>,
): Promise<EarlierChoice> {
  const { problem } = question;
  const label = `choice of ${problem.layerNames.length} layers, ${problem.budget.limit} ${problem.budget.kind}`;
  const cache = await openSet({ key: choiceKey(question), label, wanted: 'all' });
  const latestFirst = [...cache.known.values()].sort((a, b) => Date.parse(b.measuredAt) - Date.parse(a.measuredAt));
  // What was chosen by losses that are gone, or were found to be wrong, is not the answer to those that were measured now.
  const believed = hadAll ? latestFirst : [];
  const variables = believed.map(({ unit }) => decodeAllocation(unit, problem)).find((found) => found !== undefined);
  return {
    variables,
    keep: async (chosen, work) => {
      if (variables !== undefined) return;
      const losses = { choice: meanLoss(chosen) };
      const unit = encodeAllocation(chosen.variables, problem);
      await cache.keep({ unit, losses, sampleCount: chosen.losses.length, ...work });
    },
  };
}

/** SHA-256 of all that decides over the choice, 64 hex digits. */
function choiceKey({ measurementKey, method, terms, answerCount, problem }: Question): string {
  const { choices, budget, ties, constraints } = problem;
  const limits = constraints.map(({ name, costs, limit }) => [name, [...costs], limit]);
  const sizes = [choices, problem.fileBytes(0, [])];
  const facts = [measurementKey, method, terms.transform, terms.psd, answerCount, sizes, budget, ties, limits];
  return createHash('sha256')
    .update(JSON.stringify(['bitgate choice', facts]))
    .digest('hex');
}

/** "allocation=0:8,1:3": every layer with its width. */
function encodeAllocation(variables: ChosenVariables, { choices }: AllocationProblem): string {
  return `allocation=${variables.map((variable) => variableName(choices[variable]!)).join()}`;
}

/** Undefined for what this run could not choose, whoever wrote it. */
function decodeAllocation(unit: string, problem: AllocationProblem): ChosenVariables | undefined {
  const { choices, layerNames, ties } = problem;
  const variableOf = new Map(choices.map((choice, variable) => [variableName(choice), variable]));
  const names = unit.slice('allocation='.length).split(',');
  const variables = names.flatMap((name) => variableOf.get(name) ?? []);
  const isWhole =
    variables.length === layerNames.length &&
    variables.every((variable, layer) => choices[variable]!.layerIndex === layer);
  if (!isWhole) return undefined;
  const widthOf = (layer: number) => choices[variables[layer]!]!.bitWidth;
  const areTied = ties.every((layers) => layers.every((layer) => widthOf(layer) === widthOf(layers[0]!)));
  return areTied && keepsLimits(problem, variables) ? variables : undefined;
}
