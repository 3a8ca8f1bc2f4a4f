/**
 * What the quantizers take for ResNet-50's largest layer: 512 outputs of 4,608 inputs, three widths, one factorisation for all.
 * Inputs are made, each the positive part of noise and its neighbour, so that they correlate as the inputs of a network do.
 */
import { createMatrixProduct } from '../src/calibrate/matrix-product.ts';
import type { InputStatistics } from '../src/quantize/input-statistics.ts';
import type { MultiplyMatrices } from '../src/quantize/matrix-product.ts';
import { outputErrors } from '../src/quantize/output-errors.ts';
import { quantizeLayer } from '../src/quantize/quantize-layer.ts';
import { seededRandom } from '../src/random.ts';
import { openOnnxruntimeSession } from '../src/runtime/onnxruntime.ts';
import { printCase } from './print-case.ts';

const OUTPUT_COUNT = 512;
const INPUT_COUNT = 4608;
/** More than inputs, so that the Gram matrix has full rank. */
const POSITION_COUNT = 6000;
const BIT_WIDTHS = [2, 3, 4];

const random = seededRandom(1);

/** `npm run bench -- quantizer`. */
export async function benchQuantizer(): Promise<void> {
  const { multiply, release } = createMatrixProduct(openOnnxruntimeSession);
  const statistics = await makeStatistics(multiply);
  const values = Float32Array.from({ length: OUTPUT_COUNT * INPUT_COUNT }, () => random() + random() - 1);
  const weight = { values, dims: [OUTPUT_COUNT, INPUT_COUNT], channelAxis: 0 };
  const errorsOfNearest = new Map<number, number>();
  for (const method of ['rtn', 'gptq', 'gpfq'] as const) {
    const begun = performance.now();
    const settings = { method, granularity: 'channel' } as const;
    const tensors = await quantizeLayer(weight, statistics, BIT_WIDTHS, settings, multiply);
    const seconds = (performance.now() - begun) / 1000;
    const errors: Record<number, number> = {};
    for (const [index, tensor] of tensors.entries()) {
      const bitWidth = BIT_WIDTHS[index]!;
      const error = (await outputErrors(weight, tensor, statistics, multiply)).reduce((sum, own) => sum + own, 0);
      if (method === 'rtn') errorsOfNearest.set(bitWidth, error);
      errors[bitWidth] = error / errorsOfNearest.get(bitWidth)!;
    }
    const peakMegabytes = process.resourceUsage().maxRSS / 1024;
    printCase({ bench: 'quantizer', method, bitWidths: BIT_WIDTHS, seconds, errorOverNearest: errors, peakMegabytes });
  }
  await release();
}

async function makeStatistics(multiply: MultiplyMatrices): Promise<InputStatistics> {
  const inputs = new Float64Array(POSITION_COUNT * INPUT_COUNT);
  const columns = new Float64Array(INPUT_COUNT * POSITION_COUNT);
  for (let position = 0; position < POSITION_COUNT; position++) {
    let neighbour = 0;
    for (let input = 0; input < INPUT_COUNT; input++) {
      neighbour = Math.max(0, random() - 0.4 + 0.7 * neighbour);
      inputs[position * INPUT_COUNT + input] = neighbour;
      columns[input * POSITION_COUNT + position] = neighbour / POSITION_COUNT;
    }
  }
  const gram = await multiply(
    { values: columns, rowCount: INPUT_COUNT, columnCount: POSITION_COUNT },
    { values: inputs, rowCount: POSITION_COUNT, columnCount: INPUT_COUNT },
  );
  const mean = new Float64Array(INPUT_COUNT);
  for (const [index, value] of inputs.entries()) mean[index % INPUT_COUNT]! += value / POSITION_COUNT;
  const layout = { groupCount: 1, outputCount: OUTPUT_COUNT, inputCount: INPUT_COUNT };
  const strides = { groupStride: 0, outputStride: INPUT_COUNT, runLength: INPUT_COUNT, runStride: 0 };
  return { layerName: 'largest', layout: { ...layout, ...strides }, positionCount: POSITION_COUNT, mean, gram };
}
