/** A weight's scales in the packed form, in a shape that broadcasts over the weight. */

import { DATA_TYPE } from '../onnx/data-type.ts';
import { integers } from '../onnx/node-builders.ts';
import { floatTensor } from '../onnx/tensor-values.ts';
import { inputAxis, scaleDims } from '../quantize/granularity.ts';
import type { QuantizedTensor } from '../quantize/quantized-tensor.ts';
import { type NodeProto, newNode, type TensorProto } from '../wire/model-proto.ts';
import { int64, slicesByInput } from './decode-functions.ts';

/** Names of the parts that only scales of blocks have. */
export type BlockNames = {
  readonly repeats: string;
  readonly rows: string;
  readonly starts: string;
  readonly ends: string;
  readonly tiled: string;
  readonly joined: string;
  readonly cut: string;
};

export type PackedScales = {
  /** The value that broadcasts over the weight. */
  readonly name: string;
  readonly initializers: readonly TensorProto[];
  readonly nodes: readonly NodeProto[];
};

export function packScales(
  weight: QuantizedTensor,
  name: string,
  names: BlockNames,
  opsetVersion: number,
): PackedScales {
  const { dims, channelAxis, granularity, scaleType, scales } = weight;
  const stored = (shape: readonly number[]) => floatTensor(name, shape, scales, DATA_TYPE[scaleType]);
  if (typeof granularity === 'object') return spreadBlocks(weight, granularity.block, stored, names, opsetVersion);
  const shape = granularity === 'tensor' ? [] : dims.slice(channelAxis).map((dim, index) => (index === 0 ? dim : 1));
  return { name, initializers: [stored(shape)], nodes: [] };
}

/**
 * Scales [.., blockCount, ..], stored as [.., blockCount, 1, ..], are repeated inside each block, joined to one axis, and cut
 * to the inputs that there are when the last block is not full.
 */
function spreadBlocks(
  weight: QuantizedTensor,
  blockSize: number,
  stored: (shape: readonly number[]) => TensorProto,
  names: BlockNames,
  opsetVersion: number,
): PackedScales {
  const axis = inputAxis(weight)!;
  const storedShape = scaleDims(weight, weight.granularity).toSpliced(axis + 1, 0, 1);
  const tensor = stored(storedShape);
  const repeats = storedShape.map((_, index) => (index === axis + 1 ? blockSize : 1));
  const rows = weight.dims.with(axis, -1);
  const cut = weight.dims[axis]! % blockSize === 0 ? undefined : cutTo(weight.dims, names, opsetVersion);
  return {
    name: cut === undefined ? names.joined : names.cut,
    initializers: [tensor, int64(repeats, names.repeats), int64(rows, names.rows), ...(cut?.initializers ?? [])],
    nodes: [
      newNode({ opType: 'Tile', input: [tensor.name ?? '', names.repeats], output: [names.tiled] }),
      newNode({ opType: 'Reshape', input: [names.tiled, names.rows], output: [names.joined] }),
      ...(cut?.nodes ?? []),
    ],
  };
}

function cutTo(dims: readonly number[], names: BlockNames, opsetVersion: number): Omit<PackedScales, 'name'> {
  const starts = dims.map(() => 0);
  const parts = { opType: 'Slice', output: [names.cut] };
  if (!slicesByInput(opsetVersion)) {
    const attribute = [integers('starts', starts), integers('ends', dims)];
    return { initializers: [], nodes: [newNode({ ...parts, input: [names.joined], attribute })] };
  }
  const input = [names.joined, names.starts, names.ends];
  return {
    initializers: [int64(starts, names.starts), int64(dims, names.ends)],
    nodes: [newNode({ ...parts, input })],
  };
}
