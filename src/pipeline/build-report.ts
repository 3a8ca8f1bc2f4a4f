/** The outcome of a run as one value, from what the stages left. */
import { createHash } from 'node:crypto';
import type { AllocationProblem, ChosenVariables } from '../allocate/allocation-problem.ts';
import { effectiveBits } from '../allocate/smallest-allocation.ts';
import type { CacheStatus } from '../cache/cache-status.ts';
import type { BudgetConfig, Config, Granularity } from '../config/config.ts';
import type { Speed } from '../evaluate/measure-speed.ts';
import type { Measurements } from '../evaluate/measurements.ts';
import type { Verdict } from '../gate/verdict.ts';
import type { Layer } from '../onnx/list-layers.ts';
import type { Model } from '../onnx/model.ts';
import type {
  BudgetReport,
  FileIdentity,
  GateReport,
  LayerReport,
  MetricValue,
  SelectionReport,
  SizeSearchReport,
} from '../report/gate-report.ts';
import type { ChosenAllocation } from './choose-allocation.ts';
import type { Measured } from './measure-with-cache.ts';

/** A report but for what only the entry knows. */
export type Outcome = Omit<GateReport, 'environment' | 'reproduce'>;

export type OutcomeParts = {
  readonly config: Config;
  readonly original: Model;
  readonly layers: readonly Layer[];
  readonly problem: AllocationProblem;
  readonly chosen: ChosenAllocation;
  readonly measured: Measured;
  readonly artifact: Uint8Array;
  readonly measurements: Measurements;
  readonly speed: Speed;
  readonly verdict: Verdict;
  readonly sizeSearch?: SizeSearchReport;
  readonly warnings: readonly string[];
  readonly timings: Readonly<Record<string, number>>;
};

export function buildReport(parts: OutcomeParts): Outcome {
  const { config, original, problem, chosen, artifact, measurements, verdict } = parts;
  return {
    schemaVersion: 1,
    ...verdict,
    model: { path: config.modelPath, sizeBytes: original.contentSizeBytes, sha256: original.fileSha256 },
    artifact: {
      ...identify(config.outputPath, artifact),
      format: config.quantize.format,
      effectiveBits: effectiveBits(problem, chosen.best.variables),
    },
    ...(config.budget.kind === 'none' ? {} : { budget: describeBudget(config.budget, problem) }),
    ...describeFurtherLimits(problem, chosen.best.variables),
    ...(parts.sizeSearch === undefined ? {} : { sizeSearch: parts.sizeSearch }),
    ...describeMeasurements(measurements),
    speed: parts.speed,
    quantizer: {
      method: config.quantize.method,
      correct: config.quantize.correct,
      granularity: describeGranularity(config.quantize.granularity),
    },
    allocation: describeLayers(parts.layers, problem, chosen.best.variables),
    sensitivity: describeSensitivity(parts.measured),
    solver: chosen.solver,
    ...(config.quantize.allocationPath === undefined ? { selection: describeSelection(chosen) } : {}),
    timings: parts.timings,
    warnings: parts.warnings,
  };
}

/** What the metric says of both models, and what else is known of their outputs. */
export function describeMeasurements(measurements: Measurements) {
  const { float, quantized, drop, nonFiniteCount, klToFloat, agreement } = measurements;
  return {
    float: describeMetric(measurements, float),
    quantized: describeMetric(measurements, quantized),
    drop,
    ...(nonFiniteCount === undefined ? {} : { nonFiniteCount }),
    ...(klToFloat === undefined ? {} : { klToFloat }),
    ...(agreement === undefined ? {} : { agreement }),
  };
}

export function describeMetric({ metric, sampleCount }: Measurements, value: number): MetricValue {
  return { metric, value, ...(sampleCount === undefined ? {} : { samples: sampleCount }) };
}

function describeSelection({ candidates, rankCorrelation }: ChosenAllocation): SelectionReport {
  return { candidates, ...(rankCorrelation === undefined ? {} : { rankCorrelation }) };
}

function identify(path: string, bytes: Uint8Array): FileIdentity {
  return { path, sizeBytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

export function describeLayers(
  layers: readonly Layer[],
  problem: AllocationProblem,
  variables: ChosenVariables,
): LayerReport[] {
  return layers.map(({ name, opType, weightCount }, layerIndex) => {
    const { bitWidth, partBytes } = problem.choices[variables[layerIndex]!]!;
    return { layer: name, opType, weightCount, bits: bitWidth, bytes: partBytes };
  });
}

export function describeSensitivity({
  sensitivities,
  source,
  cache,
}: Pick<Measured, 'sensitivities' | 'source' | 'cache'>): GateReport['sensitivity'] {
  const { method, loss, sampleCount, singleCount, pairCount, forwardEquivalents, seconds } = sensitivities;
  const counts = { samples: sampleCount, singles: singleCount, pairs: pairCount };
  const origin = source === undefined ? {} : { source };
  return { method, ...origin, loss, ...counts, forwardEquivalents, seconds, ...describeCache(cache) };
}

/** Where no unit is wanted, none was looked for. */
function describeCache({ status, wantedUnits, matchedKey, ageSeconds }: CacheStatus) {
  if (wantedUnits === 0) return { cache: 'off' } as const;
  return {
    cache: status,
    ...(matchedKey === undefined ? {} : { cacheKey: matchedKey }),
    ...(ageSeconds === undefined ? {} : { cacheAgeSeconds: ageSeconds }),
  };
}

export function describeBudget(budget: BudgetConfig, problem: AllocationProblem): BudgetReport {
  switch (budget.kind) {
    case 'bits-per-weight':
      return { limitBitsPerWeight: budget.bitsPerWeight, source: `${budget.bitsPerWeight} bits per weight` };
    case 'ratio':
      return { limitBytes: problem.budget.limit, source: `${100 * budget.ratio} % of the float file` };
    case 'bytes':
      return { limitBytes: problem.budget.limit, source: `${budget.sizeBytes} bytes` };
    case 'auto':
    case 'none':
      return { limitBytes: problem.budget.limit, source: budget.kind };
  }
}

/** What an allocation uses up of each, where there are some. */
export function describeFurtherLimits(
  { constraints }: AllocationProblem,
  variables: ChosenVariables,
): Pick<GateReport, 'constraints'> {
  if (constraints.length === 0) return {};
  const used = (costs: Float64Array) => variables.reduce((sum, variable) => sum + costs[variable]!, 0);
  return { constraints: constraints.map(({ costs, ...limit }) => ({ ...limit, used: used(costs) })) };
}

function describeGranularity(granularity: Granularity): string {
  return typeof granularity === 'string' ? granularity : `block of ${granularity.block}`;
}
