import { DATA_TYPE } from '../onnx/data-type.ts';
import { allValueNames, freshName } from '../onnx/graph-index.ts';
import { type Model, withGraph } from '../onnx/model.ts';
import { operator, scalar } from '../onnx/node-builders.ts';
import { type ActivationRange, activationGrid } from '../quantize/activation-range.ts';
import { type GraphProto, type NodeProto, newTensor, type TensorProto } from '../wire/model-proto.ts';
import type { QuantizedActivation } from './qdq-activation-plan.ts';

/**
 * **From** a value v that some node makes or a caller feeds.
 * **To** the same v behind DequantizeLinear(QuantizeLinear(·)), on the uint8 grid of its range.
 * **Holds because** it does not hold: this is where activations are quantized. A value keeps its name, so that readers, subgraphs
 * and the model's outputs see the quantized one; only where the model's inputs are quantized their readers change.
 *
 * @param ranges by the `rangeOf` of the activations
 */
export function quantizeActivations(
  model: Model,
  activations: readonly QuantizedActivation[],
  ranges: ReadonlyMap<string, ActivationRange>,
): Model {
  const pairs = new Map(activations.map((activation, index) => [activation.name, index]));
  const names = pairNames(model.graph, activations);
  const inputs = new Set(model.graph.input.map(({ name }) => name ?? ''));
  const read = new Map(names.flatMap(({ name, other }) => (inputs.has(name) ? [[name, other]] : [])));
  const make = (index: number, source: string, target: string) => pairNodes(names[index]!, source, target);
  const ofInputs = names.flatMap(({ name, other }, index) => (inputs.has(name) ? make(index, name, other) : []));
  const nodes = model.graph.node.flatMap((node) => {
    const made = node.output.flatMap((name) => (pairs.has(name) ? [pairs.get(name)!] : []));
    const behind = made.flatMap((index) => make(index, names[index]!.other, names[index]!.name));
    return [rename(node, read, new Map(made.map((index) => [names[index]!.name, names[index]!.other]))), ...behind];
  });
  const grids = gridTensors(activations, names, ranges);
  return withGraph(model, {
    ...model.graph,
    node: [...ofInputs, ...nodes],
    initializer: [...model.graph.initializer, ...grids],
  });
}

/** The names around one pair; short, because each costs its bytes wherever it is used. */
type PairNames = {
  readonly name: string;
  /** The unquantized value where a node makes it, the quantized one where a caller feeds it. */
  readonly other: string;
  readonly levels: string;
  /** Shared by values of one range. */
  readonly scale: string;
  readonly zeroPoint: string;
};

function pairNames(graph: GraphProto, activations: readonly QuantizedActivation[]): PairNames[] {
  const taken = allValueNames(graph);
  const grids = new Map<string, { scale: string; zeroPoint: string }>();
  return activations.map(({ name, rangeOf }, index) => {
    const fresh = (stem: string) => freshName(`${stem}${index}`, taken);
    const grid = grids.get(rangeOf) ?? { scale: fresh('a'), zeroPoint: fresh('z') };
    grids.set(rangeOf, grid);
    return { name, other: fresh('f'), levels: fresh('l'), ...grid };
  });
}

function pairNodes({ levels, scale, zeroPoint }: PairNames, source: string, target: string): NodeProto[] {
  return [
    operator('QuantizeLinear', [source, scale, zeroPoint], levels),
    operator('DequantizeLinear', [levels, scale, zeroPoint], target),
  ];
}

function rename(node: NodeProto, read: ReadonlyMap<string, string>, made: ReadonlyMap<string, string>): NodeProto {
  const isTouched = made.size > 0 || node.input.some((name) => read.has(name));
  if (!isTouched) return node;
  const input = node.input.map((name) => read.get(name) ?? name);
  return { ...node, input, output: node.output.map((name) => made.get(name) ?? name) };
}

function gridTensors(
  activations: readonly QuantizedActivation[],
  names: readonly PairNames[],
  ranges: ReadonlyMap<string, ActivationRange>,
): TensorProto[] {
  const tensors = new Map<string, TensorProto[]>();
  for (const [index, { rangeOf }] of activations.entries()) {
    const { scale, zeroPoint } = activationGrid(ranges.get(rangeOf)!);
    const level = { dataType: DATA_TYPE.uint8, dims: [], rawData: Uint8Array.of(zeroPoint) };
    const { scale: scaleName, zeroPoint: zeroPointName } = names[index]!;
    tensors.set(rangeOf, [scalar(scale, scaleName), newTensor({ name: zeroPointName, ...level })]);
  }
  return [...tensors.values()].flat();
}
