/** The choice by measurement against each model of the damage alone: loss on the samples kept for the choice, and test accuracy. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { allocate } from '../src/allocate/allocate.ts';
import type { ChosenVariables } from '../src/allocate/allocation-problem.ts';
import type { Correction, QuantizeMethod } from '../src/config/config.ts';
import { buildAllocation } from '../src/pipeline/allocation-builder.ts';
import {
  type AnswerInput,
  answerBudget,
  builderOf,
  type EvaluatedAllocation,
  SOLVE_LIMITS,
} from '../src/pipeline/answer-budget.ts';
import { damageModels } from '../src/pipeline/choose-allocation.ts';
import { withBudget } from '../src/pipeline/describe-pareto.ts';
import { evaluateArtifact } from '../src/pipeline/evaluate-artifact.ts';
import { measureWithCache } from '../src/pipeline/measure-with-cache.ts';
import { prepareRun } from '../src/pipeline/prepare-run.ts';
import { prepareSweep } from '../src/pipeline/prepare-sweep.ts';
import { createStageClock } from '../src/pipeline/stage-clock.ts';
import { meanOf } from '../src/sensitivity/sweep.ts';
import { printCase } from './print-case.ts';
import { benchEffects, closeSolver, configOf } from './run-config.ts';
import { presentModels, type SharedModel } from './shared-models.ts';

const QUANTIZERS: readonly (readonly [QuantizeMethod, Correction])[] = [
  ['rtn', 'none'],
  ['gptq', 'affine'],
];

/** Bits per weight. */
const BUDGETS: readonly number[] = [2.1, 2.5, 3, 3.5, 4];

const SEARCH_SECONDS = 60;

/** Where sensitivities are kept, so that a benchmark that was interrupted goes on. */
const CACHE = join(tmpdir(), 'bitgate-bench-allocation');

/**
 * `npm run bench -- allocation [samples] [model …] [rtn|gptq]`; 512 calibration samples, ResNet-20 and ResNet-32, and both
 * quantizers without arguments.
 */
export async function benchAllocation(): Promise<void> {
  const words = process.argv.slice(3);
  const sampleCount = Number(words.find((word) => /^\d+$/.test(word)) ?? 512);
  const quantizers = QUANTIZERS.filter(([method]) => words.includes(method));
  const names = ['resnet20', 'resnet32'].filter((name) => words.includes(name));
  try {
    for (const shared of presentModels(...(names.length > 0 ? names : ['resnet20', 'resnet32']))) {
      for (const quantizer of quantizers.length > 0 ? quantizers : QUANTIZERS) {
        await benchQuantizer(shared, quantizer, sampleCount);
      }
    }
  } finally {
    await closeSolver();
  }
}

type Case = { readonly bitsPerWeight: number; readonly singles: readonly Rated[]; readonly choice: Rated };

type Rated = { readonly name: string; readonly loss: number; readonly top1: number };

async function benchQuantizer(
  shared: SharedModel,
  [method, correct]: readonly [QuantizeMethod, Correction],
  sampleCount: number,
): Promise<void> {
  const input = await measureInput(shared, method, correct, sampleCount);
  const cases: Case[] = [];
  for (const bitsPerWeight of BUDGETS) cases.push(await benchBudget(input, bitsPerWeight));
  printCase({ bench: 'allocation-summary', model: shared.name, method, correct, ...summarise(cases) });
}

/** Pairs, singles and moments: `auto` without a limit measures all of them. */
async function measureInput(
  shared: SharedModel,
  method: QuantizeMethod,
  correct: Correction,
  sampleCount: number,
): Promise<AnswerInput> {
  const config = configOf(shared, {
    quantize: { bitWidths: [2, 4, 8], method, correct },
    sensitivity: { method: 'auto' },
    budget: { kind: 'bits-per-weight', bitsPerWeight: BUDGETS[0]! },
    calibration: { path: shared.calibration, sampleCount },
    evaluation: { path: shared.evaluation },
    searchSeconds: SEARCH_SECONDS,
    cacheDirectory: CACHE,
  });
  const [effects, clock] = [benchEffects(), createStageClock(() => performance.now())];
  const run = await prepareRun(config, effects, clock);
  const sweep = await prepareSweep(run, config, effects, clock);
  const measured = await measureWithCache(run, sweep, config, effects);
  return { config, run, sweep, measured, floatResult: undefined, effects, clock };
}

async function benchBudget(input: AnswerInput, bitsPerWeight: number): Promise<Case> {
  const { config, run, measured } = input;
  const problem = withBudget(input.sweep.problem, { kind: 'bits-per-weight', bitsPerWeight }, run);
  const earlier: EvaluatedAllocation[] = [];
  const singles: Rated[] = [];
  const builder = builderOf(input, problem);
  for (const { name, quadratic } of damageModels(measured.sensitivities, builder.candidates, config.sensitivity)) {
    const { variables } = await allocate(problem, quadratic, builder.solve, SOLVE_LIMITS);
    singles.push({ name, ...(await rate(input, problem, variables, earlier)) });
  }
  const begun = performance.now();
  const { chosen, measurements } = await answerBudget(input, {
    budget: problem.budget,
    answerCount: 1,
    earlier,
  });
  const seconds = (performance.now() - begun) / 1000;
  const { name, measured: loss } = chosen.candidates.find((candidate) => candidate.chosen)!;
  const choice = { name, loss, top1: measurements.quantized };
  printCase({
    bench: 'allocation',
    model: modelName(config.modelPath),
    method: config.quantize.method,
    correct: config.quantize.correct,
    samples: measured.sensitivities.sampleCount,
    bitsPerWeight,
    singles,
    choice,
    rankCorrelation: chosen.rankCorrelation,
    isMisranked: chosen.isMisranked,
    measuredCount: chosen.candidates.length,
    rounds: chosen.rounds,
    stoppedByTime: chosen.stoppedByTime,
    sensitivityForwards: measured.sensitivities.forwardEquivalents,
    choiceForwards: chosen.forwardEquivalents,
    seconds,
  });
  return { bitsPerWeight, singles, choice };
}

/** An allocation that is built and measured as the choice does it, and its artifact evaluated. */
async function rate(
  input: AnswerInput,
  problem: AnswerInput['sweep']['problem'],
  variables: ChosenVariables,
  earlier: EvaluatedAllocation[],
): Promise<Pick<Rated, 'loss' | 'top1'>> {
  const { sweep } = input;
  const built = await buildAllocation(builderOf(input, problem), variables);
  const twin = earlier.find((other) => String(other.variables) === String(variables));
  const artifact = sweep.writer.build(built.biases, built.contents);
  const evaluated = twin ?? (await evaluateArtifact(input, { content: artifact, isWritten: false }));
  earlier.push({ variables, measurements: evaluated.measurements, speed: evaluated.speed });
  return { loss: meanOf(built.losses), top1: evaluated.measurements.quantized };
}

function modelName(path: string): string {
  return path.replace(/^.*[\\/]/, '').replace(/-cifar10\.onnx$/, '');
}

/** Means over the budgets, and whether the choice was ever worse on its own samples than a single proposal. */
function summarise(cases: readonly Case[]) {
  const names = cases[0]!.singles.map(({ name }) => name);
  const mean = (of: (found: Case) => number) => cases.reduce((sum, found) => sum + of(found), 0) / cases.length;
  const single = ({ singles }: Case, index: number) => singles[index]!;
  return {
    singles: names.map((name, index) => ({
      name,
      loss: mean((found) => single(found, index).loss),
      top1: mean((found) => single(found, index).top1),
    })),
    choice: { loss: mean(({ choice }) => choice.loss), top1: mean(({ choice }) => choice.top1) },
    isNeverWorse: cases.every(({ singles, choice }) => singles.every(({ loss }) => !(loss < choice.loss))),
  };
}
