/** Which weights share a scale. */
import { elementCount } from '../tensor.ts';

/**
 * One scale for the whole tensor, one per output channel, or one per `block` consecutive inputs of each output channel
 * (DequantizeLinear's per-tensor, per-axis and blocked forms).
 */
export type Granularity = 'tensor' | 'channel' | { readonly block: number };

/** The weight's shape and the axis of it that counts output channels. */
export type WeightShape = { readonly dims: readonly number[]; readonly channelAxis: number };

/**
 * The axis along which a weight can be blocked, or undefined for a convolution, whose inputs lie on several axes. A matrix has
 * its output channels on one of its last two axes (MatMul's are the last), and its inputs on the other.
 */
export function inputAxis({ dims, channelAxis }: WeightShape): number | undefined {
  if (dims.length === 2) return 1 - channelAxis;
  return channelAxis === dims.length - 1 ? channelAxis - 1 : undefined;
}

/**
 * What a wanted granularity comes to for one weight: a convolution is not blocked, and a block that holds all inputs of a
 * matrix is a channel.
 *
 * @throws RangeError if the block size is no positive integer
 */
export function granularityOf(shape: WeightShape, wanted: Granularity): Granularity {
  if (typeof wanted === 'string') return wanted;
  if (!Number.isInteger(wanted.block) || wanted.block < 1) throw new RangeError(`no blocks of ${wanted.block} inputs`);
  const axis = inputAxis(shape);
  if (axis === undefined || (shape.dims.length === 2 && wanted.block >= shape.dims[axis]!)) return 'channel';
  return wanted;
}

/** The shape of the scales: [] for a tensor, [channelCount], or the weight's with the input axis counting blocks. */
export function scaleDims(shape: WeightShape, granularity: Granularity): number[] {
  const { dims, channelAxis } = shape;
  if (granularity === 'tensor') return [];
  if (granularity === 'channel') return [dims[channelAxis]!];
  const axis = inputAxis(shape);
  return dims.map((dim, index) => (index === axis ? Math.ceil(dim / granularity.block) : dim));
}

/** The index of each weight's scale among the scales, row-major, shape `dims`. */
export function scaleIndices(shape: WeightShape, granularity: Granularity): Uint32Array {
  const indices = new Uint32Array(elementCount(shape.dims));
  if (granularity === 'tensor') return indices;
  const isChannel = granularity === 'channel';
  const { count, innerCount } = axisView(shape.dims, isChannel ? shape.channelAxis : inputAxis(shape)!);
  const blockCount = isChannel ? 0 : Math.ceil(count / granularity.block);
  for (let run = 0; run * innerCount < indices.length; run++) {
    const position = run % count;
    const start = run * innerCount;
    if (isChannel) indices.fill(position, start, start + innerCount);
    else {
      const block = Math.floor(run / count) * blockCount + Math.floor(position / granularity.block);
      for (let inner = 0; inner < innerCount; inner++) indices[start + inner] = block * innerCount + inner;
    }
  }
  return indices;
}

/** The output channel of each scale, row-major, shape `scaleDims`; undefined for one scale of the whole tensor. */
export function scaleChannels(shape: WeightShape, granularity: Granularity): Uint32Array | undefined {
  if (granularity === 'tensor') return undefined;
  const dims = scaleDims(shape, granularity);
  const { count, innerCount } = axisView(dims, granularity === 'channel' ? 0 : shape.channelAxis);
  return Uint32Array.from({ length: elementCount(dims) }, (_, index) => Math.floor(index / innerCount) % count);
}

/** Element i of a tensor is at floor(i / innerCount) mod count along the axis. */
function axisView(dims: readonly number[], axis: number): { count: number; innerCount: number } {
  return { count: dims[axis]!, innerCount: elementCount(dims.slice(axis + 1)) };
}
