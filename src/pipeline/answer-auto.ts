/** `budget: auto`: the smallest model that passes the gate, from one set of sensitivities (docs/adr/0006-questions.md). */
import { effectiveBits, smallestUse } from '../allocate/smallest-allocation.ts';
import type { GateConfig } from '../config/config.ts';
import type { SizeSearchReport } from '../report/gate-report.ts';
import { metricText } from '../report/metric-text.ts';
import { findSmallestPassing, MOST_STEPS } from '../select/find-smallest-passing.ts';
import {
  type AnswerInput,
  answerIfAny,
  type BudgetAnswer,
  type EvaluatedAllocation,
  evaluatedOf,
} from './answer-budget.ts';

export type AutoAnswer = BudgetAnswer & { readonly sizeSearch: SizeSearchReport };

export type AutoEffects = {
  /** Takes the artifact that is the answer. */
  keep(artifact: Uint8Array): Promise<void>;
  /** Takes one line per step for the log. */
  note(line: string): void;
};

export async function answerAuto(input: AnswerInput, { keep, note }: AutoEffects): Promise<AutoAnswer> {
  const { config, sweep } = input;
  const { problem } = sweep;
  const gate = confidentInAll(config.gate);
  const confident = { ...input, config: { ...config, gate } };
  const earlier: EvaluatedAllocation[] = [];
  // Of all answers, each as large as the model, only the one that may be the result.
  let candidate: BudgetAnswer | undefined;
  const measure = async (limit: number) => {
    const budget = { kind: 'file-bytes', limit } as const;
    const answer = await answerIfAny(confident, { budget, answerCount: MOST_STEPS, earlier });
    if (answer === undefined) return undefined;
    earlier.push(evaluatedOf(answer));
    if (candidate === undefined || answer.verdict.passed) candidate = answer;
    note(describeStep(earlier.length, limit, answer));
    return describeOutcome(answer);
  };
  const { best, steps } = await findSmallestPassing(
    { smallest: smallestUse(problem), largest: problem.budget.limit },
    measure,
  );
  await input.clock.time('write the artifact', () => keep(candidate!.artifact));
  const sizeSearch = {
    evaluations: new Set(earlier.map(({ variables }) => String(variables))).size,
    ...(gate.confidence === undefined ? {} : { confidence: gate.confidence }),
    steps: steps.map(({ limitBytes, outcome }) => ({ limitBytes, ...outcome, chosen: outcome === best })),
  };
  return { ...candidate!, sizeSearch };
}

/**
 * The level that each of so many looks at the same samples needs, so that all of them together keep the config's
 * (Bonferroni).
 */
function confidentInAll(gate: GateConfig): GateConfig {
  const { confidence } = gate;
  return confidence === undefined ? gate : { ...gate, confidence: 1 - (1 - confidence) / MOST_STEPS };
}

function describeOutcome({ problem, chosen, artifact, measurements, verdict }: BudgetAnswer) {
  return {
    sizeBytes: artifact.length,
    effectiveBits: effectiveBits(problem, chosen.best.variables),
    value: measurements.quantized,
    drop: measurements.drop,
    verdict: verdict.verdict,
    passed: verdict.passed,
  };
}

function describeStep(number: number, limit: number, { artifact, measurements, verdict }: BudgetAnswer): string {
  const { metric, quantized } = measurements;
  return `budget auto, step ${number}: ${limit} bytes allowed, ${artifact.length} taken, ${metric} ${metricText(metric, quantized)}: ${verdict.verdict}`;
}
