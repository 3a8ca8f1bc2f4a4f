/** Allocations as they would be shipped: corrected with the quantized prefix in place, and measured. */
import { type AllocationProblem, type ChosenVariables, variablesWhere } from '../allocate/allocation-problem.ts';
import type { LayerContent } from '../artifact/packed-artifact.ts';
import type { Correction, QuantizeConfig } from '../config/config.ts';
import type { OutputCorrection } from '../correct/correct-allocation.ts';
import { foldCorrection } from '../correct/fold-correction.ts';
import type { Layer } from '../onnx/list-layers.ts';
import { floatTensor, readFloats } from '../onnx/tensor-values.ts';
import type { Built } from '../select/select-allocation.ts';
import type { Perturbation } from '../sensitivity/branch-graph.ts';
import type { Candidate } from '../sensitivity/candidates.ts';
import type { LayerCosts } from '../sensitivity/layer-costs.ts';
import { sampleCountOf } from '../sensitivity/measure-units.ts';
import { meanOf, measurePerturbed, type SweepInput } from '../sensitivity/sweep.ts';
import { estimateUnitMemory } from '../sensitivity/unit-memory.ts';
import { groupByMemory } from '../sensitivity/work-units.ts';
import type { Solve, SolveLimits } from '../solver/solution.ts';
import type { TensorProto } from '../wire/model-proto.ts';
import { correctionsOf, isUnchanged, walkWork, weightTensor } from './walk-corrections.ts';

export type BuiltAllocation = Built & {
  /** What the artifact stores for each layer, corrections folded in, shape [layerCount]. */
  readonly contents: readonly LayerContent[];
  /** Corrected biases by initializer name. */
  readonly biases: ReadonlyMap<string, TensorProto>;
  /** All of it as float tensors, to run it. */
  readonly perturbation: Perturbation;
  /** What it took, in forwards of the float model over the fitting samples. */
  readonly forwardEquivalents: number;
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
  const { base, forwardEquivalents } = await measurePerturbed(input.choice, perturbation, [], input.costs, true);
  const contents = parts.map(({ content }) => content);
  const shareOfChoice = sampleCountOf(input.choice.batches) / sampleCountOf(input.fitting.batches);
  const work = forwardEquivalents * shareOfChoice + walkWork(input, []);
  return { variables, contents, biases, perturbation, losses: base!, forwardEquivalents: work };
}

export type MeasuredMoves = {
  /** By variable; zero for the variables that the allocation has. */
  readonly changes: Float64Array;
  /** What it took, in forwards of the float model over the fitting samples. */
  readonly forwardEquivalents: number;
};

/** The loss change of every one-layer move, each corrected in the place where it would stand; on the fitting samples. */
export async function measureMoves(input: BuilderInput, current: BuiltAllocation): Promise<MeasuredMoves> {
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
  let forwardEquivalents = walkWork(input, moves);
  for (const group of groupByMemory(moves, memory)) {
    const branches = group.map((variable) => perturbations.get(variable)!);
    const measured = await measurePerturbed(fitting, current.perturbation, branches, costs, true);
    const baseLoss = meanOf(measured.base!);
    for (const [index, variable] of group.entries()) changes[variable] = meanOf(measured.branches[index]!) - baseLoss;
    forwardEquivalents += measured.forwardEquivalents;
  }
  return { changes, forwardEquivalents };
}

type Parts = { readonly content: LayerContent; readonly bias?: TensorProto; readonly perturbation: Perturbation };

/** A candidate with its correction folded in; without a correction, or a bias to hold the shift, as it is. */
function correctedParts(
  { layers, candidates, fitting }: BuilderInput,
  variable: number,
  correction: OutputCorrection | undefined,
): Parts {
  const { layerIndex, content, perturbation: own } = candidates[variable]!;
  const layer = layers[layerIndex]!;
  const { biasName } = layer;
  if (content === 'float' || isUnchanged(candidates[variable]!)) return { content, perturbation: own };
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
