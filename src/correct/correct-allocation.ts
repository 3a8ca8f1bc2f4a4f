/** The corrections of a whole allocation, measured with everything before each layer quantized and corrected. */
import type { Correction } from '../config/config.ts';
import type { Batch } from '../dataset/sample-set.ts';
import type { Layer } from '../onnx/list-layers.ts';
import type { Model } from '../onnx/model.ts';
import type { OpenSession } from '../runtime/session.ts';
import type { NamedTensors, Tensor } from '../tensor.ts';
import type { TensorProto } from '../wire/model-proto.ts';
import type { ChannelFit } from './channel-statistics.ts';
import { batchInput, correctionGraph } from './correction-graph.ts';

/** How a layer's quantized output is to be changed, channel by channel: factor · (output − meanQuantized) + meanTarget. */
export type OutputCorrection = {
  /** Shape [channelCount], all. */
  readonly factors: Float32Array;
  readonly meanQuantized: Float32Array;
  readonly meanTarget: Float32Array;
};

export type CorrectionInput = {
  readonly model: Model;
  readonly layers: readonly Layer[];
  /** Of equal size; `fullBatches` leaves them so. */
  readonly batches: readonly Batch[];
  readonly correction: Exclude<Correction, 'none'>;
  readonly openSession: OpenSession;
};

export type LayerCorrections = {
  readonly chosen: OutputCorrection;
  /** Of other weights in the layer's place, in the order in which they were given. */
  readonly alternatives: readonly OutputCorrection[];
};

/**
 * @param weights the quantized weights by initializer name
 * @param alternatives other weights of a layer, by layer index, each fitted with what is before the layer left as it is
 * @returns by layer index; layers that stay float or share their weight have none
 */
export async function measureCorrections(
  { model, layers, batches, correction, openSession }: CorrectionInput,
  weights: ReadonlyMap<string, TensorProto>,
  alternatives: ReadonlyMap<number, readonly TensorProto[]> = new Map(),
): Promise<ReadonlyMap<number, LayerCorrections>> {
  const batchCount = batches.length;
  const { bytes, fits } = correctionGraph({ model, layers, weights, alternatives, batchCount, correction });
  if (fits.size === 0) return new Map();
  const session = await openSession(bytes);
  try {
    const results = await session.run(feedsOf(batches));
    const readFit = (fit: ChannelFit) => read(results, fit);
    return new Map(
      [...fits].map(([layerIndex, { chosen, alternatives: others }]) => [
        layerIndex,
        { chosen: readFit(chosen), alternatives: others.map(readFit) },
      ]),
    );
  } finally {
    await session.release();
  }
}

/** The batches of the first one's size: a last, smaller one would weigh more per sample than the others. */
export function fullBatches(batches: readonly Batch[], largestCount: number): readonly Batch[] {
  const size = batches[0]!.sampleCount;
  return batches.filter(({ sampleCount }) => sampleCount === size).slice(0, largestCount);
}

function feedsOf(batches: readonly Batch[]): NamedTensors {
  return Object.fromEntries(
    batches.flatMap(({ feeds }, batch) =>
      Object.entries(feeds).map(([name, tensor]): [string, Tensor] => [batchInput(name, batch), tensor]),
    ),
  );
}

function read(results: NamedTensors, { factor, meanQuantized, meanTarget }: ChannelFit): OutputCorrection {
  const floats = (name: string) => results[name]!.data as Float32Array;
  return { factors: floats(factor), meanQuantized: floats(meanQuantized), meanTarget: floats(meanTarget) };
}
