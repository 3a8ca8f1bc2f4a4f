/** Allocations as they would be shipped: corrected with the quantized prefix in place, and measured. */

import { allocate } from '../allocate/allocate.ts';
import { type AllocationProblem, type ChosenVariables, variablesWhere } from '../allocate/allocation-problem.ts';
import type { LayerContent } from '../artifact/packed-artifact.ts';
import type { Correction, QuantizeConfig } from '../config/config.ts';
import {
  type CorrectionInput,
  fullBatches,
  measureCorrections,
  type OutputCorrection,
} from '../correct/correct-allocation.ts';
import { foldCorrection } from '../correct/fold-correction.ts';
import type { Layer } from '../onnx/list-layers.ts';
import { floatTensor, readFloats } from '../onnx/tensor-values.ts';
import { dequantize, type QuantizedTensor } from '../quantize/quantized-tensor.ts';
import type { Built } from '../select/select-allocation.ts';
import type { Perturbation } from '../sensitivity/branch-graph.ts';
import type { Candidate } from '../sensitivity/candidates.ts';
import type { LayerCosts } from '../sensitivity/layer-costs.ts';
import { meanOf, measurePerturbed, type SweepInput } from '../sensitivity/sweep.ts';
import { estimateUnitMemory } from '../sensitivity/unit-memory.ts';
import { groupByMemory } from '../sensitivity/work-units.ts';
import type { Solve, SolveLimits } from '../solver/solution.ts';
import type { TensorProto } from '../wire/model-proto.ts';

export type BuiltAllocation = Built & {
  /** What the artifact stores for each layer, corrections folded in, shape [layerCount]. */
  readonly contents: readonly LayerContent[];
  /** Corrected biases by initializer name. */
  readonly biases: ReadonlyMap<string, TensorProto>;
  /** All of it as float tensors, to run it. */
  readonly perturbation: Perturbation;
};

export type BuilderInput = {
  readonly layers: readonly Layer[];
  readonly candidates: readonly Candidate[];
  readonly costs: LayerCosts;
  /** What a session may take, by estimate. */
  readonly memoryLimitBytes: number;
  readonly correction: Correction;
  /** What corrections and moves are fitted to. */
  readonly fitting: SweepInput;
  /** Samples kept for the choice. */
  readonly choice: SweepInput;
  readonly problem: AllocationProblem;
  readonly solve: Solve;
  readonly solveLimits: SolveLimits;
};

/** A scale per channel cannot be folded where one scale serves a whole tensor: then only the bias is corrected. */
export function walkCorrection({ correct, granularity }: Pick<QuantizeConfig, 'correct' | 'granularity'>): Correction {
  return granularity === 'tensor' && correct === 'affine' ? 'bias' : correct;
}

/** Build an allocation, and measure it on the samples kept for the choice. */
export async function buildAllocation(input: BuilderInput, variables: ChosenVariables): Promise<BuiltAllocation> {
  const corrections = await correctionsOf(input, variables);
  const parts = variables.map((variable) =>
    correctedParts(input, variable, corrections.get(input.candidates[variable]!.layerIndex)?.chosen),
  );
  const biases = new Map(parts.flatMap(({ bias }) => (bias === undefined ? [] : [[bias.name ?? '', bias] as const])));
  const perturbation = new Map(parts.flatMap((part) => [...part.perturbation]));
  const { base } = await measurePerturbed(input.choice, perturbation, [], input.costs, true);
  return { variables, contents: parts.map(({ content }) => content), biases, perturbation, losses: base! };
}

/** The loss change of every one-layer move, each corrected in the place where it would stand; on the fitting samples. */
export async function measureMoves(input: BuilderInput, current: BuiltAllocation): Promise<Float64Array> {
  const { candidates, costs, fitting } = input;
  const taken = new Set(current.variables);
  const moves = variablesWhere(input.problem, () => true).filter((variable) => !taken.has(variable));
  const corrections = await correctionsOf(input, current.variables, moves);
  const perturbations = new Map(
    moves.map((variable) => [
      variable,
      correctedParts(input, variable, corrections.get(candidates[variable]!.layerIndex)?.moves.get(variable))
        .perturbation,
    ]),
  );
  const memory = estimateUnitMemory(fitting.model, candidates, costs, input.memoryLimitBytes);
  const changes = new Float64Array(candidates.length);
  for (const group of groupByMemory(moves, memory)) {
    const branches = group.map((variable) => perturbations.get(variable)!);
    const { base, branches: losses } = await measurePerturbed(fitting, current.perturbation, branches, costs, true);
    for (const [index, variable] of group.entries()) changes[variable] = meanOf(losses[index]!) - meanOf(base!);
  }
  return changes;
}

/** The allocation with the least sum of changes that fits the budget and differs in at most so many layers. */
export async function proposeMoves(
  { problem, solve, solveLimits }: BuilderInput,
  { variables }: BuiltAllocation,
  changes: Float64Array,
  mostLayers: number,
): Promise<ChosenVariables | undefined> {
  const taken = new Set(variables);
  const count = problem.choices.length;
  const quadratic = new Float64Array(count * count);
  for (const [variable, change] of changes.entries()) quadratic[variable * (count + 1)] = 2 * change;
  const moves = {
    name: 'moves',
    costs: Float64Array.from({ length: count }, (_, variable) => (taken.has(variable) ? 0 : 1)),
    limit: mostLayers,
  };
  const constrained = { ...problem, constraints: [...problem.constraints, moves] };
  const allocation = await allocate(constrained, quadratic, solve, solveLimits);
  return String(allocation.variables) === String(variables) ? undefined : allocation.variables;
}

type LayerCorrection = {
  readonly chosen: OutputCorrection;
  /** By variable. */
  readonly moves: ReadonlyMap<number, OutputCorrection>;
};

/** Corrections with the quantized prefix of these variables, of what they choose and of other variables in their place. */
async function correctionsOf(
  { layers, candidates, correction, fitting, costs }: BuilderInput,
  variables: ChosenVariables,
  moves: readonly number[] = [],
): Promise<ReadonlyMap<number, LayerCorrection>> {
  if (correction === 'none') return new Map();
  const { model, batches, openSession } = fitting;
  const weights = new Map(variables.flatMap((variable) => [...weightOf(candidates[variable]!, layers)]));
  const quantized = moves.filter((variable) => candidates[variable]!.content !== 'float');
  const movesOf = (layerIndex: number) =>
    quantized.filter((variable) => candidates[variable]!.layerIndex === layerIndex);
  const alternatives = new Map(
    layers.map((layer, layerIndex) => [
      layerIndex,
      movesOf(layerIndex).map((v) => weightOf(candidates[v]!, layers).get(layer.weightName)!),
    ]),
  );
  const input: CorrectionInput = {
    model,
    layers,
    batches: fullBatches(batches, correctionBatches(costs)),
    correction,
    openSession,
  };
  const measured = await measureCorrections(input, weights, alternatives);
  return new Map(
    [...measured].map(([layerIndex, { chosen, alternatives: others }]) => [
      layerIndex,
      { chosen, moves: new Map(movesOf(layerIndex).map((variable, index) => [variable, others[index]!])) },
    ]),
  );
}

/** What the walk that finds corrections may take; it holds every batch at once. */
const CORRECTION_MEMORY_BYTES = 1e9;

/** Peak memory of the walk per batch, in outputs of the widest layer: measured on MobileNet at 7, both networks together. */
const WIDEST_OUTPUTS = 7;

/** Loading a graph takes longer with every copy of the networks in it, and faster than in proportion: 32 load in 6 s. */
const MOST_COPIES = 32;

function correctionBatches(costs: LayerCosts): number {
  const widest = Math.max(...[...costs.values()].map(({ outputBytes }) => outputBytes));
  const fitting = Math.floor(CORRECTION_MEMORY_BYTES / (WIDEST_OUTPUTS * widest));
  return Math.min(MOST_COPIES, Math.max(1, fitting));
}

/** The uncorrected weight of a candidate as a float tensor. */
function weightOf({ layerIndex, content }: Candidate, layers: readonly Layer[]): Map<string, TensorProto> {
  if (content === 'float') return new Map();
  return new Map([[layers[layerIndex]!.weightName, weightTensor(layers[layerIndex]!, content)]]);
}

function weightTensor({ weightName, dims, dataType }: Layer, content: QuantizedTensor): TensorProto {
  return floatTensor(weightName, dims, dequantize(content), dataType);
}

type Parts = { readonly content: LayerContent; readonly bias?: TensorProto; readonly perturbation: Perturbation };

/** A candidate with its correction folded in; without a correction, or a bias to hold the shift, as it is. */
function correctedParts(
  { layers, candidates, fitting }: BuilderInput,
  variable: number,
  correction: OutputCorrection | undefined,
): Parts {
  const { layerIndex, content } = candidates[variable]!;
  const layer = layers[layerIndex]!;
  const { biasName } = layer;
  if (content === 'float') return { content, perturbation: new Map() };
  if (correction === undefined || biasName === undefined) {
    return { content, perturbation: new Map([[layer.weightName, weightTensor(layer, content)]]) };
  }
  const initializer = fitting.model.graph.initializer.find(({ name }) => name === biasName)!;
  const folded = foldCorrection(content, readFloats(initializer, fitting.model.path), correction);
  const bias = floatTensor(biasName, initializer.dims.map(Number), folded.bias, initializer.dataType);
  const perturbation = new Map([
    [layer.weightName, weightTensor(layer, folded.content)],
    [biasName, bias],
  ]);
  return { content: folded.content, bias, perturbation };
}
