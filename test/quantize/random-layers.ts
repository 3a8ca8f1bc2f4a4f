/** Small layers of every kind with random weights, and random samples of their unfolded inputs. */
import { layerLayout } from '../../src/calibrate/layer-layout.ts';
import type { Layer, LayerOpType } from '../../src/onnx/list-layers.ts';
import type { FloatWeight } from '../../src/quantize/float-weight.ts';
import type { InputStatistics } from '../../src/quantize/input-statistics.ts';
import { inputOffsets, outputOffset, type WeightLayout } from '../../src/quantize/weight-layout.ts';
import { elementCount } from '../../src/tensor.ts';
import { attribute, node, seededFloats, seededNumbers } from '../onnx/small-model.ts';

export type RandomLayer = {
  readonly weight: FloatWeight;
  readonly layout: WeightLayout;
  /** Unfolded inputs, shape [groupCount][sampleCount][inputCount]. */
  readonly samples: readonly (readonly Float64Array[])[];
  readonly statistics: InputStatistics;
};

type Kind = readonly [name: string, opType: LayerOpType, dims: readonly number[], groups: number, transB?: 1];

export const KINDS: readonly Kind[] = [
  ['convolution', 'Conv', [5, 3, 2, 2], 1],
  ['grouped convolution', 'Conv', [6, 2, 3], 3],
  ['depthwise convolution', 'Conv', [4, 1, 3, 3], 4],
  ['transposed convolution', 'ConvTranspose', [3, 4, 2, 2], 1],
  ['grouped transposed convolution', 'ConvTranspose', [4, 3, 3], 2],
  ['MatMul', 'MatMul', [9, 5], 1],
  ['stack of MatMul', 'MatMul', [2, 7, 3], 1],
  ['Gemm', 'Gemm', [8, 4], 1],
  ['transposed Gemm', 'Gemm', [4, 8], 1, 1],
  ['MatMul of one weight', 'MatMul', [1, 1], 1],
];

export function randomLayer([name, opType, dims, groups, transB = undefined]: Kind, seed: number): RandomLayer {
  const attributes = [
    attribute.int('group', groups),
    ...(transB === undefined ? [] : [attribute.int('transB', transB)]),
  ];
  const layer = { name, opType, dims, nodes: [node(opType, ['x', 'w'], ['y'], ...attributes)] };
  const layout = layerLayout(layer as unknown as Layer, 'built');
  const matrixAxis = transB === 1 ? 0 : dims.length - 1;
  const channelAxis = opType === 'Conv' ? 0 : opType === 'ConvTranspose' ? 1 : matrixAxis;
  const weight = { values: seededFloats(elementCount(dims), seed), dims, channelAxis };
  const samples = Array.from({ length: layout.groupCount }, (_, group) => mixedSamples(layout, 40, seed + group + 1));
  return { weight, layout, samples, statistics: statisticsOf(name, layout, samples) };
}

/** A matrix [outputCount, inputCount] whose inputs are correlated, as a Gemm with a transposed weight has it. */
export function randomMatrix(outputCount: number, inputCount: number, seed: number): RandomLayer {
  return randomLayer(['matrix', 'Gemm', [outputCount, inputCount], 1, 1], seed);
}

/** Correlated inputs of different energy whose means are not zero. */
function mixedSamples({ inputCount }: WeightLayout, count: number, seed: number): Float64Array[] {
  const next = seededNumbers(seed);
  const mean = Float64Array.from({ length: inputCount }, next);
  const energy = Float64Array.from({ length: inputCount }, () => 0.2 + Math.abs(next()) * 2);
  return Array.from({ length: Math.max(count, 2 * inputCount) }, () => {
    let drift = 0;
    return Float64Array.from({ length: inputCount }, (_, input) => {
      drift = 0.8 * drift + next();
      return mean[input]! + energy[input]! * drift;
    });
  });
}

export function statisticsOf(
  layerName: string,
  layout: WeightLayout,
  samples: readonly (readonly Float64Array[])[],
): InputStatistics {
  const { groupCount, inputCount: size } = layout;
  const mean = new Float64Array(groupCount * size);
  const gram = new Float64Array(groupCount * size ** 2);
  for (const [group, own] of samples.entries()) {
    for (const sample of own) {
      for (let row = 0; row < size; row++) {
        mean[group * size + row]! += sample[row]! / own.length;
        for (let column = 0; column < size; column++) {
          gram[(group * size + row) * size + column]! += (sample[row]! * sample[column]!) / own.length;
        }
      }
    }
  }
  return { layerName, layout, positionCount: samples[0]!.length, mean, gram };
}

/** Every output channel of every group: its weights' indices, and the samples it sees. */
export function channelsOf({ layout, samples }: Pick<RandomLayer, 'layout' | 'samples'>) {
  const offsets = inputOffsets(layout);
  return samples.flatMap((own, group) =>
    Array.from({ length: layout.outputCount }, (_, output) => {
      const start = outputOffset(layout, group, output);
      return { group, output, samples: own, indices: Array.from(offsets, (offset) => start + offset) };
    }),
  );
}

/** Outputs of one channel, shape [sampleCount]. */
export function outputsOf(
  weights: ArrayLike<number>,
  { indices, samples }: { readonly indices: readonly number[]; readonly samples: readonly Float64Array[] },
): number[] {
  return samples.map((sample) => indices.reduce((sum, index, input) => sum + weights[index]! * sample[input]!, 0));
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The mean square of each channel's output error, by running the samples. */
export function errorsByRunning(layer: RandomLayer, weights: ArrayLike<number>, shifts?: ArrayLike<number>): number[] {
  return channelsOf(layer).map((channel, index) => {
    const float = outputsOf(layer.weight.values, channel);
    const found = outputsOf(weights, channel);
    return meanOf(found.map((value, sample) => (value + (shifts?.[index] ?? 0) - float[sample]!) ** 2));
  });
}
