/** An output correction moved into what the artifact stores anyway: the scales of the weight, and the bias. */
import { scaleChannels } from '../quantize/granularity.ts';
import type { QuantizedTensor } from '../quantize/quantized-tensor.ts';
import { storedScale } from '../quantize/stored-scales.ts';
import type { OutputCorrection } from './correct-allocation.ts';

export type Corrected = { readonly content: QuantizedTensor; readonly bias: Float32Array };

/**
 * **From** factor · (W_q x + b − meanQuantized) + meanTarget.
 * **To** W_q′ x + b′ with the scales of W_q′ multiplied by the factors and b′ = factor · (b − meanQuantized) + meanTarget.
 * **Holds because** a factor of an output channel is a factor of the weights of that channel.
 *
 * A factor is left out (is 1) where scales are not the channel's own, or would leave the precision they are stored in.
 *
 * @param bias shape [channelCount]
 */
export function foldCorrection(
  content: QuantizedTensor,
  bias: Float32Array,
  { factors, meanQuantized, meanTarget }: OutputCorrection,
): Corrected {
  const channelOf = scaleChannels(content, content.granularity);
  const isPerChannel = channelOf !== undefined && content.dims[content.channelAxis] === bias.length;
  const applied = new Float64Array(bias.length).fill(1);
  const scales = content.scales.slice();
  const scalesOf = isPerChannel ? indicesByChannel(channelOf, bias.length) : [];
  for (const [channel, own] of scalesOf.entries()) {
    const scaled = own.map((index) => storedScale(content.scales[index]! * factors[channel]!, content.scaleType));
    if (!scaled.every((scale) => scale !== undefined)) continue;
    for (const [position, index] of own.entries()) scales[index] = scaled[position]!;
    // Rounded scales make another factor than the one asked for, and the shift has to follow.
    applied[channel] = own.length === 1 ? scales[own[0]!]! / content.scales[own[0]!]! : factors[channel]!;
  }
  return {
    content: { ...content, scales },
    bias: bias.map((value, channel) => applied[channel]! * (value - meanQuantized[channel]!) + meanTarget[channel]!),
  };
}

function indicesByChannel(channelOf: Uint32Array, channelCount: number): number[][] {
  const indices = Array.from({ length: channelCount }, (): number[] => []);
  for (const [index, channel] of channelOf.entries()) indices[channel]!.push(index);
  return indices;
}
