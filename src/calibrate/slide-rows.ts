/**
 * The moments of a convolution that visits every row of its input, without unfolding rows.
 *
 * **From** the input unfolded over all axes, and all products of kernel rows with kernel rows.
 * **To** the input unfolded over all axes but its rows, and the products of its rows with the rows that lie some way below.
 * With u(a) the a-th row of that, d the dilation of rows, and kernel rows k and k + r at the places p where the kernel stands,
 *
 *     Σ_p u(p + k·d) u(p + (k + r)·d)ᵀ = Σ_a u(a) u(a + r·d)ᵀ − the terms of those rows a that kernel row k never sees
 *
 * **Holds because** a kernel row sees all rows of the input but a few at the edges, and rows of padding are zero. One long product
 * for each r takes the place of one for each pair of kernel rows, over a copy of the input that is smaller by their number.
 */
import { attributeOf } from '../onnx/graph-index.ts';
import type { Layer } from '../onnx/list-layers.ts';
import { int64Vector, integer, integers, operator } from '../onnx/node-builders.ts';
import { elementCount } from '../tensor.ts';
import type { NodeProto } from '../wire/model-proto.ts';
import type { MomentOutputs } from './calibration-graph.ts';
import {
  add,
  constant,
  type GraphParts,
  oneHotKernels,
  reshape,
  transpose,
  type UnfoldRequest,
  wideInput,
} from './unfold.ts';

/** Per axis of the kernel. */
type Geometry = {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Before and behind. */
  readonly pads: readonly (readonly [number, number])[];
};

function geometryOf({ dims }: Layer, node: NodeProto): Geometry {
  const kernel = dims.slice(2);
  const list = (name: string) => attributeOf(node, name)?.ints.map(Number);
  const pads = list('pads') ?? kernel.flatMap(() => [0, 0]);
  return {
    kernel,
    strides: list('strides') ?? kernel.map(() => 1),
    dilations: list('dilations') ?? kernel.map(() => 1),
    pads: kernel.map((_, axis) => [pads[axis]!, pads[kernel.length + axis]!]),
  };
}

/** Whether the moments can be had this way: all strides are 1, and no more is padded than AveragePool takes. */
export function canSlideRows({ layer, node, inputDims, outputDims }: UnfoldRequest): boolean {
  if (node.opType !== 'Conv' || attributeOf(node, 'auto_pad') !== undefined) return false;
  const { kernel, strides, dilations, pads } = geometryOf(layer, node);
  const isPadded = pads.some((pad, axis) => Math.max(...pad) >= outputDims[2 + axis]!);
  // So high that no row is at both edges.
  const isHigh = inputDims[2]! > (kernel[0]! - 1) * dilations[0]!;
  return kernel[0]! > 1 && strides.every((stride) => stride === 1) && isHigh && !isPadded;
}

/** Add the nodes that measure a layer for which `canSlideRows` holds. */
export function slideRows(request: UnfoldRequest, parts: GraphParts): MomentOutputs {
  const input = wideInput(request, parts);
  return {
    products: joinBlocks(request, kernelRowProducts(request, input, parts), parts),
    means: windowMeans(request, input, parts),
    shape: shapeOfPositions(request, parts),
  };
}

/** The products of kernel rows with kernel rows, each of shape [1, groupCount, width, width], width = inputCount / rows. */
function kernelRowProducts(request: UnfoldRequest, input: string, parts: GraphParts): string[][] {
  const geometry = geometryOf(request.layer, request.node);
  const [rowCount, dilation, [above, below]] = [geometry.kernel[0]!, geometry.dilations[0]!, geometry.pads[0]!];
  const height = request.inputDims[2]!;
  const rows = unfoldWithinRows(request, geometry, input, parts);
  const blocks = Array.from({ length: rowCount }, (): string[] => []);
  for (let apart = 0; apart < rowCount; apart++) {
    const shift = apart * dilation;
    const products = (start: number, end: number) => rowProducts(request, rows, [start, end], shift, parts);
    const all = products(0, height - shift);
    for (let row = 0; row + apart < rowCount; row++) {
      const first = row * dilation - above;
      const last = height - shift - ((rowCount - 1 - row - apart) * dilation - below);
      const unseen = [
        ...(first > 0 ? [products(0, first)] : []),
        ...(last < height - shift ? [products(last, height - shift)] : []),
      ];
      const block = unseen.reduce((rest, part) => add(parts, 'seen', (to) => operator('Sub', [rest, part], to)), all);
      blocks[row]![row + apart] = block;
      if (apart > 0) blocks[row + apart]![row] = transpose(parts, block, [0, 1, 3, 2]);
    }
  }
  return blocks;
}

/** Shape [groupCount · width, rows of the input, samples, …]: rows stand together, so that taking some is one copy each. */
function unfoldWithinRows(
  { layout }: UnfoldRequest,
  { kernel, dilations, pads }: Geometry,
  input: string,
  parts: GraphParts,
): string {
  const [rowCount, ...others] = kernel;
  const width = elementCount(others);
  const channelCount = (layout.groupCount * layout.inputCount) / (rowCount! * width);
  const kernels = oneHotKernels([channelCount * width, 1, 1, ...others], width, parts);
  const inner = [[0, 0], ...pads.slice(1)];
  const attributes = [
    integer('group', channelCount),
    integers('dilations', [1, ...dilations.slice(1)]),
    integers('pads', [...inner.map(([before]) => before!), ...inner.map(([, behind]) => behind!)]),
  ];
  const unfolded = add(parts, 'unfolded', (to) => operator('Conv', [input, kernels], to, ...attributes));
  return transpose(parts, unfolded, [1, 2, 0, ...others.map((_, axis) => 3 + axis)]);
}

/** Σ u(a) u(a + shift)ᵀ over the rows a from `start` up to `end`. */
function rowProducts(
  { layout: { groupCount, inputCount }, layer, opsetVersion }: UnfoldRequest,
  rows: string,
  [start, end]: readonly [number, number],
  shift: number,
  parts: GraphParts,
): string {
  const dims = [1, groupCount, inputCount / layer.dims[2]!, -1];
  const [upper, lower] = [0, shift].map((down) =>
    reshape(parts, slice(parts, opsetVersion, rows, start + down, end + down), dims),
  );
  const turned = transpose(parts, lower!, [0, 1, 3, 2]);
  return add(parts, 'products', (to) => operator('MatMul', [upper!, turned], to));
}

/** Slice takes its bounds as inputs from opset 10 on. */
const FIRST_BOUNDS_INPUT = 10;

/** Along axis 1. */
function slice(parts: GraphParts, opsetVersion: number, input: string, start: number, end: number): string {
  if (opsetVersion < FIRST_BOUNDS_INPUT) {
    const bounds = [integers('starts', [start]), integers('ends', [end]), integers('axes', [1])];
    return add(parts, 'rows', (to) => operator('Slice', [input], to, ...bounds));
  }
  const bounds = [start, end, 1].map((bound) => constant(parts, 'bound', (name) => int64Vector([bound], name)));
  return add(parts, 'rows', (to) => operator('Slice', [input, ...bounds], to));
}

/** One matrix per group, its inputs in the order of the weight: channel, kernel row, and the rest of the kernel. */
function joinBlocks(
  { layer, layout: { groupCount, inputCount } }: UnfoldRequest,
  blocks: readonly (readonly string[])[],
  parts: GraphParts,
): string {
  const [rowCount, ...others] = layer.dims.slice(2);
  const width = elementCount(others);
  const channelCount = inputCount / (rowCount! * width);
  const dims = [groupCount, channelCount, 1, width, channelCount, 1, width];
  const join = (values: string[], axis: number) =>
    add(parts, 'joined', (to) => operator('Concat', values, to, integer('axis', axis)));
  const bands = blocks.map((row) =>
    join(
      row.map((block) => reshape(parts, block, dims)),
      5,
    ),
  );
  return reshape(parts, join(bands, 2), [1, groupCount, inputCount, inputCount]);
}

/** The mean of what each element of the kernel sees is that of a window as large as the output: shape [samples, channels, …kernel]. */
function windowMeans({ layer, node, outputDims }: UnfoldRequest, input: string, parts: GraphParts): string {
  const { dilations, pads } = geometryOf(layer, node);
  const attributes = [
    integers('kernel_shape', outputDims.slice(2)),
    integers('strides', dilations),
    integers('pads', [...pads.map(([before]) => before), ...pads.map(([, behind]) => behind)]),
    integer('count_include_pad', 1),
  ];
  return add(parts, 'means', (to) => operator('AveragePool', [input], to, ...attributes));
}

/** That of the layer's output, with its positions on the last axis. */
function shapeOfPositions({ node, layout: { groupCount, outputCount } }: UnfoldRequest, parts: GraphParts): string {
  const outputs = reshape(parts, node.output[0]!, [0, groupCount, outputCount, -1]);
  return add(parts, 'size', (to) => operator('Shape', [outputs], to));
}
