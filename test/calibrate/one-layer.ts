/** Models of one layer, and the moments of its unfolded input by loops over what the layer itself makes of it. */
import { type CalibrateInput, calibrate, type LayerStatistics } from '../../src/calibrate/calibrate.ts';
import { layerLayout } from '../../src/calibrate/layer-layout.ts';
import type { Batch } from '../../src/dataset/sample-set.ts';
import { DATA_TYPE } from '../../src/onnx/data-type.ts';
import { listLayers } from '../../src/onnx/list-layers.ts';
import { type Model, withGraph } from '../../src/onnx/model.ts';
import { floatTensor } from '../../src/onnx/tensor-values.ts';
import type { InputStatistics } from '../../src/quantize/input-statistics.ts';
import { inputOffsets, outputOffset, type WeightLayout } from '../../src/quantize/weight-layout.ts';
import { openOnnxruntimeSession } from '../../src/runtime/onnxruntime.ts';
import { elementCount, type NamedTensors, type Tensor } from '../../src/tensor.ts';
import { type AttributeProto, encodeModelProto, newOutput } from '../../src/wire/model-proto.ts';
import { attribute, decodeBuilt, floatInput, node, runModel, value, weight } from '../onnx/small-model.ts';

export type OneLayer = {
  readonly opType: 'Conv' | 'ConvTranspose' | 'Gemm' | 'MatMul';
  readonly input: readonly number[];
  /** Its output channels are as many as each sums over, so that the identity is among its weights. */
  readonly dims: readonly number[];
  readonly attributes?: readonly AttributeProto[];
  readonly opset?: number;
  readonly dataType?: number;
};

/** The layer between an input x, free on its first axis where it has more than one, and an output y, both float32. */
export function modelOf({ opType, input, dims, attributes = [], opset = 17, dataType }: OneLayer): Promise<Model> {
  const isHalf = dataType === DATA_TYPE.float16;
  const bias = opType === 'Gemm' && opset < FIRST_GEMM_WITHOUT_BIAS ? ['zero'] : [];
  return decodeBuilt({
    opset,
    nodes: [
      ...(isHalf ? [node('Cast', ['x'], ['half'], attribute.int('to', DATA_TYPE.float16))] : []),
      node(opType, [isHalf ? 'half' : 'x', 'w', ...bias], [isHalf ? 'z' : 'y'], ...attributes),
      ...(isHalf ? [node('Cast', ['z'], ['y'], attribute.int('to', DATA_TYPE.float32))] : []),
    ],
    inputs: [value('x', input.length > 1 ? ['batch', ...input.slice(1)] : input)],
    outputs: [newOutput('y')],
    initializers: [weight('w', dims, 1, dataType), floatTensor('zero', [1], Float32Array.of(0))],
  });
}

const FIRST_GEMM_WITHOUT_BIAS = 11;

/** The layer's outputs with the identity as each group's matrix are its unfolded input. */
export async function unfoldByLayer(model: Model, feeds: NamedTensors): Promise<Tensor> {
  const [layer] = listLayers(model);
  const layout = layerLayout(layer!, '');
  if (layout.outputCount !== layout.inputCount) throw new Error('the layer has no identity');
  const offsets = inputOffsets(layout);
  const values = new Float32Array(layer!.weightCount);
  for (let group = 0; group < layout.groupCount; group++) {
    for (let row = 0; row < layout.outputCount; row++) values[outputOffset(layout, group, row) + offsets[row]!] = 1;
  }
  const identity = floatTensor('w', layer!.dims, values, layer!.dataType);
  const initializer = model.graph.initializer.map((tensor) => (tensor.name === 'w' ? identity : tensor));
  const results = await runModel(encodeModelProto(withGraph(model, { ...model.graph, initializer }).proto), feeds);
  return results.y!;
}

export type Moments = { readonly mean: Float64Array; readonly gram: Float64Array; readonly positionCount: number };

/** @param columns the unfolded inputs of each group, shape [groupCount][positionCount][inputCount] */
export function momentsByLoops(columns: readonly (readonly (readonly number[])[])[]): Moments {
  const inputCount = columns[0]![0]!.length;
  const positionCount = columns[0]!.length;
  const mean = new Float64Array(columns.length * inputCount);
  const gram = new Float64Array(columns.length * inputCount ** 2);
  for (const [group, positions] of columns.entries()) {
    for (const column of positions) {
      for (const [row, value] of column.entries()) {
        mean[group * inputCount + row]! += value / positionCount;
        for (const [other, factor] of column.entries()) {
          gram[(group * inputCount + row) * inputCount + other]! += (value * factor) / positionCount;
        }
      }
    }
  }
  return { mean, gram, positionCount };
}

/** The columns in the output of a convolution, [samples, groupCount · inputCount, …positions]. */
export function columnsOfChannels(output: Tensor, { groupCount, inputCount }: WeightLayout): number[][][] {
  const [sampleCount, channelCount, ...rest] = output.dims;
  const area = elementCount(rest);
  const at = (sample: number, channel: number, position: number) =>
    Number(output.data[(sample * channelCount! + channel) * area + position]);
  return Array.from({ length: groupCount }, (_, group) =>
    Array.from({ length: sampleCount! * area }, (__, index) =>
      Array.from({ length: inputCount }, (___, input) =>
        at(Math.floor(index / area), group * inputCount + input, index % area),
      ),
    ),
  );
}

/** The columns in the output of a product, […, inputCount], where every `rowsPerMatrix` rows belong to the next matrix. */
export function columnsOfRows(
  output: Tensor,
  { groupCount, inputCount }: WeightLayout,
  rowsPerMatrix: number,
): number[][][] {
  const columns = Array.from({ length: groupCount }, (): number[][] => []);
  for (let row = 0; row < output.data.length / inputCount; row++) {
    const column = Array.from(output.data.slice(row * inputCount, (row + 1) * inputCount), Number);
    columns[Math.floor(row / rowsPerMatrix) % groupCount]!.push(column);
  }
  return columns;
}

/** Seeded numbers that half precision holds exactly. */
export function batchOf(dims: readonly number[], seed: number, sampleCount = dims[0]!): Batch {
  const input = floatInput(dims, seed);
  const data = (input.data as Float32Array).map((value) => Math.round(value * 256) / 256);
  return { feeds: { x: { ...input, data } }, sampleCount };
}

export async function calibrateAll(
  model: Model,
  batches: readonly Batch[],
  options: Partial<CalibrateInput> = {},
): Promise<LayerStatistics[]> {
  const input = {
    model,
    layers: listLayers(model),
    batches,
    openSession: openOnnxruntimeSession,
    memoryLimitBytes: 1e9,
    reportProgress: () => undefined,
    ...options,
  };
  const found: LayerStatistics[] = [];
  for await (const layer of calibrate(input)) found.push(layer);
  return found;
}

/** The largest difference of two lists of numbers, relative to the largest number. */
export function difference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length !== expected.length) throw new Error(`${found.length} numbers, not ${expected.length}`);
  let [largest, most] = [0, Number.MIN_VALUE];
  for (let index = 0; index < found.length; index++) {
    largest = Math.max(largest, Math.abs(found[index]! - expected[index]!));
    most = Math.max(most, Math.abs(expected[index]!));
  }
  return largest / most;
}

export function distance(found: InputStatistics, expected: Moments): number {
  if (found.positionCount !== expected.positionCount) {
    throw new Error(`${found.positionCount} positions, not ${expected.positionCount}`);
  }
  return Math.max(difference(found.mean, expected.mean), difference(found.gram, expected.gram));
}
