import type { Measurements } from '../evaluate/measurements.ts';
import type { Verdict } from '../gate/verdict.ts';

/** Everything one run has to say; `result.json` is this object (schemas/result.v1.schema.json) and every other form is drawn from it. */
export type GateReport = Verdict & {
  readonly schemaVersion: 1;
  readonly model: FileIdentity;
  readonly artifact: FileIdentity & {
    readonly format: 'packed';
    /** Mean bits per quantizable weight. */
    readonly effectiveBits: number;
  };
  readonly budget: { readonly limitBytes: number; readonly source: string };
  readonly float: MetricValue;
  readonly quantized: MetricValue;
  readonly drop: number;
  readonly klToFloat?: number;
  readonly agreement?: number;
  readonly allocation: readonly LayerReport[];
  readonly sensitivity: {
    readonly method: string;
    readonly loss: string;
    readonly samples: number;
    readonly singles: number;
    readonly pairs: number;
    /** In forwards of the float model over the calibration samples. */
    readonly forwardEquivalents: number;
    readonly seconds: number;
    readonly cache: 'off';
  };
  readonly solver: {
    readonly status: 'optimal' | 'feasible';
    readonly objective: number;
    readonly bestBound: number;
    readonly relativeGap: number;
    readonly seconds: number;
  };
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

export type MetricValue = { readonly metric: Measurements['metric']; readonly value: number; readonly samples: number };

export type LayerReport = {
  readonly layer: string;
  readonly opType: string;
  readonly weightCount: number;
  /** A width, or 32 / 16 for a layer left in float. */
  readonly bits: number;
  /** Serialized bytes of the layer's weight in the artifact: values, scales and nodes. */
  readonly bytes: number;
};
