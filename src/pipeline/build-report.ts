/** The outcome of a run as one value, from what the stages left. */
import { createHash } from 'node:crypto';
import type { Allocation } from '../allocate/allocate.ts';
import type { AllocationProblem } from '../allocate/allocation-problem.ts';
import { effectiveBits } from '../allocate/smallest-allocation.ts';
import type { Config } from '../config/config.ts';
import type { Measurements } from '../evaluate/measurements.ts';
import type { Verdict } from '../gate/verdict.ts';
import type { Layer } from '../onnx/list-layers.ts';
import type { Model } from '../onnx/model.ts';
import type { GateReport, LayerReport } from '../report/gate-report.ts';
import type { Sensitivities } from '../sensitivity/sensitivities.ts';

/** A report but for what only the entry knows. */
export type Outcome = Omit<GateReport, 'environment' | 'reproduce'>;

export type OutcomeParts = {
  readonly config: Config;
  readonly original: Model;
  readonly layers: readonly Layer[];
  readonly problem: AllocationProblem;
  readonly allocation: Allocation;
  readonly sensitivities: Sensitivities;
  readonly artifact: Uint8Array;
  readonly measurements: Measurements;
  readonly verdict: Verdict;
  readonly timings: Readonly<Record<string, number>>;
};
