import type { Config } from '../config/config.ts';
import type { Files } from '../entry/files.ts';
import type { FileIdentity } from '../report/gate-report.ts';
import type { OfferedWidths } from '../sensitivity/candidates.ts';
import { externalSensitivities } from '../sensitivity/external-sensitivities.ts';
import type { Sensitivities } from '../sensitivity/sensitivities.ts';
import { parseSensitivityFile } from '../sensitivity/sensitivity-file.ts';
import { assertIsOfModel, readOutsideFile } from './outside-file.ts';
import type { LoadedModel } from './read-model.ts';

/** Sensitivities that no run has to measure, and the file that they are from, or the widths that make them needless. */
export type GivenSensitivities = { readonly sensitivities: Sensitivities; readonly source: FileIdentity };

/**
 * What `sensitivity.path` holds; undefined where the config has a method that measures.
 *
 * @throws UserError if the file cannot be used, or is of another model
 */
export async function readSensitivities(
  { sensitivity: { path }, quantize: { granularity } }: Config,
  { original, model, layers }: LoadedModel,
  widths: readonly OfferedWidths[],
  files: Pick<Files, 'readFile'>,
): Promise<GivenSensitivities | undefined> {
  if (path === undefined) return undefined;
  const { text, identity } = await readOutsideFile(path, files);
  const document = parseSensitivityFile(text, path);
  assertIsOfModel(document.modelSha256, original, path);
  const sensitivities = externalSensitivities({ document, path, model, layers, widths, granularity });
  return { sensitivities, source: identity };
}
