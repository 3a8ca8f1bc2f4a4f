/** What a layer's parts need so that onnxruntime runs the layer on integers: zero points and, where no pair follows, a bias. */
import { indexGraph } from '../onnx/graph-index.ts';
import type { Model } from '../onnx/model.ts';
import { isFloatTensor, readFloats } from '../onnx/tensor-values.ts';
import { type ActivationRange, activationGrid } from '../quantize/activation-range.ts';
import type { TensorProto } from '../wire/model-proto.ts';
import type { ActivationPlan } from './qdq-activation-plan.ts';
import type { LayerUnit } from './qdq-units.ts';

/** The activations of an artifact, and the ranges they were measured to have, by `rangeOf`. */
export type QdqActivations = {
  readonly plan: ActivationPlan;
  readonly ranges: ReadonlyMap<string, ActivationRange>;
};

export type IntegerKernel = {
  /** QLinearConv does without the weight's zero point; the products' kernels want it said, though it is zero. */
  readonly needsZeroPoint: boolean;
  readonly bias: KernelBias | undefined;
};

/**
 * A bias that has to be int32, because the layer's output stays float; the runtime quantizes the others by itself. Its scale is
 * that of the input times the weight's.
 */
export type KernelBias = {
  readonly tensor: TensorProto;
  readonly values: Float32Array;
  readonly inputScale: number;
};

/** The kernel of each layer that has one, by layer index. */
export function integerKernels(model: Model, { plan, ranges }: QdqActivations): ReadonlyMap<number, IntegerKernel> {
  const { initializers, consumers } = indexGraph(model.graph);
  const rangeOf = new Map(plan.values.map((value) => [value.name, value.rangeOf]));
  const usesOf = new Map<number, number>();
  for (const { layerIndex } of plan.units) usesOf.set(layerIndex, (usesOf.get(layerIndex) ?? 0) + 1);

  const biasOf = (unit: LayerUnit): KernelBias | undefined => {
    const tensor = initializers.get(unit.bias ?? '');
    const isPrivate = usesOf.get(unit.layerIndex) === 1 && consumers.get(unit.bias ?? '')?.length === 1;
    if (tensor === undefined || !isPrivate || rangeOf.has(unit.output) || !isVector(tensor)) return undefined;
    const range = ranges.get(rangeOf.get(unit.input)!)!;
    return { tensor, values: readFloats(tensor, model.path), inputScale: activationGrid(range).scale };
  };
  return new Map(
    plan.units.map((unit) => [
      unit.layerIndex,
      { needsZeroPoint: unit.node.opType !== 'Conv', bias: unit.node.opType === 'Conv' ? undefined : biasOf(unit) },
    ]),
  );
}

function isVector(tensor: TensorProto): boolean {
  return isFloatTensor(tensor) && tensor.dims.length === 1;
}
