import type { Outcome } from '../gate/verdict.ts';
import type { BudgetReport, FileIdentity, GateReport, MetricValue, SensitivityReport } from './gate-report.ts';

/** Accuracy against size over several budgets; `pareto.json` is this object (schemas/pareto.v1.schema.json). */
export type ParetoReport = {
  readonly schemaVersion: 1;
  readonly model: FileIdentity;
  readonly float: MetricValue;
  /** Which values of the metric are the good ones. */
  readonly better: 'higher' | 'lower';
  /** The config's own budget, where it names one. */
  readonly budget?: BudgetReport;
  /** What the gate of the config allows. */
  readonly limits: {
    readonly min?: number;
    readonly max?: number;
    readonly maxDrop?: number;
    readonly maxSizeBytes?: number;
  };
  /** In the order of the budgets. */
  readonly points: readonly ParetoPoint[];
  readonly sensitivity: SensitivityReport;
  readonly timings: Readonly<Record<string, number>>;
  readonly environment: GateReport['environment'];
  readonly warnings: readonly string[];
};

export type ParetoPoint = MeasuredPoint | InfeasiblePoint;

export type MeasuredPoint = {
  readonly budget: BudgetReport;
  readonly status: 'measured';
  readonly sizeBytes: number;
  readonly effectiveBits: number;
  /** Of the metric. */
  readonly value: number;
  readonly drop: number;
  /** Of the gate, with this budget in the place of the config's. */
  readonly verdict: Outcome;
  /** Whether another point is no larger and no worse, and better in one of the two. */
  readonly dominated: boolean;
  /** Loss on the samples kept for the choice, as predicted and as measured. */
  readonly predictedLoss: number;
  readonly measuredLoss: number;
  /** Of each layer in the order of the model; 32 or 16 for one left in float. */
  readonly bits: readonly number[];
};

export type InfeasiblePoint = {
  readonly budget: BudgetReport;
  readonly status: 'infeasible';
  /** The smallest budget that can be met, in the unit of this one; absent where none was found. */
  readonly smallest?: number;
};
