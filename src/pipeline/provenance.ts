import { createHash } from 'node:crypto';
import type { Provenance } from '../artifact/packed-artifact.ts';
import type { Config, EvaluateConfig } from '../config/config.ts';
import type { Selection } from '../dataset/open-data.ts';
import type { Model } from '../onnx/model.ts';
import type { FileIdentity } from '../report/gate-report.ts';
import { BITGATE_VERSION } from '../version.ts';
import type { ReadConstraint } from './further-limits.ts';

/**
 * What an artifact was made of, without a path or a date, so that the same input gives the same bytes on every machine.
 *
 * `config` covers the settings that decide over the weights: the limits of the gate only where they choose the size.
 *
 * @param outside what came in the place of measuring
 */
export async function describeProvenance(
  model: Model,
  calibration: Selection,
  config: Config,
  constraints: readonly ReadConstraint[],
  outside?: FileIdentity,
): Promise<Provenance> {
  const hashes = await calibration.set.contentHashes(calibration.indices);
  const { budget, search, seed } = config;
  const { preprocess } = config.data;
  const { allocationPath: _allocation, ...quantize } = config.quantize;
  const { path: _sensitivities, ...sensitivity } = config.sensitivity;
  const settings = { budget, quantize, sensitivity, search, seed, preprocess, outside: outside?.sha256 };
  return {
    version: BITGATE_VERSION,
    model: model.contentSha256,
    data: sha256(hashes.join()),
    config: sha256(JSON.stringify({ ...settings, ...limitsThatDecide(config, constraints) })),
  };
}

function limitsThatDecide(
  { budget, gate: { warn: _warn, locations: _places, ...limits }, evaluate }: Config,
  constraints: readonly ReadConstraint[],
) {
  return {
    ...(budget.kind === 'auto' ? { limits, ...(evaluate && { evaluate: contentOfCommand(evaluate) }) } : {}),
    ...(constraints.length === 0 ? {} : { constraints: constraints.map(contentOf) }),
  };
}

function contentOfCommand({ command, better }: EvaluateConfig) {
  return { command, better };
}

/** Without places, of which a table is one. */
function contentOf({ location: _location, ...constraint }: ReadConstraint) {
  if (constraint.kind === 'bops') return constraint;
  const { table, ...limit } = constraint;
  return { ...limit, unit: limit.unit ?? table.unit, costs: [...table.costs].map(([layer, row]) => [layer, [...row]]) };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
