/** A layer's node with what a runtime fuses into its integer kernel: the bias that is added to a product, and a clipping. */

import { DATA_TYPE } from '../onnx/data-type.ts';
import type { GraphIndex } from '../onnx/graph-index.ts';
import type { Layer } from '../onnx/list-layers.ts';
import type { NodeProto } from '../wire/model-proto.ts';

export type LayerUnit = {
  readonly layerIndex: number;
  readonly node: NodeProto;
  /** The activation that the layer reads. */
  readonly input: string;
  /** What comes out of the last node. */
  readonly output: string;
  /** The name of a constant bias. */
  readonly bias: string | undefined;
};

/** One unit per node of every layer that has an integer kernel; a transposed convolution has none. */
export function layerUnits(layers: readonly Layer[], index: GraphIndex): LayerUnit[] {
  return layers.flatMap(({ opType, dataType, nodes }, layerIndex) => {
    if (opType === 'ConvTranspose' || dataType !== DATA_TYPE.float32) return [];
    const activated = nodes.filter(({ input }) => !index.initializers.has(input[0] ?? ''));
    return activated.map((node) => unitOf(layerIndex, node, index));
  });
}

function unitOf(layerIndex: number, node: NodeProto, index: GraphIndex): LayerUnit {
  const addition = node.opType === 'MatMul' ? addedBias(node, index) : undefined;
  const biasName = addition?.bias ?? node.input[2] ?? '';
  return {
    layerIndex,
    node,
    input: node.input[0] ?? '',
    output: outputOf(addition?.node ?? node, index),
    bias: index.initializers.has(biasName) ? biasName : undefined,
  };
}

/** The Add that alone reads a product, and the constant that it adds. */
function addedBias(product: NodeProto, index: GraphIndex): { node: NodeProto; bias: string } | undefined {
  const node = onlyReader(product, index);
  if (node?.opType !== 'Add') return undefined;
  const bias = node.input.find((name) => index.initializers.has(name));
  return bias === undefined ? undefined : { node, bias };
}

/** Operators that a QuantizeLinear behind them makes superfluous. */
const CLIPS: ReadonlySet<string> = new Set(['Relu', 'Clip']);

/** A node's first output, or that of the clipping which alone reads it. */
export function outputOf(node: NodeProto, index: GraphIndex): string {
  const reader = onlyReader(node, index);
  const end = reader !== undefined && CLIPS.has(reader.opType ?? '') ? reader : node;
  return end.output[0] ?? '';
}

function onlyReader(node: NodeProto, index: GraphIndex): NodeProto | undefined {
  const output = node.output[0] ?? '';
  const readers = index.consumers.get(output) ?? [];
  const reader = readers.length === 1 && !index.outputNames.has(output) ? readers[0] : undefined;
  // A subgraph that captures the value reads it too.
  return reader?.input.includes(output) && (reader.domain ?? '') === '' ? reader : undefined;
}
