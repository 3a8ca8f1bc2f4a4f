/** Sensitivities out of a file, held against the model that they are for. */
import type { QuantizeConfig } from '../config/config.ts';
import { UserError } from '../errors.ts';
import type { Layer } from '../onnx/list-layers.ts';
import type { Model } from '../onnx/model.ts';
import { readFloats } from '../onnx/tensor-values.ts';
import { dequantize } from '../quantize/quantized-tensor.ts';
import { quantizeToNearest } from '../quantize/round-to-nearest.ts';
import { describeUnknownLayer } from '../unknown-layer.ts';
import type { OfferedWidths } from './candidates.ts';
import { externalPairs } from './external-pairs.ts';
import type { Sensitivities } from './sensitivities.ts';
import type { SensitivityDocument } from './sensitivity-file.ts';

export type ExternalInput = {
  readonly document: SensitivityDocument;
  /** Of the file, for messages. */
  readonly path: string;
  /** Its layers are `layers`. */
  readonly model: Model;
  readonly layers: readonly Layer[];
  /** Shape [layerCount]. */
  readonly widths: readonly OfferedWidths[];
  readonly granularity: QuantizeConfig['granularity'];
};

/**
 * The terms of every variable, the layers' widths in their order. What the file says of widths that are not offered counts for
 * nothing, and neither does a layer that has no choice, unless it is in a pair.
 *
 * @throws UserError if the file names layers that the model does not have, or lacks terms of layers that have a choice
 */
export function externalSensitivities(input: ExternalInput): Sensitivities {
  const { document, layers, widths } = input;
  assertLayersKnown(input);
  const terms = layers.map((layer, layerIndex) => termsOf(input, layer, widths[layerIndex]!));
  assertTermsComplete(input, terms);
  const variables = layers.flatMap(({ name: layer }, layerIndex) =>
    widths[layerIndex]!.map((width) => ({ layer, width, single: terms[layerIndex]!.get(width) })),
  );
  return {
    method: 'external',
    loss: document.loss ?? 'not named',
    sampleCount: 0,
    candidateCounts: widths.map(({ length }) => length),
    singles: Float64Array.from(variables, ({ single }) => single ?? 0),
    ...externalPairs(document.pairs, input.path, variables),
    singleCount: variables.filter(({ width, single }) => width !== 'float' && single !== undefined).length,
    forwardEquivalents: 0,
    seconds: 0,
  };
}

/** Longer lists only hide what they are about. */
const MAX_NAMED = 8;

function assertLayersKnown({ document, path, layers }: ExternalInput): void {
  const { singles, importances, pairs = [] } = document;
  const known = layers.map(({ name }) => name);
  const names = [...Object.keys(singles ?? importances ?? {}), ...pairs.flatMap((pair) => pair.layers)];
  const unknown = [...new Set(names)].filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  const named = unknown.slice(0, MAX_NAMED);
  throw new UserError(named.map((name) => describeUnknownLayer('the sensitivities name', name, known, path)));
}

type Width = OfferedWidths[number];

/** The harm of one layer by its offered widths, as far as the file says it; float does none. */
function termsOf(input: ExternalInput, layer: Layer, offered: OfferedWidths): Map<Width, number> {
  const { singles, importances } = input.document;
  const importance = ownValue(importances, layer.name);
  const listed = ownValue(singles, layer.name);
  const terms = new Map<Width, number>();
  for (const width of offered) {
    const term =
      width === 'float'
        ? 0
        : importance === undefined
          ? ownValue(listed, String(width))
          : importance * squaredError(input, layer, width);
    if (term !== undefined) terms.set(width, term);
  }
  return terms;
}

/** A layer may be called `constructor`. */
function ownValue<Value>(record: Readonly<Record<string, Value>> | undefined, key: string): Value | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}

/** ‖W_b − W‖², the change that HAWQ multiplies with a layer's trace (HAWQ-V2, arXiv 1911.03852). */
function squaredError({ model, granularity }: ExternalInput, layer: Layer, bitWidth: number): number {
  const { weightName, dims, channelAxis } = layer;
  const tensor = model.graph.initializer.find(({ name }) => name === weightName)!;
  const values = readFloats(tensor, model.path);
  const rounded = dequantize(quantizeToNearest({ values, dims, channelAxis }, bitWidth, granularity));
  return values.reduce((sum, value, index) => sum + (rounded[index]! - value) ** 2, 0);
}

function assertTermsComplete({ path, layers, widths }: ExternalInput, terms: readonly Map<Width, number>[]): void {
  const gaps = layers.flatMap(({ name }, layer) => {
    const offered = widths[layer]!;
    const lacking = offered.filter((width) => !terms[layer]!.has(width));
    if (offered.length === 1 || lacking.length === 0) return [];
    return [lacking.length === offered.length ? `'${name}'` : `'${name}' at ${lacking.join(', ')} bits`];
  });
  if (gaps.length === 0) return;
  const rest = gaps.length > MAX_NAMED ? [`and ${gaps.length - MAX_NAMED} more`] : [];
  const what = `the sensitivities lack ${[...gaps.slice(0, MAX_NAMED), ...rest].join(', ')}`;
  const fix =
    'add them, offer only widths that the file has under quantize.bits, or pin those layers under quantize.pin';
  throw new UserError({ what, where: path, fix });
}
