/** What each layer may become: the widths of the config, or those of an allocation from elsewhere. */
import { parseAllocationFile } from '../allocate/allocation-file.ts';
import { givenWidths } from '../allocate/given-widths.ts';
import { offeredWidths, tiedLayers } from '../allocate/offered-widths.ts';
import type { Config } from '../config/config.ts';
import type { Files } from '../entry/files.ts';
import type { OfferedWidths } from '../sensitivity/candidates.ts';
import type { Sensitivities } from '../sensitivity/sensitivities.ts';
import { assertIsOfModel, readOutsideFile } from './outside-file.ts';
import type { LoadedModel } from './read-model.ts';
import { type GivenSensitivities, readSensitivities } from './read-sensitivities.ts';

export type LayerChoices = {
  /** Ascending, shape [layerCount]. */
  readonly widths: readonly OfferedWidths[];
  /** Layers that take one width, shape [tieCount][…]. */
  readonly ties: readonly (readonly number[])[];
  /** Absent where a run measures. */
  readonly given?: GivenSensitivities;
};

/** @throws UserError if a pin or a tie names no layer, or a file of sensitivities or widths is not for this model */
export async function readLayerChoices(
  config: Config,
  loaded: LoadedModel,
  files: Pick<Files, 'readFile'>,
): Promise<LayerChoices> {
  const { path, quantize } = config;
  const names = loaded.layers.map(({ name }) => name);
  const tie = (widths: readonly OfferedWidths[]) => tiedLayers(names, widths, quantize.ties, path);
  if (quantize.allocationPath === undefined) {
    const widths = offeredWidths(names, quantize, path);
    const given = await readSensitivities(config, loaded, widths, files);
    return { widths, ties: tie(widths), ...(given && { given }) };
  }
  const { text, identity } = await readOutsideFile(quantize.allocationPath, files);
  const allocation = parseAllocationFile(text, quantize.allocationPath);
  assertIsOfModel(allocation.modelSha256, loaded.original, allocation.path);
  const widths = givenWidths(names, allocation, quantize.pins, path);
  return { widths, ties: tie(widths), given: { sensitivities: noSensitivities(names.length), source: identity } };
}

/** Of layers that have one width each. */
function noSensitivities(layerCount: number): Sensitivities {
  return {
    method: 'none',
    loss: 'none',
    sampleCount: 0,
    candidateCounts: new Array<number>(layerCount).fill(1),
    singles: new Float64Array(layerCount),
    singleCount: 0,
    pairCount: 0,
    forwardEquivalents: 0,
    seconds: 0,
  };
}
