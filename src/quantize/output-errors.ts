/** What quantizing a weight does to the layer's output, from the statistics of its input alone. */
import type { FloatWeight } from './float-weight.ts';
import type { InputStatistics } from './input-statistics.ts';
import type { Matrix, MultiplyMatrices } from './matrix-product.ts';
import { dequantize, type QuantizedTensor } from './quantized-tensor.ts';
import { gatherMatrix } from './weight-layout.ts';

/**
 * The mean square of every output channel's error, E[(Δ·x)²] = Δ H Δᵀ with Δ the quantized minus the float weights of the
 * channel and H the Gram matrix.
 *
 * @param shifts what the layer's bias gains, E[(Δ·x + shift)²] then; shape [groupCount, outputCount]
 * @returns shape [groupCount, outputCount]
 */
export async function outputErrors(
  weight: FloatWeight,
  quantized: QuantizedTensor,
  { layout, mean, gram }: InputStatistics,
  multiply: MultiplyMatrices,
  shifts?: Float64Array,
): Promise<Float64Array> {
  const { groupCount, outputCount, inputCount } = layout;
  const changes = dequantize(quantized).map((value, index) => value - weight.values[index]!);
  const errors = new Float64Array(groupCount * outputCount);
  for (let group = 0; group < groupCount; group++) {
    const change = gatherMatrix(changes, layout, group);
    const products = await multiply(
      { values: change, rowCount: outputCount, columnCount: inputCount },
      gramOf(gram, inputCount, group),
    );
    for (let output = 0; output < outputCount; output++) {
      const row = change.subarray(output * inputCount, (output + 1) * inputCount);
      const shift = shifts?.[group * outputCount + output] ?? 0;
      const meanError = shift === 0 ? 0 : dot(row, 0, mean, group * inputCount, inputCount);
      const square = dot(row, 0, products, output * inputCount, inputCount) + shift * (2 * meanError + shift);
      // Rounding may leave a little less than zero.
      errors[group * outputCount + output] = Math.max(0, square);
    }
  }
  return errors;
}

/**
 * The `local` sensitivity: the mean square of the layer's output error summed over its channels, tr(Δ H Δᵀ), as a share of the
 * float output's variance. Layers differ in the size of their outputs and not in what size matters, so the share predicts the
 * loss much better than the error itself (rank correlation with the measured loss of ResNet-20: 0.90 against 0.72).
 *
 * @param variance of the float output, as `outputVariance` finds it once for all widths
 */
export async function localSensitivity(
  weight: FloatWeight,
  quantized: QuantizedTensor,
  statistics: InputStatistics,
  variance: number,
  multiply: MultiplyMatrices,
  shifts?: Float64Array,
): Promise<number> {
  const errors = await outputErrors(weight, quantized, statistics, multiply, shifts);
  const error = errors.reduce((sum, own) => sum + own, 0);
  return error === 0 ? 0 : error / Math.max(variance, SMALLEST_VARIANCE);
}

/** An output that is constant; any error of it is then as large as can be. */
const SMALLEST_VARIANCE = 1e-30;

/** The variance of the float output summed over its channels, tr(W (H − μ μᵀ) Wᵀ). */
export async function outputVariance(
  weight: FloatWeight,
  { layout, mean, gram }: InputStatistics,
  multiply: MultiplyMatrices,
): Promise<number> {
  const { groupCount, outputCount, inputCount } = layout;
  let variance = 0;
  for (let group = 0; group < groupCount; group++) {
    const float = gatherMatrix(weight.values, layout, group);
    const matrix = { values: float, rowCount: outputCount, columnCount: inputCount };
    const products = await multiply(matrix, gramOf(gram, inputCount, group));
    for (let output = 0; output < outputCount; output++) {
      const start = output * inputCount;
      const square = dot(float, start, products, start, inputCount);
      variance += Math.max(0, square - dot(float, start, mean, group * inputCount, inputCount) ** 2);
    }
  }
  return variance;
}

/** The Gram matrix of one group. */
export function gramOf(gram: Float64Array, inputCount: number, group: number): Matrix {
  const size = inputCount ** 2;
  return { values: gram.subarray(group * size, (group + 1) * size), rowCount: inputCount, columnCount: inputCount };
}

/** Σ left[leftStart + i] · right[rightStart + i]. */
export function dot(
  left: Float64Array,
  leftStart: number,
  right: Float64Array,
  rightStart: number,
  count: number,
): number {
  let sum = 0;
  for (let index = 0; index < count; index++) sum += left[leftStart + index]! * right[rightStart + index]!;
  return sum;
}
