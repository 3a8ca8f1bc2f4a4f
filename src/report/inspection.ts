import type { Problem } from '../errors.ts';

/** What `bitgate inspect` tells of a config before anything is measured. */
export type Inspection = {
  readonly model: { readonly path: string; readonly sizeBytes: number; readonly opsetVersion: number };
  readonly calibrationSamples: number;
  /** Absent where a command reads its own. */
  readonly evaluationSamples?: number;
  readonly layers: readonly {
    readonly name: string;
    readonly opType: string;
    readonly dims: readonly number[];
    readonly weightCount: number;
    /** Serialized bytes of the layer in the artifact at each offered width; 32 and 16 stand for float. */
    readonly bytesByWidth: readonly { readonly bitWidth: number; readonly bytes: number }[];
  }[];
  /** Absent where the allocation is given and nothing limits its size. */
  readonly budget?: { readonly kind: 'file-bytes' | 'weight-bits'; readonly limit: number };
  /** The least that an allocation takes of the budget, in its unit; one that keeps the further limits, where there is one. */
  readonly smallest: number;
  readonly limits: readonly {
    readonly name: string;
    readonly unit?: string;
    readonly limit: number;
    /** The least that is possible, the budget and the other limits aside. */
    readonly smallest: number;
  }[];
  /** Why no allocation keeps all limits together. */
  readonly problems: readonly Problem[];
  /** Of the calibration samples, those that sensitivities are measured on; the others judge allocations. */
  readonly measuredSamples: number;
  readonly methods: readonly {
    readonly method: string;
    readonly perturbations: number;
    readonly unitCount: number;
    readonly forwardEquivalents: number;
    readonly seconds: number;
    /** Of the largest session. */
    readonly memoryBytes: number;
  }[];
  /** What the config asks for, and what a run would take on this machine if nothing is known already. */
  readonly choice: { readonly configured: string; readonly chosen: string; readonly timeLimitSeconds: number };
};
