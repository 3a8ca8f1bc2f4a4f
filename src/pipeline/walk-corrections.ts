/** The corrections of an allocation, and of moves from it, by one walk along both networks; and what the walk costs. */
import type { ChosenVariables } from '../allocate/allocation-problem.ts';
import {
  type CorrectionInput,
  fullBatches,
  measureCorrections,
  type OutputCorrection,
} from '../correct/correct-allocation.ts';
import type { Batch } from '../dataset/sample-set.ts';
import type { Layer } from '../onnx/list-layers.ts';
import { floatTensor } from '../onnx/tensor-values.ts';
import { dequantize, type QuantizedTensor } from '../quantize/quantized-tensor.ts';
import type { Candidate } from '../sensitivity/candidates.ts';
import { type LayerCosts, totalOperations } from '../sensitivity/layer-costs.ts';
import { sampleCountOf } from '../sensitivity/measure-units.ts';
import type { SweepInput } from '../sensitivity/sweep.ts';
import type { TensorProto } from '../wire/model-proto.ts';
import type { BuilderInput } from './allocation-builder.ts';

type LayerCorrection = {
  readonly chosen: OutputCorrection;
  /** By variable. */
  readonly moves: ReadonlyMap<number, OutputCorrection>;
};

/** Corrections with the quantized prefix of these variables, of what they choose and of other variables in their place. */
export async function correctionsOf(
  { layers, candidates, correction, fitting, costs }: BuilderInput,
  variables: ChosenVariables,
  moves: readonly number[] = [],
): Promise<ReadonlyMap<number, LayerCorrection>> {
  if (correction === 'none') return new Map();
  const { model, openSession } = fitting;
  const weights = new Map(variables.flatMap((variable) => [...weightOf(candidates[variable]!, layers)]));
  const quantized = moves.filter((variable) => !isUnchanged(candidates[variable]!));
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
    batches: walkBatches(fitting, costs),
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

function walkBatches({ batches }: SweepInput, costs: LayerCosts): readonly Batch[] {
  const widest = Math.max(...[...costs.values()].map(({ outputBytes }) => outputBytes));
  const bearable = Math.floor(CORRECTION_MEMORY_BYTES / (WIDEST_OUTPUTS * widest));
  return fullBatches(batches, Math.min(MOST_COPIES, Math.max(1, bearable)));
}

/** Of the walk that finds corrections, in forwards of the float model over the fitting samples: both networks, and every move's layer. */
export function walkWork(
  { layers, candidates, correction, fitting, costs }: BuilderInput,
  moves: readonly number[],
): number {
  if (correction === 'none') return 0;
  const layerWork = (variable: number) => {
    const candidate = candidates[variable]!;
    if (isUnchanged(candidate)) return 0;
    return costs.get(layers[candidate.layerIndex]!.nodes[0]!)!.operations / totalOperations(costs);
  };
  const forwards = moves.reduce((sum, variable) => sum + layerWork(variable), 2);
  return (forwards * sampleCountOf(walkBatches(fitting, costs))) / sampleCountOf(fitting.batches);
}

/** Whether the layer stays as it is, in float or because its weights lie on the grid: there is nothing to correct. */
export function isUnchanged({ perturbation }: Candidate): boolean {
  return perturbation.size === 0;
}

/** The uncorrected weight of a candidate as a float tensor. */
function weightOf(candidate: Candidate, layers: readonly Layer[]): Map<string, TensorProto> {
  const { layerIndex, content } = candidate;
  if (isUnchanged(candidate) || content === 'float') return new Map();
  return new Map([[layers[layerIndex]!.weightName, weightTensor(layers[layerIndex]!, content)]]);
}

export function weightTensor({ weightName, dims, dataType }: Layer, content: QuantizedTensor): TensorProto {
  return floatTensor(weightName, dims, dequantize(content), dataType);
}
