/** The two forms of the artifact behind one interface: what a layer's parts take, what the file takes, and the file. */
import { functionName } from '../artifact/decode-functions.ts';
import {
  artifactSizeBytes,
  buildArtifact,
  type LayerContent,
  layerParts,
  type Provenance,
  planArtifact,
} from '../artifact/packed-artifact.ts';
import { buildQdqArtifact, planQdqArtifact, qdqArtifactSizeBytes, qdqLayerParts } from '../artifact/qdq-artifact.ts';
import { elementWidthOf, qdqFormName } from '../artifact/qdq-form.ts';
import type { QdqActivations } from '../artifact/qdq-kernels.ts';
import type { QuantizeConfig } from '../config/config.ts';
import type { Layer } from '../onnx/list-layers.ts';
import { type Model, replaceInitializers } from '../onnx/model.ts';
import type { TensorProto } from '../wire/model-proto.ts';

/** A candidate's parts in the artifact. */
export type WrittenParts = {
  readonly sizeBytes: number;
  /** Bits that one weight takes in the file. */
  readonly storedBits: number;
  /** What the file has once for all layers that are written so. */
  readonly sharedPart: string;
};

/** A layer of the model, and what it holds. */
export type Content = { readonly layerIndex: number; readonly content: LayerContent };

export type ArtifactWriter = {
  partsOf(content: Content): WrittenParts;
  /** Bytes of a file with these parts, exact when each layer has one content, else an upper bound for all. */
  fileBytes(partBytes: number, contents: readonly Content[]): number;
  /**
   * @param biases by initializer name
   * @param contents shape [layerCount]
   */
  build(biases: ReadonlyMap<string, TensorProto>, contents: readonly LayerContent[]): Uint8Array;
};

export function createWriter(
  format: QuantizeConfig['format'],
  model: Model,
  layers: readonly Layer[],
  provenance: Provenance,
  activations?: QdqActivations,
): ArtifactWriter {
  return format === 'qdq' ? qdqWriter(model, layers, provenance, activations) : packedWriter(model, layers, provenance);
}

function packedWriter(model: Model, layers: readonly Layer[], provenance: Provenance): ArtifactWriter {
  const plan = planArtifact(model, layers, provenance);
  const parts = ({ layerIndex, content }: Content) => layerParts(plan, layerIndex, content);
  return {
    partsOf: (content) => {
      const { sizeBytes, forms } = parts(content);
      const layer = layers[content.layerIndex]!;
      const storedBits = content.content === 'float' ? layer.floatBitWidth : content.content.grid.bitWidth;
      return { sizeBytes, storedBits, sharedPart: forms.map(functionName).join() };
    },
    fileBytes: (partBytes, contents) => artifactSizeBytes(plan, byLayer(layers, contents, parts), partBytes),
    build: (biases, contents) => buildArtifact({ ...plan, model: replaceInitializers(model, biases) }, contents),
  };
}

/** @param activations those stored in eight bits; all float when absent */
function qdqWriter(
  model: Model,
  layers: readonly Layer[],
  provenance: Provenance,
  activations?: QdqActivations,
): ArtifactWriter {
  const plan = planQdqArtifact(model, layers, provenance, activations);
  const parts = ({ layerIndex, content }: Content) => qdqLayerParts(plan, layerIndex, content);
  return {
    partsOf: (content) => {
      const { sizeBytes, forms } = parts(content);
      const layer = layers[content.layerIndex]!;
      const isByte = plan.kernels.has(content.layerIndex);
      const storedBits =
        content.content === 'float'
          ? layer.floatBitWidth
          : elementWidthOf(layer, content.content.grid.bitWidth, isByte);
      return { sizeBytes, storedBits, sharedPart: forms.map(qdqFormName).join() };
    },
    fileBytes: (partBytes, contents) => qdqArtifactSizeBytes(plan, byLayer(layers, contents, parts), partBytes),
    build: (biases, contents) =>
      buildQdqArtifact(planQdqArtifact(replaceInitializers(model, biases), layers, provenance, activations), contents),
  };
}

/** The forms of all contents, layer by layer. */
function byLayer<Form>(
  layers: readonly Layer[],
  contents: readonly Content[],
  parts: (content: Content) => { readonly forms: readonly Form[] },
): Form[][] {
  const forms = layers.map((): Form[] => []);
  for (const content of contents) forms[content.layerIndex]!.push(...parts(content).forms);
  return forms;
}
