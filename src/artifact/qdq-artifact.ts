/**
 * The artifact in `qdq` form, and its exact size before it is built: weights in ONNX's own integer types with DequantizeLinear,
 * which compilers and execution providers fuse. The model's opset is raised as far as the forms in use need, and no further.
 */
import { allValueNames, freshName } from '../onnx/graph-index.ts';
import type { Layer } from '../onnx/list-layers.ts';
import type { Model } from '../onnx/model.ts';
import { upgradeOpset } from '../onnx/upgrade-opset/upgrade-opset.ts';
import {
  encodeModelProto,
  type GraphProto,
  type ModelProto,
  measureModel,
  modelSize,
  type TensorProto,
} from '../wire/model-proto.ts';
import { artifactMetadata, assertNotArtifact, bitsText, type Provenance } from './artifact-metadata.ts';
import { serializedSize } from './pack-layer.ts';
import type { LayerContent } from './packed-artifact.ts';
import { quantizeActivations } from './qdq-activations.ts';
import { type QdqForm, requiredOpset } from './qdq-form.ts';
import { type IntegerKernel, integerKernels, type QdqActivations } from './qdq-kernels.ts';
import { type QdqNames, type QdqParts, qdqLayer } from './qdq-layer.ts';

/** Everything about the QDQ artifacts of one model that does not depend on the allocation. */
export type QdqPlan = {
  readonly model: Model;
  readonly layers: readonly Layer[];
  readonly provenance: Provenance;
  readonly names: readonly QdqNames[];
  readonly floatWeights: readonly TensorProto[];
  /** The integer kernel that reads each layer's weight, by layer index; none with float activations. */
  readonly kernels: ReadonlyMap<number, IntegerKernel>;
  /** The model at an opset and with its activations quantized, made once. */
  modelAt(opsetVersion: number): Model;
};

/** QuantizeLinear and DequantizeLinear as integer kernels are found around them (per axis). */
const ACTIVATIONS_OPSET = 13;

/** The forms that each layer has, or may get, one at least, shape [layerCount]. */
export type QdqFormsByLayer = readonly (readonly QdqForm[])[];

/**
 * @param model as `prepareModel` leaves it
 * @param activations those to be quantized to eight bits; their layers are then stored in INT8, whatever their width
 * @throws UserError if the model is an artifact already
 */
export function planQdqArtifact(
  model: Model,
  layers: readonly Layer[],
  provenance: Provenance,
  activations?: QdqActivations,
): QdqPlan {
  assertNotArtifact(model);
  const initializers = new Map(model.graph.initializer.map((tensor) => [tensor.name, tensor]));
  const floatWeights = layers.map(({ weightName }) => initializers.get(weightName)!);
  const names = reserveNames(model.graph, layers);
  const kernels = activations === undefined ? new Map<number, IntegerKernel>() : integerKernels(model, activations);
  return { model, layers, provenance, names, floatWeights, kernels, modelAt: madeOnce(model, activations) };
}

/** The parts of one layer with this content. */
export function qdqLayerParts(plan: QdqPlan, layerIndex: number, content: LayerContent): QdqParts {
  const kernel = plan.kernels.get(layerIndex);
  if (content !== 'float') return qdqLayer(plan.layers[layerIndex]!, content, plan.names[layerIndex]!, kernel);
  const bias = kernel?.bias?.tensor;
  const initializers = [plan.floatWeights[layerIndex]!, ...(bias === undefined ? [] : [bias])];
  return { forms: ['float'], initializers, nodes: [], sizeBytes: serializedSize(initializers, []) };
}

/**
 * Build the artifact: the model with each layer's weight replaced by its parts.
 *
 * @param contents shape [layerCount]
 * @returns the encoded ONNX model; the same input gives the same bytes
 * @throws UnsupportedModelError if an operator of the model cannot be raised to the opset that the contents need
 */
export function buildQdqArtifact(plan: QdqPlan, contents: readonly LayerContent[]): Uint8Array {
  const parts = contents.map((content, layerIndex) => qdqLayerParts(plan, layerIndex, content));
  const opsetVersion = Math.max(...parts.map(({ forms: [form] }) => requiredOpset(form)));
  const frame = frameAt(plan, opsetVersion, bitsText(contents));
  const graph: GraphProto = {
    ...frame.graph!,
    node: [...parts.flatMap(({ nodes }) => nodes), ...frame.graph!.node],
    initializer: [...parts.flatMap(({ initializers }) => initializers), ...frame.graph!.initializer],
  };
  return encodeModelProto({ ...frame, graph });
}

/**
 * The size of an artifact from the sizes of its layers' parts. Exact when every layer has one form; with all forms that a
 * layer may get, the result bounds every allocation, whichever opset it needs.
 *
 * @throws UnsupportedModelError if an operator of the model cannot be raised to an opset that a form needs
 */
export function qdqArtifactSizeBytes(plan: QdqPlan, forms: QdqFormsByLayer, layersSizeBytes: number): number {
  const sizes = reachableOpsets(forms).map((opsetVersion) => {
    const frame = measureModel(frameAt(plan, opsetVersion, 'f'.repeat(plan.layers.length)));
    return modelSize({ ...frame, insideGraph: frame.insideGraph + layersSizeBytes });
  });
  return Math.max(...sizes);
}

/** Every opset that an artifact may need whose layers take one of their forms each. */
function reachableOpsets(forms: QdqFormsByLayer): number[] {
  const perLayer = forms.map((ofLayer) => ofLayer.map(requiredOpset));
  const least = Math.max(...perLayer.map((opsets) => Math.min(...opsets)));
  return [...new Set([least, ...perLayer.flat().filter((opset) => opset > least)])];
}

function madeOnce(model: Model, activations: QdqActivations | undefined): (opsetVersion: number) => Model {
  const known = new Map<number, Model>();
  return (wantedVersion) => {
    const opsetVersion = activations === undefined ? wantedVersion : Math.max(wantedVersion, ACTIVATIONS_OPSET);
    const made = known.get(opsetVersion) ?? makeAt(model, opsetVersion, activations);
    known.set(opsetVersion, made);
    return made;
  };
}

function makeAt(model: Model, opsetVersion: number, activations: QdqActivations | undefined): Model {
  const upgraded = upgradeOpset(model, opsetVersion);
  if (activations === undefined) return upgraded;
  return quantizeActivations(upgraded, activations.plan.values, activations.ranges);
}

/** The model at an opset without its layers' weights, nor the biases that go with them. */
function frameAt(plan: QdqPlan, opsetVersion: number, bits: string): ModelProto {
  const { proto, graph } = plan.modelAt(opsetVersion);
  const biases = [...plan.kernels.values()].flatMap(({ bias }) => (bias === undefined ? [] : [bias.tensor.name]));
  const taken = new Set([...plan.layers.map(({ weightName }) => weightName), ...biases]);
  const initializer = graph.initializer.filter(({ name }) => !taken.has(name ?? ''));
  return {
    ...proto,
    graph: { ...graph, initializer },
    metadataProps: artifactMetadata(proto, plan.provenance, bits),
  };
}

/** Short names, because each costs its bytes twice; none that the model uses, nor that its upgrade adds (k0, k1 …). */
function reserveNames(graph: GraphProto, layers: readonly Layer[]): QdqNames[] {
  const taken = allValueNames(graph);
  return layers.map((_, index) => {
    const fresh = (stem: string) => freshName(`${stem}${index}`, taken);
    return {
      quantized: fresh('q'),
      scales: fresh('s'),
      zeroPoints: fresh('o'),
      bias: fresh('b'),
      biasScales: fresh('t'),
      wide: fresh('w'),
    };
  });
}
