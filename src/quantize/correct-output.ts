/** Corrections of one layer's output in isolation, from the moments of its input in the float network. */
import type { FloatWeight } from './float-weight.ts';
import type { InputStatistics } from './input-statistics.ts';
import { type MultiplyMatrices, withSmallProducts } from './matrix-product.ts';
import { dot, gramOf } from './output-errors.ts';
import { dequantize, type QuantizedTensor } from './quantized-tensor.ts';
import { type ScaleUnits, scaleUnits, unitOf } from './scale-units.ts';
import { storedScale } from './stored-scales.ts';
import { gatherMatrix } from './weight-layout.ts';

/** `bias`: match the mean of every output channel; `affine`: a scale and a shift per channel by least squares. */
export type IsolatedCorrection = 'none' | 'bias' | 'affine';

export type CorrectedLayer = {
  /** The quantized weight, its scales multiplied by the factors that they can store. */
  readonly content: QuantizedTensor;
  /** What is to be added to each output channel, group after group, shape [groupCount · outputCount]. */
  readonly shifts: Float64Array;
};

/** An output whose variance is below this part of its mean square is constant as far as float32 sums can tell. */
const SMALLEST_VARIANCE_RATIO = 1e-5;

/**
 * With C = H − μμᵀ the covariance of the input, W the float and Q the quantized weights of a channel: the factor is
 * a = (W C Qᵀ) / (Q C Qᵀ), the shift W μ − a Q μ. Channels that share a scale share a factor. A factor is 1 where the
 * quantized output has no variance, or where the precision of the scales does not hold what it wants.
 */
export async function correctOutput(
  weight: FloatWeight,
  quantized: QuantizedTensor,
  statistics: InputStatistics,
  correction: IsolatedCorrection,
  multiply: MultiplyMatrices,
): Promise<CorrectedLayer> {
  const { layout } = statistics;
  if (correction === 'none') {
    return { content: quantized, shifts: new Float64Array(layout.groupCount * layout.outputCount) };
  }
  const content = correction === 'bias' ? quantized : await scaleOutput(weight, quantized, statistics, multiply);
  // Of the scales as they are stored, so that the shift makes up for their rounding too.
  return { content, shifts: meanErrors(weight, content, statistics) };
}

async function scaleOutput(
  weight: FloatWeight,
  quantized: QuantizedTensor,
  statistics: InputStatistics,
  multiply: MultiplyMatrices,
): Promise<QuantizedTensor> {
  const units = scaleUnits(quantized, quantized.granularity);
  const factors = await unitFactors(weight, quantized, units, statistics, withSmallProducts(multiply));
  const scales = quantized.scales.map((scale, index) => scale * factors[units.ofScale[index]!]!);
  const stored = Array.from(scales, (scale) => storedScale(scale, quantized.scaleType));
  const isHeld = new Uint8Array(units.count).fill(1);
  for (const [index, scale] of stored.entries()) if (scale === undefined) isHeld[units.ofScale[index]!] = 0;
  return {
    ...quantized,
    scales: quantized.scales.map((scale, index) => (isHeld[units.ofScale[index]!] ? stored[index]! : scale)),
  };
}

/** The factor of each unit, before its scales are rounded to their precision. */
async function unitFactors(
  weight: FloatWeight,
  quantized: QuantizedTensor,
  units: ScaleUnits,
  { layout, mean, gram }: InputStatistics,
  multiply: MultiplyMatrices,
): Promise<Float64Array> {
  const { groupCount, outputCount, inputCount } = layout;
  const [covariances, variances, squares] = [1, 2, 3].map(() => new Float64Array(units.count));
  const dequantized = dequantize(quantized);
  for (let group = 0; group < groupCount; group++) {
    const float = gatherMatrix(weight.values, layout, group);
    const coarse = gatherMatrix(dequantized, layout, group);
    const matrix = { values: coarse, rowCount: outputCount, columnCount: inputCount };
    const products = await multiply(matrix, gramOf(gram, inputCount, group));
    for (let output = 0; output < outputCount; output++) {
      const unit = unitOf(units, layout, group, output);
      const start = output * inputCount;
      const floatMean = dot(float, start, mean, group * inputCount, inputCount);
      const coarseMean = dot(coarse, start, mean, group * inputCount, inputCount);
      const square = dot(coarse, start, products, start, inputCount);
      covariances![unit]! += dot(float, start, products, start, inputCount) - floatMean * coarseMean;
      variances![unit]! += square - coarseMean ** 2;
      squares![unit]! += square;
    }
  }
  return variances!.map((variance, unit) =>
    variance > SMALLEST_VARIANCE_RATIO * squares![unit]! ? covariances![unit]! / variance : 1,
  );
}

/** (W − Q) μ of each output channel, shape [groupCount · outputCount]. */
function meanErrors(weight: FloatWeight, quantized: QuantizedTensor, { layout, mean }: InputStatistics): Float64Array {
  const { groupCount, outputCount, inputCount } = layout;
  const changes = dequantize(quantized).map((value, index) => weight.values[index]! - value);
  const errors = new Float64Array(groupCount * outputCount);
  for (let group = 0; group < groupCount; group++) {
    const change = gatherMatrix(changes, layout, group);
    for (let output = 0; output < outputCount; output++) {
      errors[group * outputCount + output] = dot(change, output * inputCount, mean, group * inputCount, inputCount);
    }
  }
  return errors;
}
