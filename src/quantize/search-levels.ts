/** Rounding with error feedback at several scales, of which every channel keeps the one that serves its output best. */
import { type Feedback, roundWithFeedback } from './feedback.ts';
import type { FloatWeight } from './float-weight.ts';
import { type Granularity, scaleIndices } from './granularity.ts';
import type { InputStatistics } from './input-statistics.ts';
import type { MultiplyMatrices } from './matrix-product.ts';
import { outputErrors } from './output-errors.ts';
import type { QuantizedTensor } from './quantized-tensor.ts';
import { quantizeToNearest } from './round-to-nearest.ts';
import { scaleUnits, sumByUnit } from './scale-units.ts';
import { storedScale } from './stored-scales.ts';

/**
 * Feedback makes the weights that are rounded spread wider than the weights themselves, and more so the coarser the grid.
 * Scales 1 + k · step of the one with the least squared weight error are tried, step = STEP_AT_ZERO_BITS / 2^bits: measured on
 * ResNet-20, the best are around 1.3 at two bits, 1.08 at three and 1.03 at four.
 */
const STEP_AT_ZERO_BITS = 0.6;
const TRIAL_COUNT = 5;
/** From this width on the scale of least weight error is as good as any. */
const FIRST_WIDTH_WITHOUT_TRIALS = 6;

export type LevelSearch = {
  readonly weight: FloatWeight;
  readonly statistics: InputStatistics;
  readonly granularity: Granularity;
  /** Shape [groupCount]. */
  readonly feedback: readonly Feedback[];
};

/** The best of rounding to nearest and of feedback at the scales tried, chosen unit by unit. */
export async function searchLevels(
  search: LevelSearch,
  bitWidth: number,
  multiply: MultiplyMatrices,
): Promise<QuantizedTensor> {
  const { weight, statistics, granularity } = search;
  const units = scaleUnits(weight, granularity);
  const errorsOf = async (tensor: QuantizedTensor) =>
    sumByUnit(await outputErrors(weight, tensor, statistics, multiply), units, statistics.layout);
  const nearest = quantizeToNearest(weight, bitWidth, granularity);
  const best = { ...nearest, scales: nearest.scales.slice(), values: nearest.values.slice() };
  const bestErrors = await errorsOf(nearest);
  for (const ratio of ratiosFor(bitWidth)) {
    const trial = await roundAt(search, nearest, ratio, multiply);
    const errors = await errorsOf(trial);
    const isBetter = bestErrors.map((error, unit) => (errors[unit]! < error ? 1 : 0));
    for (const [unit, better] of isBetter.entries()) if (better) bestErrors[unit] = errors[unit]!;
    for (const [index, unit] of units.ofWeight.entries()) if (isBetter[unit]) best.values[index] = trial.values[index]!;
    for (const [index, unit] of units.ofScale.entries()) if (isBetter[unit]) best.scales[index] = trial.scales[index]!;
  }
  return best;
}

function ratiosFor(bitWidth: number): number[] {
  const count = bitWidth < FIRST_WIDTH_WITHOUT_TRIALS ? TRIAL_COUNT : 1;
  return Array.from({ length: count }, (_, trial) => 1 + (trial * STEP_AT_ZERO_BITS) / 2 ** bitWidth);
}

/** Round with scales a ratio larger; one that its precision does not hold stays as it is. */
async function roundAt(
  { weight, statistics, granularity, feedback }: LevelSearch,
  nearest: QuantizedTensor,
  ratio: number,
  multiply: MultiplyMatrices,
): Promise<QuantizedTensor> {
  const scales = nearest.scales.map((scale) => storedScale(scale * ratio, nearest.scaleType) ?? scale);
  const trial = { ...nearest, scales, values: new Int8Array(nearest.values.length) };
  const rounding = { ...trial, weights: weight.values, scaleOf: scaleIndices(weight, granularity) };
  for (const [group, own] of feedback.entries()) {
    await roundWithFeedback(rounding, statistics.layout, group, own, multiply);
  }
  return trial;
}
