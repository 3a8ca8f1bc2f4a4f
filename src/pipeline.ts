/** The whole story: from a config to a verdict. Start reading here. */
import { effectiveBits, totalWeights } from './allocate/smallest-allocation.ts';
import type { Config } from './config/config.ts';
import type { Files } from './entry/files.ts';
import { decide } from './gate/decide.ts';
import { walkCorrection } from './pipeline/allocation-builder.ts';
import { buildReport, type Outcome } from './pipeline/build-report.ts';
import { chooseAllocation } from './pipeline/choose-allocation.ts';
import type { CostForecast } from './pipeline/choose-method.ts';
import { evaluateArtifact } from './pipeline/evaluate-artifact.ts';
import { findWarnings } from './pipeline/find-warnings.ts';
import { type MeasureEffects, measureWithCache } from './pipeline/measure-with-cache.ts';
import type { Shares } from './pipeline/measurement-shares.ts';
import { prepareRun } from './pipeline/prepare-run.ts';
import { prepareSweep } from './pipeline/prepare-sweep.ts';
import { createStageClock } from './pipeline/stage-clock.ts';
import type { Solve } from './solver/solution.ts';

/** The world outside, injected. */
export type Effects = MeasureEffects & {
  readonly files: Files;
  readonly solve: Solve;
  /** A clock in milliseconds. */
  now(): number;
};

/** The proof that an allocation is the best usually takes well under a second. */
const SOLVE_LIMITS = { timeLimitSeconds: 30, relativeGap: 1e-4 };

/**
 * Quantize, measure and decide; the artifact is written whatever the verdict.
 *
 * @param shares sensitivities that other machines measured (shards.ts)
 */
export async function runGate(config: Config, effects: Effects, shares?: Shares): Promise<Outcome> {
  const { files, solve, reportProgress } = effects;
  const clock = createStageClock(effects.now);

  const run = await prepareRun(config, files, clock);
  const sweep = await prepareSweep(run, config, effects, clock);
  const { sensitivities, cache, forecasts } = await clock.time('measure sensitivities', () =>
    measureWithCache(run, sweep, config, effects, shares),
  );

  const { original, layers, data } = run;
  const { candidates, costs, problem, writer, fitting, choice } = sweep;
  const { memoryLimitBytes } = config;
  const builder = { layers, candidates, costs, memoryLimitBytes, problem, fitting, choice };
  const chosen = await clock.time('choose the allocation', () =>
    chooseAllocation(
      { ...builder, correction: walkCorrection(config.quantize), solve, solveLimits: SOLVE_LIMITS },
      sensitivities,
      config.sensitivity,
      { limitSeconds: config.search.timeLimitSeconds, secondsForMoves: secondsOf('diagonal', forecasts) },
      reportProgress,
    ),
  );
  const artifact = writer.build(chosen.best.biases, chosen.best.contents);
  await clock.time('write the artifact', () => files.writeFileAtomically(config.outputPath, artifact));

  const { measurements, speed } = await clock.time('evaluate', () =>
    evaluateArtifact(original, artifact, data.evaluation, config, effects),
  );
  const verdict = decide(measurements, {
    gate: config.gate,
    budget: problem.budget,
    artifactSizeBytes: artifact.length,
    effectiveBits: effectiveBits(problem, chosen.best.variables),
    weightCount: totalWeights(problem),
    seed: config.seed,
  });
  const warnings = [...cache.notes, ...findWarnings(config, chosen, measurements)];
  const parts = {
    config,
    original,
    layers,
    problem,
    chosen,
    sensitivities,
    cache,
    artifact,
    measurements,
    speed,
    verdict,
    warnings,
  };
  return buildReport({ ...parts, timings: clock.timings });
}

/** A round of moves runs what `diagonal` runs, over another base. */
function secondsOf(method: CostForecast['method'], forecasts: readonly CostForecast[]): number {
  return forecasts.find((forecast) => forecast.method === method)!.seconds;
}
