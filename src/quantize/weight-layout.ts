/**
 * A layer's weight as matrices: for every group of the layer one of shape [outputCount, inputCount], in whose rows the weights
 * of one output channel stand in the order of the unfolded input. The numbers stay where the weight's own layout has them.
 */
export type WeightLayout = {
  readonly groupCount: number;
  /** Output channels of one group. */
  readonly outputCount: number;
  /** Weights that one output channel of a group sums over. */
  readonly inputCount: number;
  /** Row-major distances in the weight between neighbouring groups and output channels. */
  readonly groupStride: number;
  readonly outputStride: number;
  /** Inputs i and i + 1 are neighbours inside a run of `runLength`; the runs begin `runStride` apart. */
  readonly runLength: number;
  readonly runStride: number;
};

/** Which element of the weight is at (0, 0, input), shape [inputCount]. */
export function inputOffsets({ inputCount, runLength, runStride }: WeightLayout): Uint32Array {
  return Uint32Array.from(
    { length: inputCount },
    (_, input) => Math.floor(input / runLength) * runStride + (input % runLength),
  );
}

/** Which element of the weight is at (group, output, 0). */
export function outputOffset({ groupStride, outputStride }: WeightLayout, group: number, output: number): number {
  return group * groupStride + output * outputStride;
}

/** The matrix of one group, shape [outputCount, inputCount]. */
export function gatherMatrix(values: ArrayLike<number>, layout: WeightLayout, group: number): Float64Array {
  const { outputCount, inputCount } = layout;
  const offsets = inputOffsets(layout);
  const matrix = new Float64Array(outputCount * inputCount);
  for (let output = 0; output < outputCount; output++) {
    const start = outputOffset(layout, group, output);
    for (let input = 0; input < inputCount; input++) {
      matrix[output * inputCount + input] = values[start + offsets[input]!]!;
    }
  }
  return matrix;
}
