/** A new budget answered from sensitivities that are kept, or in a file: no model runs, no session is opened. The story of `bitgate solve`. */
import { explainNoAllocation } from './allocate/agreeing-limits.ts';
import { type Allocation, allocate, NoAllocationError } from './allocate/allocate.ts';
import type { AllocationProblem, ChosenVariables } from './allocate/allocation-problem.ts';
import { effectiveBits, findShortage } from './allocate/smallest-allocation.ts';
import type { BudgetConfig, Config } from './config/config.ts';
import { type Problem, UserError } from './errors.ts';
import { describeProblem, exactBudget } from './pipeline/allocation-problem.ts';
import { SOLVE_LIMITS } from './pipeline/answer-budget.ts';
import { createWriter } from './pipeline/artifact-writer.ts';
import { assertHasChoice } from './pipeline/assert-choice.ts';
import { describeBudget, describeFurtherLimits, describeLayers } from './pipeline/build-report.ts';
import { smallestBudget } from './pipeline/describe-pareto.ts';
import { openAllKept } from './pipeline/known-units.ts';
import { type PreparedRun, prepareRun } from './pipeline/prepare-run.ts';
import { createStageClock } from './pipeline/stage-clock.ts';
import type { Effects } from './pipeline.ts';
import type { SolvedBudget, SolvedReport } from './report/solved-report.ts';
import { keptSensitivities } from './sensitivity/kept-sensitivities.ts';
import { MEASURED_METHODS } from './sensitivity/method.ts';
import { quadraticTerms } from './sensitivity/pair-terms.ts';
import type { Sensitivities } from './sensitivity/sensitivities.ts';

export type SolveKeptEffects = Pick<
  Effects,
  'files' | 'openSession' | 'solve' | 'device' | 'openCache' | 'note' | 'now'
>;

export type KeptOutcome = {
  readonly report: SolvedReport;
  /** Why some budget has no allocation; empty where each has one. */
  readonly problems: readonly Problem[];
};

/**
 * The allocation that a run with this budget would propose first, for each budget; sizes are exact as far as the scales of
 * the quantized weights fit half precision, as they almost always do.
 *
 * @throws UserError if no method's losses are all kept
 */
export async function solveKept(
  config: Config,
  budgets: readonly BudgetConfig[],
  effects: SolveKeptEffects,
): Promise<KeptOutcome> {
  assertHasChoice(config);
  assertWidthsAreChosen(config);
  // No budget of the config stands in the way of those asked for.
  const anyBudget: Config = { ...config, budget: { kind: 'auto' } };
  const run = await prepareRun(anyBudget, effects, createStageClock(effects.now));
  const { sensitivities, source } = run.given ?? { sensitivities: await findKept(run, config, effects) };
  const { quadratic } = quadraticTerms(sensitivities, config.sensitivity);
  const writer = createWriter(config.quantize.format, run.model, run.layers, run.provenance);
  const sizes = describeProblem({ ...run.sizes, writer, candidates: run.standIns });

  const answers: SolvedBudget[] = [];
  const problems: Problem[] = [];
  for (const budget of budgets) {
    const problem = { ...sizes, budget: exactBudget(budget, run.sizes.floatFileBytes, sizes) };
    const asked = describeBudget(budget, problem);
    const found = await allocateOrSay(problem, quadratic, effects.solve);
    if (!('variables' in found)) {
      problems.push(...found);
      answers.push({ budget: asked, status: 'infeasible', ...(await smallestBudget(problem, effects.solve)) });
    } else answers.push({ budget: asked, ...describeAllocation(run, problem, found.variables), ...found.solver });
  }
  const { method, loss, sampleCount: samples } = sensitivities;
  const origin = { method, ...(source && { source }), loss, samples };
  return { report: { schemaVersion: 1, model: config.modelPath, ...origin, answers }, problems };
}

async function allocateOrSay(
  problem: AllocationProblem,
  quadratic: Float64Array,
  solve: Effects['solve'],
): Promise<Allocation | readonly Problem[]> {
  const shortage = findShortage(problem);
  if (shortage !== undefined) return [shortage];
  try {
    return await allocate(problem, quadratic, solve, SOLVE_LIMITS);
  } catch (error) {
    const reasons = error instanceof NoAllocationError ? await explainNoAllocation(problem, solve) : [];
    if (reasons.length > 0) return reasons;
    throw error;
  }
}

/** The ranges of activations, which take bytes too, are known only when the model has run; but then weights have one width. */
function assertWidthsAreChosen({ quantize, path }: Config): void {
  if (quantize.activations === undefined) return;
  const what = '`quantize.activations` leaves nothing to allocate: every weight has 8 bits';
  throw new UserError({ what, where: path, fix: 'use `bitgate run`, which also tells the size' });
}

/** Of the method that the config names, or of the richest that is kept whole. */
async function findKept(run: PreparedRun, config: Config, effects: SolveKeptEffects): Promise<Sensitivities> {
  const { cache } = await openAllKept(run, config, effects);
  for (const line of cache.status.notes) effects.note(line);
  const { method: named, loss } = config.sensitivity;
  const methods = MEASURED_METHODS.filter((method) => named === 'auto' || named === method);
  const records = [...cache.known.values()];
  const found = methods.map((method) => ({ method, ...keptSensitivities(records, run.standIns, method, loss) }));
  const whole = found.find(({ sensitivities }) => sensitivities !== undefined)?.sensitivities;
  if (whole !== undefined) return whole;
  throw new UserError(describeMissing(config, found));
}

type Found = { readonly method: string; readonly neededCount: number; readonly keptCount: number };

function describeMissing({ sensitivity, path, cache }: Config, found: readonly Found[]): Problem {
  const subject = 'for this model, data and settings';
  const run = 'run `bitgate run` once with the same config';
  if (found.length === 0) {
    const what = `${sensitivity.method} sensitivities are never kept`;
    return { what, where: path, fix: 'name another method, such as --method diagonal, that was measured before' };
  }
  if (cache.setting === 'off') {
    return { what: `no sensitivities are kept ${subject}: \`cache\` is off`, where: path, fix: 'set `cache: auto`' };
  }
  if (found.every(({ keptCount }) => keptCount === 0)) {
    const fix = `${run}, or see \`bitgate inspect\` for what measuring costs`;
    return { what: `no sensitivities are kept ${subject}`, where: path, fix };
  }
  const counts = found.map(
    ({ method, neededCount, keptCount }) => `${method} has ${keptCount} of ${neededCount} losses`,
  );
  const what = `the sensitivities that are kept ${subject} are not whole: ${counts.join(', ')}`;
  return { what, where: path, fix: `${run}: it measures the rest` };
}

function describeAllocation({ layers }: PreparedRun, problem: AllocationProblem, variables: ChosenVariables) {
  const partBytes = variables.reduce((sum, variable) => sum + problem.choices[variable]!.partBytes, 0);
  return {
    sizeBytes: problem.fileBytes(partBytes, variables),
    effectiveBits: effectiveBits(problem, variables),
    ...describeFurtherLimits(problem, variables),
    allocation: describeLayers(layers, problem, variables),
  };
}
