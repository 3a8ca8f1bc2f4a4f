/** One budget answered: an allocation chosen, built, measured, and held against the gate. */
import { NoAllocationError } from '../allocate/allocate.ts';
import type { AllocationProblem, Budget, ChosenVariables } from '../allocate/allocation-problem.ts';
import { effectiveBits, totalWeights } from '../allocate/smallest-allocation.ts';
import type { Config } from '../config/config.ts';
import type { MetricResult } from '../evaluate/metric-line.ts';
import { type DecidedBudget, decide } from '../gate/decide.ts';
import type { Verdict } from '../gate/verdict.ts';
import type { Effects } from '../pipeline.ts';
import { type BuilderInput, walkCorrection } from './allocation-builder.ts';
import { type ChosenAllocation, chooseAllocation } from './choose-allocation.ts';
import type { CostForecast } from './choose-method.ts';
import { type EarlierChoice, openEarlierChoice } from './earlier-choice.ts';
import { type Evaluation, evaluateArtifact } from './evaluate-artifact.ts';
import type { Measured } from './measure-with-cache.ts';
import type { CommandEffects } from './metric-command.ts';
import type { PreparedRun } from './prepare-run.ts';
import type { PreparedSweep } from './prepare-sweep.ts';
import { searchSecondsOf } from './search-time.ts';
import type { StageClock } from './stage-clock.ts';

/** What every budget is answered from. */
export type AnswerInput = {
  readonly config: Config;
  readonly run: PreparedRun;
  readonly sweep: PreparedSweep;
  readonly measured: Measured;
  /** What the command says of the float model, where the metric is one. */
  readonly floatResult: MetricResult | undefined;
  readonly effects: Pick<Effects, 'openSession' | 'openCache' | 'solve' | 'reportProgress'> & CommandEffects;
  readonly clock: StageClock;
};

export type BudgetRequest = {
  readonly budget: Budget;
  /** How many answers share the time for the choice by measurement. */
  readonly answerCount: number;
  /** Answers to other budgets: what was evaluated once is not evaluated again. */
  readonly earlier?: readonly EvaluatedAllocation[];
  /** Takes the artifact before it is evaluated, and puts it where the config wants it. */
  keep?(artifact: Uint8Array): Promise<void>;
};

export type EvaluatedAllocation = Evaluation & { readonly variables: ChosenVariables };

export type BudgetAnswer = Evaluation & {
  readonly problem: AllocationProblem;
  readonly chosen: ChosenAllocation;
  readonly artifact: Uint8Array;
  readonly verdict: Verdict;
};

/** The proof that an allocation is the best usually takes well under a second. */
export const SOLVE_LIMITS = { timeLimitSeconds: 30, relativeGap: 1e-4 };

/** The budget has to be feasible (assertFeasible). */
export async function answerBudget(input: AnswerInput, request: BudgetRequest): Promise<BudgetAnswer> {
  const { config, sweep, clock } = input;
  const problem = { ...sweep.problem, budget: request.budget };
  const chosen = await clock.time('choose the allocation', () => choose(input, problem, request.answerCount));
  const artifact = sweep.writer.build(chosen.best.biases, chosen.best.contents);
  await clock.time('write the artifact', () => request.keep?.(artifact));
  const twin = request.earlier?.find(({ variables }) => String(variables) === String(chosen.best.variables));
  const { measurements, speed } =
    twin ??
    (await clock.time('evaluate', () =>
      evaluateArtifact(input, { content: artifact, isWritten: request.keep !== undefined }),
    ));
  const verdict = decide(measurements, {
    gate: config.gate,
    ...(config.budget.kind === 'none' ? {} : { budget: describeUse(problem, chosen.best.variables) }),
    artifactSizeBytes: artifact.length,
    seed: config.seed,
  });
  return { problem, chosen, artifact, measurements, speed, verdict };
}

/** The budget, with what the allocation takes of it where that is not the file's size. */
function describeUse(problem: AllocationProblem, variables: ChosenVariables): DecidedBudget {
  const { kind, limit } = problem.budget;
  if (kind === 'file-bytes') return { kind, limit };
  return { kind, limit, effectiveBits: effectiveBits(problem, variables), weightCount: totalWeights(problem) };
}

/** Undefined where the budget and the other limits leave no allocation. */
export async function answerIfAny(input: AnswerInput, request: BudgetRequest): Promise<BudgetAnswer | undefined> {
  try {
    return await answerBudget(input, request);
  } catch (error) {
    // Without other limits, a budget that is feasible has an allocation, and none would be our fault.
    if (error instanceof NoAllocationError && input.sweep.problem.constraints.length > 0) return undefined;
    throw error;
  }
}

async function choose(input: AnswerInput, problem: AllocationProblem, answerCount: number): Promise<ChosenAllocation> {
  const { config, measured, effects } = input;
  const { sensitivities, forecasts } = measured;
  const limitSeconds = searchSecondsOf(config.search, measured) / answerCount;
  const earlier = await earlierChoice(input, problem, answerCount);
  const begun = performance.now();
  const chosen = await chooseAllocation(
    builderOf(input, problem),
    sensitivities,
    config.sensitivity,
    { limitSeconds, secondsForMoves: secondsOf('diagonal', forecasts), earlier: earlier?.variables },
    effects.reportProgress,
  );
  const seconds = (performance.now() - begun) / 1000;
  await earlier?.keep(chosen.best, { forwardEquivalents: chosen.forwardEquivalents, seconds });
  return chosen;
}

/** Where the config names a time for the choice, that time is spent. */
async function earlierChoice(
  { config, measured, effects }: AnswerInput,
  problem: AllocationProblem,
  answerCount: number,
): Promise<EarlierChoice | undefined> {
  const { kept, sensitivities } = measured;
  if (kept === undefined || config.search.timeLimitSeconds !== 'auto') return undefined;
  const { method } = sensitivities;
  const question = { measurementKey: kept.key, method, terms: config.sensitivity, answerCount, problem };
  return openEarlierChoice(question, kept.hadAll, (set) => effects.openCache(config.cache, set));
}

/** What allocations are built from. */
export function builderOf({ config, run, sweep, effects }: AnswerInput, problem: AllocationProblem): BuilderInput {
  const { candidates, costs, fitting, choice } = sweep;
  const { memoryLimitBytes, quantize } = config;
  const building = { layers: run.layers, candidates, costs, memoryLimitBytes, problem, fitting, choice };
  return { ...building, correction: walkCorrection(quantize), solve: effects.solve, solveLimits: SOLVE_LIMITS };
}

/** A round of moves runs what `diagonal` runs, over another base. */
function secondsOf(method: CostForecast['method'], forecasts: readonly CostForecast[]): number {
  return forecasts.find((forecast) => forecast.method === method)!.seconds;
}

/** What other answers need of this one; the rest is as large as the model. */
export function evaluatedOf({ chosen, measurements, speed }: BudgetAnswer): EvaluatedAllocation {
  return { variables: chosen.best.variables, measurements, speed };
}
