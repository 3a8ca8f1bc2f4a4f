/** The artifact in `packed` form, and its exact size before it is built. */
import { allValueNames, freshName } from '../onnx/graph-index.ts';
import type { Layer } from '../onnx/list-layers.ts';
import type { Model } from '../onnx/model.ts';
import type { QuantizedTensor } from '../quantize/quantized-tensor.ts';
import {
  encodeModelProto,
  type GraphProto,
  type ModelProto,
  measureModel,
  modelSize,
  type NodeProto,
  newOpset,
  type TensorProto,
} from '../wire/model-proto.ts';
import { artifactMetadata, assertNotArtifact, bitsText, type Provenance } from './artifact-metadata.ts';
import { type DecodeForm, decodeFunction, FUNCTION_DOMAIN, functionName, int64 } from './decode-functions.ts';
import { type PackedNames, packLayer, serializedSize } from './pack-layer.ts';

export type { Provenance } from './artifact-metadata.ts';

/** What stands for a layer's weight: a quantized tensor, or the float weight as it is. */
export type LayerContent = QuantizedTensor | 'float';

/** Everything about the artifacts of one model that does not depend on the allocation. */
export type ArtifactPlan = {
  readonly model: Model;
  readonly layers: readonly Layer[];
  readonly provenance: Provenance;
  readonly names: readonly PackedNames[];
  readonly floatWeights: readonly TensorProto[];
};

/** The parts that stand for one layer's weight. */
export type LayerParts = {
  /** The form it is packed in; none for a weight that stays float. */
  readonly forms: readonly DecodeForm[];
  readonly initializers: readonly TensorProto[];
  readonly nodes: readonly NodeProto[];
  /** Serialized bytes of the parts inside a graph. */
  readonly sizeBytes: number;
};

/** Model-local functions came with IR version 8 (onnx.proto). */
const FUNCTION_IR_VERSION = 8n;

/**
 * @param model as `prepareModel` leaves it
 * @throws UserError if the model is an artifact already
 */
export function planArtifact(model: Model, layers: readonly Layer[], provenance: Provenance): ArtifactPlan {
  assertNotArtifact(model);
  const initializers = new Map(model.graph.initializer.map((tensor) => [tensor.name, tensor]));
  const floatWeights = layers.map(({ weightName }) => initializers.get(weightName)!);
  return { model, layers, provenance, names: reserveNames(model.graph, layers), floatWeights };
}

/** The parts of one layer with this content. */
export function layerParts(plan: ArtifactPlan, layerIndex: number, content: LayerContent): LayerParts {
  if (content === 'float') {
    const initializers = [plan.floatWeights[layerIndex]!];
    return { forms: [], initializers, nodes: [], sizeBytes: serializedSize(initializers, []) };
  }
  return packLayer(plan.layers[layerIndex]!, content, plan.names[layerIndex]!, plan.model.opsetVersion);
}

/**
 * Build the artifact: the model with each layer's weight replaced by its parts.
 *
 * @param contents shape [layerCount]
 * @returns the encoded ONNX model; the same input gives the same bytes
 */
export function buildArtifact(plan: ArtifactPlan, contents: readonly LayerContent[]): Uint8Array {
  const parts = contents.map((content, layerIndex) => layerParts(plan, layerIndex, content));
  const forms = parts.map((part) => part.forms);
  const frame = frameOf(plan, forms, bitsText(contents));
  const graph: GraphProto = {
    ...frame.graph!,
    node: [...parts.flatMap(({ nodes }) => nodes), ...frame.graph!.node],
    initializer: [...parts.flatMap(({ initializers }) => initializers), ...frame.graph!.initializer],
  };
  return encodeModelProto({ ...frame, graph });
}

/**
 * The size of an artifact from the sizes of its layers' parts, exact for the forms given.
 *
 * @param forms those of each layer's parts; with all that a layer may get, the result bounds every allocation
 */
export function artifactSizeBytes(plan: ArtifactPlan, forms: FormsByLayer, layersSizeBytes: number): number {
  const frame = measureModel(frameOf(plan, forms, 'f'.repeat(plan.layers.length)));
  return modelSize({ ...frame, insideGraph: frame.insideGraph + layersSizeBytes });
}

/** The forms that the functions of an artifact have to decode, shape [layerCount]. */
export type FormsByLayer = readonly (readonly DecodeForm[])[];

/** The model without its layers' weights, with all that the forms share: functions, weight shapes, metadata. */
function frameOf(plan: ArtifactPlan, forms: FormsByLayer, bits: string): ModelProto {
  const { proto, graph, opsetVersion } = plan.model;
  const used = new Map(forms.flat().map((form) => [functionName(form), form]));
  const functions = [...used.keys()].sort().map((name) => decodeFunction(used.get(name)!, opsetVersion));
  const weights = new Set(plan.layers.map(({ weightName }) => weightName));
  const initializer = [...shapesOf(plan, forms), ...graph.initializer.filter(({ name }) => !weights.has(name ?? ''))];
  return {
    ...proto,
    irVersion: max(proto.irVersion ?? 0n, FUNCTION_IR_VERSION),
    graph: { ...graph, initializer },
    opsetImport: functions.length === 0 ? proto.opsetImport : [...proto.opsetImport, newOpset(FUNCTION_DOMAIN, 1n)],
    metadataProps: artifactMetadata(proto, plan.provenance, bits),
    functions: [...proto.functions, ...functions],
  };
}

/** One shape initializer for all packed layers of the same dims; a byte per weight needs none. */
function shapesOf(plan: ArtifactPlan, forms: FormsByLayer): TensorProto[] {
  const shapes = new Map<string, TensorProto>();
  for (const [index, ownForms] of forms.entries()) {
    if (ownForms.every(({ bitWidth }) => bitWidth === 8)) continue;
    const { shape } = plan.names[index]!;
    shapes.set(shape, int64(plan.layers[index]!.dims, shape));
  }
  return [...shapes.values()];
}

/** Short names, because each costs its bytes twice; none that the model uses. */
function reserveNames(graph: GraphProto, layers: readonly Layer[]): PackedNames[] {
  const taken = allValueNames(graph);
  const shapes = new Map<string, string>();
  return layers.map(({ dims }, index) => {
    const shapeKey = dims.join();
    const shape = shapes.get(shapeKey) ?? freshName(`d${shapes.size}`, taken);
    shapes.set(shapeKey, shape);
    const fresh = (stem: string) => freshName(`${stem}${index}`, taken);
    return {
      packed: [fresh('p'), fresh('q'), fresh('r')],
      scales: fresh('s'),
      blocks: {
        repeats: fresh('a'),
        rows: fresh('b'),
        starts: fresh('c'),
        ends: fresh('e'),
        tiled: fresh('t'),
        joined: fresh('u'),
        cut: fresh('v'),
      },
      shape,
      count: fresh('n'),
      wide: fresh('w'),
    };
  });
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
