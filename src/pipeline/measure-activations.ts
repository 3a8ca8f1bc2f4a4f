/** The ranges of the activations that an artifact with integer kernels quantizes. */
import { planActivations } from '../artifact/qdq-activation-plan.ts';
import type { QdqActivations } from '../artifact/qdq-kernels.ts';
import { measureActivationRanges, type RangesInput } from '../calibrate/activation-ranges.ts';
import type { ActivationsConfig } from '../config/config.ts';
import type { Layer } from '../onnx/list-layers.ts';
import type { RangeMethod } from '../quantize/activation-range.ts';
import type { OfferedWidths } from '../sensitivity/candidates.ts';

export type ActivationsInput = Omit<RangesInput, 'valueNames' | 'method'> & {
  readonly layers: readonly Layer[];
  /** Shape [layerCount]; a layer that is only offered float keeps float activations. */
  readonly widths: readonly OfferedWidths[];
};

/** All but one value in a hundred thousand on either side. */
const PERCENTILE = 99.999;

const RANGE_METHOD: Readonly<Record<ActivationsConfig['range'], RangeMethod>> = {
  'min-max': { kind: 'min-max' },
  percentile: { kind: 'percentile', percentile: PERCENTILE },
  mse: { kind: 'mse' },
};

/** Undefined where activations stay float. */
export async function measureActivations(
  config: ActivationsConfig | undefined,
  { layers, widths, ...input }: ActivationsInput,
): Promise<QdqActivations | undefined> {
  if (config === undefined) return undefined;
  const floatLayers = new Set([...layers.keys()].filter((layer) => widths[layer]!.every((width) => width === 'float')));
  const plan = planActivations(input.model, layers, floatLayers);
  const valueNames = [...new Set(plan.values.map(({ rangeOf }) => rangeOf))];
  const ranges = await measureActivationRanges({ ...input, valueNames, method: RANGE_METHOD[config.range] });
  return { plan, ranges };
}
