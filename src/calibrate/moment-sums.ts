/** One layer's moments while they are being summed, in float64 over all runs and all nodes that share its weight. */
import { UserError } from '../errors.ts';
import { describeNode } from '../onnx/graph-index.ts';
import type { InputStatistics } from '../quantize/input-statistics.ts';
import type { NamedTensors } from '../tensor.ts';
import type { NodeProto } from '../wire/model-proto.ts';
import type { MomentOutputs } from './calibration-graph.ts';
import type { MeasuredNode } from './plan-calibration.ts';

export class MomentSums {
  readonly #measured: MeasuredNode;
  readonly #products: Float64Array;
  readonly #sums: Float64Array;
  #positionCount = 0;

  constructor(measured: MeasuredNode) {
    const { groupCount, inputCount } = measured.layout;
    this.#measured = measured;
    this.#products = new Float64Array(groupCount * inputCount ** 2);
    this.#sums = new Float64Array(groupCount * inputCount);
  }

  /**
   * Add what one run measured for one of the layer's nodes.
   *
   * @param weight what the run counts for
   * @param factor what the node multiplies its input with (Gemm's alpha)
   * @throws UserError naming layer and operator if a number is not finite
   */
  add(results: NamedTensors, outputs: MomentOutputs, node: NodeProto, weight: number, factor: number): void {
    const [partCount, , , partPositions] = Array.from(results[outputs.shape]!.data, Number);
    const positionCount = partCount! * partPositions!;
    if (positionCount === 0) return;
    const products = results[outputs.products]!.data as Float32Array;
    const means = results[outputs.means]!.data as Float32Array;
    addParts(this.#products, products, weight * factor ** 2);
    addParts(this.#sums, means, (weight * factor * positionCount * this.#sums.length) / means.length);
    this.#positionCount += weight * positionCount;
    this.#assertFinite(node);
  }

  /** The sums are used up: the result takes their memory. */
  finish(): InputStatistics {
    const { layer, layout } = this.#measured;
    const scale = 1 / this.#positionCount;
    for (let group = 0; group < layout.groupCount; group++) {
      const size = layout.inputCount ** 2;
      symmetrise(this.#products.subarray(group * size, (group + 1) * size), layout.inputCount, scale);
    }
    for (let index = 0; index < this.#sums.length; index++) this.#sums[index]! *= scale;
    return {
      layerName: layer.name,
      layout,
      positionCount: Math.round(this.#positionCount),
      mean: this.#sums,
      gram: this.#products,
    };
  }

  /** A number that is not finite makes squares on the diagonal not finite, that of its own input among them. */
  #assertFinite(node: NodeProto): void {
    const { layer, layout, path } = this.#measured;
    const { inputCount } = layout;
    for (const index of this.#sums.keys()) {
      const square = this.#products[index * inputCount + (index % inputCount)]!;
      if (Number.isFinite(square)) continue;
      const found = this.#sums.every(Number.isFinite) ? 'so large that its square overflows' : 'NaN or infinite';
      throw new UserError({
        what: `the input '${node.input[0]}' of layer '${layer.name}' (${describeNode(node)}) is ${found} for some calibration sample`,
        where: path,
        fix: 'check data.preprocess and the calibration samples, and that the float model itself gives finite outputs',
      });
    }
  }
}

/** Add every part of `values` to the sums, which are as long as one part. */
function addParts(sums: Float64Array, values: Float32Array, factor: number): void {
  for (let start = 0; start < values.length; start += sums.length) {
    for (let index = 0; index < sums.length; index++) sums[index]! += values[start + index]! * factor;
  }
}

/** The runtime may add up the two halves of the matrix in different orders. */
function symmetrise(matrix: Float64Array, size: number, scale: number): void {
  for (let row = 0; row < size; row++) {
    matrix[row * size + row]! *= scale;
    for (let column = 0; column < row; column++) {
      const [below, above] = [row * size + column, column * size + row];
      const mean = ((matrix[below]! + matrix[above]!) / 2) * scale;
      matrix[below] = mean;
      matrix[above] = mean;
    }
  }
}
