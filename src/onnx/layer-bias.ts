/** Where a layer's output gets a constant per output channel, and whether that constant is the layer's alone. */
import { elementCount } from '../tensor.ts';
import type { NodeProto, TensorProto } from '../wire/model-proto.ts';
import { attributeOf, type GraphIndex, privateInitializer } from './graph-index.ts';
import { dimsOf, isFloatTensor } from './tensor-values.ts';

/** The initializer that holds the bias of a node, if nothing else reads it: shape [channelCount], ones before it or after. */
export function ownBias(node: NodeProto, channelCount: number, index: GraphIndex): TensorProto | undefined {
  const name = node.opType === 'MatMul' ? addedAfter(node, index) : biasInput(node);
  const bias = privateInitializer(name, index);
  if (bias === undefined || !isFloatTensor(bias)) return undefined;
  const dims = dimsOf(bias);
  const isVector = elementCount(dims) === channelCount && dims.at(-1) === channelCount;
  return isVector ? bias : undefined;
}

/** Whether the operator can take a bias that counts as it is: Gemm may scale its own. */
export function takesBias(node: NodeProto): boolean {
  if (node.opType === 'Conv' || node.opType === 'ConvTranspose') return true;
  return node.opType === 'Gemm' && (attributeOf(node, 'beta')?.f ?? 1) === 1;
}

function biasInput(node: NodeProto): string | undefined {
  return takesBias(node) ? node.input[2] : undefined;
}

/** MatMul has no bias of its own; exporters put an Add behind it. */
function addedAfter(node: NodeProto, index: GraphIndex): string | undefined {
  const output = node.output[0]!;
  const [reader, ...others] = index.consumers.get(output) ?? [];
  if (reader?.opType !== 'Add' || others.length > 0 || index.outputNames.has(output)) return undefined;
  return reader.input.find((name) => name !== output);
}
