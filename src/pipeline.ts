/** The whole story: from a config to a verdict. Start reading here. */
import type { Config } from './config/config.ts';
import type { Files } from './entry/files.ts';
import type { RunCommand } from './entry/run-command.ts';
import { answerAuto } from './pipeline/answer-auto.ts';
import { answerBudget } from './pipeline/answer-budget.ts';
import { buildReport, type Outcome } from './pipeline/build-report.ts';
import { findWarnings } from './pipeline/find-warnings.ts';
import type { MeasureEffects } from './pipeline/measure-with-cache.ts';
import { type Shares, sharedMethod } from './pipeline/measurement-shares.ts';
import { measureFloatByCommand } from './pipeline/metric-command.ts';
import { obtainSensitivities } from './pipeline/obtain-sensitivities.ts';
import { prepareRun } from './pipeline/prepare-run.ts';
import { prepareSweep } from './pipeline/prepare-sweep.ts';
import { createStageClock } from './pipeline/stage-clock.ts';

/** The world outside, injected. */
export type Effects = MeasureEffects & {
  readonly files: Files;
  /** Runs the user's own metric. */
  readonly runCommand: RunCommand;
  /** A clock in milliseconds. */
  now(): number;
};

/**
 * Quantize, measure and decide; the artifact is written whatever the verdict.
 *
 * @param shares sensitivities that other machines measured (shards.ts)
 */
export async function runGate(config: Config, effects: Effects, shares?: Shares): Promise<Outcome> {
  if (shares !== undefined) sharedMethod(config);
  const clock = createStageClock(effects.now);

  const run = await prepareRun(config, effects, clock);
  const sweep = await prepareSweep(run, config, effects, clock);
  // A command that fails is to fail before anything takes long.
  const floatResult = await clock.time('run the float model', () => measureFloatByCommand(config, effects));
  const measured = await clock.time('measure sensitivities', () =>
    obtainSensitivities(run, sweep, config, effects, shares),
  );

  const input = { config, run, sweep, measured, floatResult, effects, clock };
  const keep = (artifact: Uint8Array) => effects.files.writeFileAtomically(config.outputPath, artifact);
  const { budget } = sweep.problem;
  const answer =
    config.budget.kind === 'auto'
      ? await answerAuto(input, { keep, note: effects.note })
      : await answerBudget(input, { budget, answerCount: 1, keep });

  const { cache } = measured;
  const warnings = [...cache.notes, ...findWarnings(config, answer.chosen, answer.measurements)];
  const parts = { config, original: run.original, layers: run.layers, measured, ...answer, warnings };
  return buildReport({ ...parts, timings: clock.timings });
}
