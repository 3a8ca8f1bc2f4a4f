/**
 * The parts of a weight whose scales can be changed without touching the rest: its output channels, or the whole weight when
 * it has a single scale. A channel's blocks keep their ratio to each other.
 */
import { type Granularity, scaleChannels, scaleIndices, type WeightShape } from './granularity.ts';
import { outputOffset, type WeightLayout } from './weight-layout.ts';

export type ScaleUnits = {
  readonly count: number;
  /** The unit of each weight, shape `dims`. */
  readonly ofWeight: Uint32Array;
  /** The unit of each scale, shape `scaleDims`. */
  readonly ofScale: Uint32Array;
};

export function scaleUnits(shape: WeightShape, granularity: Granularity): ScaleUnits {
  const ofScale = scaleChannels(shape, granularity);
  if (ofScale === undefined) {
    return { count: 1, ofWeight: scaleIndices(shape, 'tensor'), ofScale: Uint32Array.of(0) };
  }
  return { count: shape.dims[shape.channelAxis]!, ofWeight: scaleIndices(shape, 'channel'), ofScale };
}

/** The unit that an output channel of a group belongs to. */
export function unitOf({ ofWeight }: ScaleUnits, layout: WeightLayout, group: number, output: number): number {
  return ofWeight[outputOffset(layout, group, output)]!;
}

/** Sums over the channels of each unit, shape [units.count], of a number per channel, shape [groupCount, outputCount]. */
export function sumByUnit(values: Float64Array, units: ScaleUnits, layout: WeightLayout): Float64Array {
  const sums = new Float64Array(units.count);
  for (const [index, value] of values.entries()) {
    const group = Math.floor(index / layout.outputCount);
    sums[unitOf(units, layout, group, index % layout.outputCount)]! += value;
  }
  return sums;
}
