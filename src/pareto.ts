/** Accuracy against size: a model for each of several budgets, from one set of sensitivities. The story of `bitgate pareto`. */
import type { BudgetConfig, Config } from './config/config.ts';
import { answerIfAny, type EvaluatedAllocation, evaluatedOf } from './pipeline/answer-budget.ts';
import { assertHasChoice } from './pipeline/assert-choice.ts';
import { describeMetric, describeSensitivity } from './pipeline/build-report.ts';
import {
  assertSomeFeasible,
  betterOf,
  describeBudgetOf,
  describeLimits,
  describePoint,
  isFeasible,
  spreadBudgets,
  withBudget,
} from './pipeline/describe-pareto.ts';
import { measureFloatByCommand } from './pipeline/metric-command.ts';
import { obtainSensitivities } from './pipeline/obtain-sensitivities.ts';
import { prepareRun } from './pipeline/prepare-run.ts';
import { prepareSweep } from './pipeline/prepare-sweep.ts';
import { createStageClock } from './pipeline/stage-clock.ts';
import type { Effects } from './pipeline.ts';
import { markDominated } from './report/mark-dominated.ts';
import type { ParetoPoint, ParetoReport } from './report/pareto-report.ts';
import { describePointInLine } from './report/render-pareto.ts';

/**
 * Nothing of a run's artifact is touched. The time limit of the search is shared: each budget gets its part, so that all of
 * them together take as long as one run.
 *
 * @param budgets a spread over what the offered widths allow when absent
 * @throws UserError if none of them is feasible, before the model runs
 */
export async function drawPareto(
  config: Config,
  budgets: readonly BudgetConfig[] | undefined,
  effects: Effects,
): Promise<Omit<ParetoReport, 'environment'>> {
  assertHasChoice(config);
  const clock = createStageClock(effects.now);
  // No budget of the config stands in the way of those asked for.
  const anyBudget: Config = { ...config, budget: { kind: 'auto' } };
  const run = await prepareRun(anyBudget, effects, clock);
  if (budgets !== undefined) await assertSomeFeasible(budgets, run, config, effects.solve);
  const sweep = await prepareSweep(run, anyBudget, effects, clock);
  const floatResult = await clock.time('run the float model', () => measureFloatByCommand(config, effects));
  const measured = await clock.time('measure sensitivities', () => obtainSensitivities(run, sweep, config, effects));

  const input = { config, run, sweep, measured, floatResult, effects, clock };
  const wanted = budgets ?? (await spreadBudgets(sweep.problem, effects.solve));
  const earlier: EvaluatedAllocation[] = [];
  const points: ParetoPoint[] = [];
  for (const budget of wanted) {
    const problem = withBudget(sweep.problem, budget, run);
    const answer = isFeasible(problem)
      ? await answerIfAny(input, { budget: problem.budget, answerCount: wanted.length, earlier })
      : undefined;
    if (answer !== undefined) earlier.push(evaluatedOf(answer));
    points.push(await describePoint(budget, problem, answer, effects.solve));
    effects.note(
      `pareto, ${points.length} of ${wanted.length}: ${describePointInLine(points.at(-1)!, config.gate.metric)}`,
    );
  }

  const { measurements } = earlier[0]!;
  return {
    schemaVersion: 1,
    model: { path: config.modelPath, sizeBytes: run.original.contentSizeBytes, sha256: run.original.fileSha256 },
    float: describeMetric(measurements, measurements.float),
    better: betterOf(config),
    ...describeBudgetOf(config, sweep.problem, run),
    limits: describeLimits(config),
    points: markDominated(points, betterOf(config)),
    sensitivity: describeSensitivity(measured),
    timings: clock.timings,
    warnings: measured.cache.notes,
  };
}
