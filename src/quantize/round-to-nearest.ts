import type { FloatWeight } from './float-weight.ts';
import { type Granularity, granularityOf, scaleIndices } from './granularity.ts';
import { type Grid, signedGrid } from './grid.ts';
import type { QuantizedTensor } from './quantized-tensor.ts';
import { roundHalfEven } from './round-half-even.ts';
import { searchScales } from './scale-search.ts';
import { storedScales } from './stored-scales.ts';

/** Round a weight to the nearest point of a symmetric grid, whose scales are found by squared error. */
export function quantizeToNearest(
  weight: FloatWeight,
  bitWidth: number,
  wanted: Granularity = 'channel',
): QuantizedTensor {
  const { dims, channelAxis } = weight;
  const grid = signedGrid(bitWidth);
  const granularity = granularityOf(weight, wanted);
  const { scaleType, scales } = storedScales(searchScales(weight, granularity, grid));
  const scaleOf = scaleIndices(weight, granularity);
  const values = new Int8Array(weight.values.length);
  for (let index = 0; index < values.length; index++) {
    values[index] = nearestLevel(weight.values[index]! / scales[scaleOf[index]!]!, grid);
  }
  return { grid, dims, channelAxis, granularity, scaleType, scales, values };
}

/** The integer on the grid nearest to a number, ties to even. */
export function nearestLevel(value: number, { quantMin, quantMax }: Grid): number {
  return Math.min(quantMax, Math.max(quantMin, roundHalfEven(value)));
}
