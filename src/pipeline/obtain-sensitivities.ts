/** The sensitivities of a run: given, or measured and left as a file that may be given to another run. */
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import type { Files } from '../entry/files.ts';
import { renderSensitivityFile } from '../sensitivity/sensitivity-file.ts';
import { forecastMethods, planMethods } from './choose-method.ts';
import { type Measured, type MeasureEffects, measureWithCache } from './measure-with-cache.ts';
import type { Shares } from './measurement-shares.ts';
import type { PreparedRun } from './prepare-run.ts';
import type { PreparedSweep } from './prepare-sweep.ts';

export type ObtainEffects = MeasureEffects & { readonly files: Pick<Files, 'writeFileAtomically'> };

/** What a run that measures leaves beside its report. */
const FILE_NAME = 'sensitivities.json';

/** Nothing was looked for in a cache, and nothing is kept. */
const NO_CACHE = { store: 'off', status: 'off', knownUnits: 0, wantedUnits: 0, notes: [] } as const;

/** @param shares what other machines measured */
export async function obtainSensitivities(
  run: PreparedRun,
  sweep: PreparedSweep,
  config: Config,
  effects: ObtainEffects,
  shares?: Shares,
): Promise<Measured> {
  if (run.given !== undefined) {
    const plans = planMethods({ ...sweep, model: run.model, memoryLimitBytes: config.memoryLimitBytes });
    return { ...run.given, cache: NO_CACHE, forecasts: forecastMethods(plans, sweep.times) };
  }
  const measured = await measureWithCache(run, sweep, config, effects, shares);
  const { sensitivities } = measured;
  const layerNames = run.layers.map(({ name }) => name);
  const parts = { sensitivities, candidates: sweep.candidates, layerNames, modelSha256: run.original.fileSha256 };
  await effects.files.writeFileAtomically(join(config.reportDirectory, FILE_NAME), renderSensitivityFile(parts));
  return measured;
}
