/** The quantizers behind one interface. */
import type { Feedback } from './feedback.ts';
import { gpfqFeedback, gptqFeedback } from './feedback-rows.ts';
import type { FloatWeight } from './float-weight.ts';
import { type Granularity, granularityOf } from './granularity.ts';
import type { InputStatistics } from './input-statistics.ts';
import { type MultiplyMatrices, withSmallProducts } from './matrix-product.ts';
import { gramOf } from './output-errors.ts';
import type { QuantizedTensor } from './quantized-tensor.ts';
import { refineLevels } from './refine-levels.ts';
import { quantizeToNearest } from './round-to-nearest.ts';
import { searchLevels } from './search-levels.ts';

/**
 * How weights are rounded. `rtn`: to the nearest level. `gptq` and `gpfq`: with the error feedback of either, at scales chosen by
 * the error of the output, and refined by coordinate descent; the output's error on the calibration samples is never above
 * that of `rtn`.
 */
export type QuantizeMethod = 'rtn' | 'gptq' | 'gpfq';

export type QuantizeSettings = {
  readonly method: QuantizeMethod;
  readonly granularity: Granularity;
};

/**
 * Quantize one weight to several widths; what does not depend on the width is worked out once.
 *
 * @param statistics of the layer's input; `rtn` does without
 * @returns one tensor per width, in their order
 */
export async function quantizeLayer(
  weight: FloatWeight,
  statistics: InputStatistics | undefined,
  bitWidths: readonly number[],
  settings: QuantizeSettings,
  multiply: MultiplyMatrices,
): Promise<QuantizedTensor[]> {
  const { method } = settings;
  const granularity = granularityOf(weight, settings.granularity);
  if (method === 'rtn') return bitWidths.map((bitWidth) => quantizeToNearest(weight, bitWidth, granularity));
  if (statistics === undefined) throw new Error(`method ${method} needs the statistics of the layer's input`);
  const product = withSmallProducts(multiply);
  const feedback = await layerFeedback(method, statistics, product);
  const tensors: QuantizedTensor[] = [];
  for (const bitWidth of bitWidths) {
    const found = await searchLevels({ weight, statistics, granularity, feedback }, bitWidth, product);
    tensors.push(await refineLevels(weight, found, statistics, product));
  }
  return tensors;
}

async function layerFeedback(
  method: Exclude<QuantizeMethod, 'rtn'>,
  { layout, gram, layerName }: InputStatistics,
  multiply: MultiplyMatrices,
): Promise<Feedback[]> {
  const size = layout.inputCount;
  const feedback: Feedback[] = [];
  for (let group = 0; group < layout.groupCount; group++) {
    const { values } = gramOf(gram, size, group);
    feedback.push(
      method === 'gptq' ? await gptqFeedback(values, size, layerName, multiply) : gpfqFeedback(values, size),
    );
  }
  return feedback;
}
