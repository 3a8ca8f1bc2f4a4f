import type { Speed } from '../evaluate/measure-speed.ts';
import type { Measurements } from '../evaluate/measurements.ts';
import type { Verdict } from '../gate/verdict.ts';

/**
 * Everything one run has to say; `result.json` is this object (schemas/result.v1.schema.json) and every other form is drawn
 * from it. A number that is NaN or infinite is null there.
 */
export type GateReport = Verdict & {
  readonly schemaVersion: 1;
  readonly model: FileIdentity;
  readonly artifact: FileIdentity & {
    readonly format: 'packed' | 'qdq';
    /** Mean bits per quantizable weight. */
    readonly effectiveBits: number;
  };
  /** Absent where the allocation is given and nothing limits its size. */
  readonly budget?: BudgetReport;
  /** What the artifact uses up of each further limit of the config, where it has some. */
  readonly constraints?: readonly UsedLimit[];
  /** How the size was found, where the budget is auto. */
  readonly sizeSearch?: SizeSearchReport;
  readonly float: MetricValue;
  readonly quantized: MetricValue;
  readonly drop: number;
  /** Samples for which the artifact gave NaN or infinity. */
  readonly nonFiniteCount?: number;
  readonly klToFloat?: number;
  readonly agreement?: number;
  /** Seconds of one run, the fastest of several, of both models on one batch. */
  readonly speed?: Speed;
  /** How weights were rounded and corrected. */
  readonly quantizer?: QuantizerReport;
  readonly allocation: readonly LayerReport[];
  readonly sensitivity: SensitivityReport;
  /** Of the program that chose the allocation; nothing is chosen where it is given. */
  readonly solver: {
    readonly status: 'optimal' | 'feasible';
    readonly objective: number;
    readonly bestBound: number;
    readonly relativeGap: number;
    readonly seconds: number;
  };
  /** What was predicted of allocations and what was measured, where several were tried. */
  readonly selection?: SelectionReport;
  /** Seconds per stage, in the order in which they ran. */
  readonly timings: Readonly<Record<string, number>>;
  readonly environment: {
    readonly bitgate: string;
    readonly onnxruntime: string;
    readonly executionProvider: string;
    readonly node: string;
    readonly platform: string;
  };
  /** Things a person should know that fail nothing. */
  readonly warnings: readonly string[];
  /** One shell line that repeats the run. */
  readonly reproduce: string;
};

export type FileIdentity = { readonly path: string; readonly sizeBytes: number; readonly sha256: string };

/** `source` is the budget as the user wrote it. */
export type BudgetReport =
  | { readonly limitBytes: number; readonly source: string }
  | { readonly limitBitsPerWeight: number; readonly source: string };

export type UsedLimit = {
  readonly name: string;
  readonly unit?: string;
  readonly used: number;
  readonly limit: number;
};

export type SizeSearchReport = {
  /** How many models were measured on the evaluation samples. */
  readonly evaluations: number;
  /** Level of the intervals of each of them, so that all together have the one that the config asks for. */
  readonly confidence?: number;
  /** In the order in which they were measured. */
  readonly steps: readonly {
    readonly limitBytes: number;
    readonly sizeBytes: number;
    readonly effectiveBits: number;
    /** Of the metric. */
    readonly value: number;
    readonly drop: number;
    readonly verdict: Verdict['verdict'];
    readonly passed: boolean;
    readonly chosen: boolean;
  }[];
};

export type MetricValue = {
  readonly metric: Measurements['metric'];
  readonly value: number;
  /** Absent where a command does not say. */
  readonly samples?: number;
};

export type QuantizerReport = {
  readonly method: string;
  readonly correct: string;
  /** `channel`, `tensor`, or `block of 32`. */
  readonly granularity: string;
};

export type LayerReport = {
  readonly layer: string;
  readonly opType: string;
  readonly weightCount: number;
  /** A width, or 32 / 16 for a layer left in float. */
  readonly bits: number;
  /** Serialized bytes of the layer's weight in the artifact: values, scales and nodes. */
  readonly bytes: number;
};

export type SensitivityReport = {
  readonly method: string;
  /** The file that they are from, where nothing was measured. */
  readonly source?: FileIdentity;
  readonly loss: string;
  readonly samples: number;
  readonly singles: number;
  readonly pairs: number;
  /** Of the whole measurement, also of what was known, in forwards of the float model over the samples. */
  readonly forwardEquivalents: number;
  /** What this run took. */
  readonly seconds: number;
  /** `denied`: there is a cache, which this run may not read. */
  readonly cache: 'off' | 'miss' | 'partial' | 'hit' | 'denied';
  /** Of the measurement set on this machine, or of the entry in the Actions cache. */
  readonly cacheKey?: string;
  /** Since the newest of what was known was measured. */
  readonly cacheAgeSeconds?: number;
};

export type SelectionReport = {
  readonly candidates: readonly {
    readonly name: string;
    /** Loss that the program predicts. */
    readonly predicted: number;
    /** Loss on the calibration samples, corrections included. */
    readonly measured: number;
    readonly chosen: boolean;
  }[];
  /** Spearman's, between predicted and measured losses; absent for fewer than three candidates. */
  readonly rankCorrelation?: number;
};
