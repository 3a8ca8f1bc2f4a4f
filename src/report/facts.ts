/** What a report says beside its checks, as plain rows that every form shows in its own way. */
import type { Verdict } from '../gate/verdict.ts';
import type { BudgetReport, GateReport, SensitivityReport, UsedLimit } from './gate-report.ts';
import { metricText } from './metric-text.ts';
import { amountText, bytesText, countText, decimalText, durationText, percentText, realText } from './number-text.ts';

/** `text` may hold names, and is not escaped. */
export type Fact = { readonly label: string; readonly text: string };

export const OUTCOME_TITLE: Readonly<Record<GateReport['verdict'], string>> = {
  pass: 'PASS',
  warn: 'WARN',
  fail: 'FAIL',
  inconclusive: 'INCONCLUSIVE',
};

/** The verdict in one sentence: what decided it, or that all is well. */
export function verdictSentence({ verdict, passed, checks }: Verdict): string {
  const deciding = checks.filter(({ outcome }) => outcome === verdict);
  switch (verdict) {
    case 'pass':
      return `all ${countOf(checks.length, 'check')} passed`;
    case 'warn':
      return `every limit is kept, ${countOf(deciding.length, 'warning limit')} exceeded`;
    case 'fail':
      return `${countOf(deciding.length, 'check')} of ${checks.length} failed`;
    case 'inconclusive':
      return `too few samples to decide ${countOf(deciding.length, 'check')}; ${passed ? 'this only warns' : 'this counts as failed'}`;
  }
}

/** `1 layer`, `2,000 layers`. */
export function countOf(count: number, noun: string): string {
  return `${countText(count)} ${noun}${count === 1 ? '' : 's'}`;
}

export function listFacts(report: GateReport): readonly Fact[] {
  return [
    ...modelFacts(report),
    { label: 'evaluation', text: describeEvaluation(report) },
    ...speedFacts(report),
    ...quantizerFacts(report),
    { label: 'sensitivities', text: describeSensitivity(report.sensitivity) },
    ...(report.sensitivity.method === 'none' ? [] : [{ label: 'solver', text: describeSolver(report.solver) }]),
    { label: 'ran on', text: describeEnvironment(report.environment) },
  ];
}

function modelFacts({ model, artifact, budget, constraints = [] }: GateReport): readonly Fact[] {
  const share = percentText(artifact.sizeBytes / model.sizeBytes);
  const width = `${realText(artifact.effectiveBits)} bits per weight`;
  return [
    { label: 'float model', text: `${model.path}, ${bytesText(model.sizeBytes)}` },
    {
      label: 'artifact',
      text: `${artifact.path}, ${bytesText(artifact.sizeBytes)}, ${share} of the float file, ${width}, ${artifact.format}`,
    },
    ...(budget === undefined ? [] : [{ label: 'budget', text: describeBudget(budget) }]),
    ...constraints.map((constraint) => ({ label: 'further limit', text: describeUse(constraint) })),
  ];
}

function describeBudget(budget: BudgetReport): string {
  const limit =
    'limitBytes' in budget ? bytesText(budget.limitBytes) : `${realText(budget.limitBitsPerWeight, 5)} bits per weight`;
  return `${limit}, set as ${budget.source}`;
}

/** `latency, 11.2 of at most 12.5 ms`. */
export function describeUse({ name, unit, used, limit }: UsedLimit): string {
  return `${name}, ${amountText(used)} of at most ${amountText(limit, unit)}`;
}

export function describeEvaluation({
  float,
  quantized,
  klToFloat,
  agreement,
}: Pick<GateReport, 'float' | 'quantized' | 'klToFloat' | 'agreement'>): string {
  const { metric, samples } = quantized;
  const value = metricText(metric, quantized.value);
  const models =
    metric === 'kl' ? `kl ${value}` : `${metric} ${metricText(metric, float.value)} in float, ${value} quantized`;
  return [
    samples === undefined ? models : `${models}, on ${countText(samples)} samples`,
    ...(klToFloat === undefined || metric === 'kl' ? [] : [`divergence ${realText(klToFloat)} nats`]),
    ...(agreement === undefined ? [] : [`same class in ${percentText(agreement)}`]),
  ].join(', ');
}

export function speedFacts({ speed }: Pick<GateReport, 'speed'>): readonly Fact[] {
  if (speed === undefined) return [];
  const { floatSeconds, artifactSeconds, batchSize } = speed;
  const times = `${realText(1000 * floatSeconds)} ms in float, ${realText(1000 * artifactSeconds)} ms quantized`;
  const ratio = `${decimalText(artifactSeconds / floatSeconds, 2)} of the float time`;
  return [{ label: 'speed', text: `${times}, ${ratio}, ${countOf(batchSize, 'sample')} at once` }];
}

function quantizerFacts({ quantizer }: GateReport): readonly Fact[] {
  if (quantizer === undefined) return [];
  const { method, correct, granularity } = quantizer;
  return [{ label: 'quantizer', text: `${method}, one scale per ${granularity}, correction ${correct}` }];
}

function describeSensitivity(sensitivity: SensitivityReport): string {
  const { method, source, loss, samples, singles, pairs, forwardEquivalents, seconds } = sensitivity;
  const terms = `${countText(singles)} singles and ${countText(pairs)} pairs`;
  if (method === 'none') return `none, the allocation is given by ${source?.path}`;
  if (source !== undefined) return `${method}, ${loss}: ${terms} from ${source.path}, nothing was measured`;
  const cost = `${realText(forwardEquivalents)} forwards in ${durationText(seconds)}`;
  return `${method}, ${loss}: ${terms} on ${countText(samples)} samples, ${cost}; cache ${describeCache(sensitivity)}`;
}

function describeCache({ cache, cacheKey, cacheAgeSeconds }: SensitivityReport): string {
  const key = cacheKey === undefined ? '' : ` ${shortened(cacheKey)}`;
  const age = cacheAgeSeconds === undefined ? '' : `, ${durationText(cacheAgeSeconds)} old`;
  return `${cache}${key}${age}`;
}

/** A digest by its beginning, as `bitgate cache list` has it; `result.json` has it in full. */
function shortened(key: string): string {
  return key.replace(/\b([0-9a-f]{12})[0-9a-f]{52}\b/, '$1');
}

function describeSolver({ status, objective, bestBound, relativeGap, seconds }: GateReport['solver']): string {
  const proof =
    status === 'optimal'
      ? 'proven optimal'
      : `at most ${percentText(relativeGap)} from optimal (bound ${realText(bestBound)})`;
  return `predicted loss ${realText(objective)}, ${proof}, in ${durationText(seconds)}`;
}

export function describeEnvironment(environment: GateReport['environment']): string {
  const { bitgate, onnxruntime, executionProvider, node, platform } = environment;
  return `bitgate ${bitgate}, onnxruntime ${onnxruntime} on ${executionProvider}, node ${node}, ${platform}`;
}

/** Stages with their seconds and their share of the whole, in the order in which they ran. */
export function listTimings({ timings }: GateReport): readonly { stage: string; seconds: number; share: number }[] {
  const total = totalSeconds(timings);
  return Object.entries(timings).map(([stage, seconds]) => ({
    stage,
    seconds,
    share: total > 0 ? seconds / total : 0,
  }));
}

export function totalSeconds(timings: GateReport['timings']): number {
  return Object.values(timings).reduce((sum, seconds) => sum + seconds, 0);
}

/** A layer's width in words: float widths are no choice of bits. */
export function widthText(bits: number): string {
  return bits >= 16 ? 'float' : String(bits);
}
