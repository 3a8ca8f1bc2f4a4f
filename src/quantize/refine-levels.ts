/**
 * Coordinate descent on the output error, after all weights are rounded (as QuantEase does, arXiv 2309.01885): every weight in
 * turn is moved to the level that is best with all others as they are, and between the sweeps every unit's scale is fitted.
 * No step makes the error of a channel larger.
 */
import type { FloatWeight } from './float-weight.ts';
import { scaleIndices } from './granularity.ts';
import type { InputStatistics } from './input-statistics.ts';
import type { MultiplyMatrices } from './matrix-product.ts';
import { dot, gramOf } from './output-errors.ts';
import { dequantize, type QuantizedTensor } from './quantized-tensor.ts';
import { nearestLevel } from './round-to-nearest.ts';
import { type ScaleUnits, scaleUnits, unitOf } from './scale-units.ts';
import { storedScale } from './stored-scales.ts';
import { gatherMatrix, inputOffsets, outputOffset } from './weight-layout.ts';

/** Later sweeps gain less than 1 % of the error each. */
const SWEEP_COUNT = 3;

/** One group's float weights W and quantized weights Q with their products with the Gram matrix H. */
type GroupState = {
  readonly gram: Float64Array;
  /** W and W H, shape [outputCount, inputCount]. */
  readonly float: Float64Array;
  readonly floatProducts: Float64Array;
  /** Q and Q H; they follow every change. */
  readonly quantized: Float64Array;
  readonly quantizedProducts: Float64Array;
};

export async function refineLevels(
  weight: FloatWeight,
  start: QuantizedTensor,
  statistics: InputStatistics,
  multiply: MultiplyMatrices,
): Promise<QuantizedTensor> {
  const tensor = { ...start, scales: start.scales.slice(), values: start.values.slice() };
  const states = await groupStates(weight, tensor, statistics, multiply);
  const units = scaleUnits(tensor, tensor.granularity);
  for (let sweep = 0; sweep < SWEEP_COUNT; sweep++) {
    if (sweep > 0) fitScales(tensor, states, units, statistics);
    descend(tensor, states, statistics);
  }
  return tensor;
}

async function groupStates(
  weight: FloatWeight,
  tensor: QuantizedTensor,
  { layout, gram }: InputStatistics,
  multiply: MultiplyMatrices,
): Promise<GroupState[]> {
  const { groupCount, outputCount, inputCount } = layout;
  const dequantized = dequantize(tensor);
  const states: GroupState[] = [];
  for (let group = 0; group < groupCount; group++) {
    const own = gramOf(gram, inputCount, group);
    const products = (values: Float64Array) =>
      multiply({ values, rowCount: outputCount, columnCount: inputCount }, own);
    const float = gatherMatrix(weight.values, layout, group);
    const quantized = gatherMatrix(dequantized, layout, group);
    states.push({
      gram: own.values,
      float,
      floatProducts: await products(float),
      quantized,
      quantizedProducts: await products(quantized),
    });
  }
  return states;
}

/** One sweep over all weights. */
function descend(tensor: QuantizedTensor, states: readonly GroupState[], { layout }: InputStatistics): void {
  const offsets = inputOffsets(layout);
  const scaleOf = scaleIndices(tensor, tensor.granularity);
  for (const [group, state] of states.entries()) {
    for (let output = 0; output < layout.outputCount; output++) {
      descendRow(tensor, state, offsets, scaleOf, outputOffset(layout, group, output), output);
    }
  }
}

/**
 * With Δ = Q − W the error is Δ H Δᵀ; in the one weight q at input i it is least at q − (Δ H)_i / H_ii.
 *
 * @param first the row's first element in the weight
 */
function descendRow(
  { grid, scales, values }: QuantizedTensor,
  { gram, floatProducts, quantized, quantizedProducts }: GroupState,
  offsets: Uint32Array,
  scaleOf: Uint32Array,
  first: number,
  output: number,
): void {
  const size = offsets.length;
  const start = output * size;
  for (let input = 0; input < size; input++) {
    const energy = gram[input * size + input]!;
    if (energy <= 0) continue;
    const element = first + offsets[input]!;
    const scale = scales[scaleOf[element]!]!;
    const slope = quantizedProducts[start + input]! - floatProducts[start + input]!;
    const level = nearestLevel((quantized[start + input]! - slope / energy) / scale, grid);
    if (level === values[element]) continue;
    const change = (level - values[element]!) * scale;
    values[element] = level;
    quantized[start + input]! += change;
    const gramRow = input * size;
    for (let other = 0; other < size; other++) quantizedProducts[start + other]! += change * gram[gramRow + other]!;
  }
}

/** Multiply each unit's scales with the factor a of least error, Σ W H Qᵀ / Σ Q H Qᵀ, as far as their precision allows. */
function fitScales(
  tensor: QuantizedTensor,
  states: readonly GroupState[],
  units: ScaleUnits,
  { layout }: InputStatistics,
): void {
  const cross = new Float64Array(units.count);
  const square = new Float64Array(units.count);
  const size = layout.inputCount;
  eachRow(states, layout.outputCount, (state, group, output) => {
    const unit = unitOf(units, layout, group, output);
    const start = output * size;
    cross[unit]! += dot(state.quantized, start, state.floatProducts, start, size);
    square[unit]! += dot(state.quantized, start, state.quantizedProducts, start, size);
  });
  const factors = cross.map((product, unit) => scaleFactor(tensor, units, unit, product, square[unit]!));
  for (const [scale, unit] of units.ofScale.entries()) tensor.scales[scale]! *= factors[unit]!;
  eachRow(states, layout.outputCount, (state, group, output) => {
    const factor = factors[unitOf(units, layout, group, output)]!;
    for (let index = output * size; index < (output + 1) * size; index++) {
      state.quantized[index]! *= factor;
      state.quantizedProducts[index]! *= factor;
    }
  });
}

/** The factor that a unit's stored scales can take, or 1 where the wanted one is of no use. */
function scaleFactor(
  { scales, scaleType }: QuantizedTensor,
  { ofScale }: ScaleUnits,
  unit: number,
  cross: number,
  square: number,
): number {
  // A factor for several scales would be rounded differently for each.
  const own = ofScale.indexOf(unit);
  if (!(square > 0) || ofScale.indexOf(unit, own + 1) >= 0) return 1;
  const stored = storedScale((scales[own]! * cross) / square, scaleType);
  if (stored === undefined) return 1;
  const factor = stored / scales[own]!;
  const gain = (candidate: number) => candidate * (2 * cross - candidate * square);
  return gain(factor) > gain(1) ? factor : 1;
}

function eachRow(
  states: readonly GroupState[],
  outputCount: number,
  visit: (state: GroupState, group: number, output: number) => void,
): void {
  for (const [group, state] of states.entries()) {
    for (let output = 0; output < outputCount; output++) visit(state, group, output);
  }
}
