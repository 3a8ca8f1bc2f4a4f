/** What `bitgate solve` answers from sensitivities that are at hand. */
import type { BudgetReport, FileIdentity, GateReport, LayerReport, UsedLimit } from './gate-report.ts';

export type SolvedReport = {
  readonly schemaVersion: 1;
  readonly model: string;
  /** How the sensitivities were measured, and on how many samples. */
  readonly method: string;
  /** The file that they are from, where they were not measured here. */
  readonly source?: FileIdentity;
  readonly loss: string;
  readonly samples: number;
  readonly answers: readonly SolvedBudget[];
};

export type SolvedBudget =
  | ({
      readonly budget: BudgetReport;
      /** Of the file that a run would write. */
      readonly sizeBytes: number;
      readonly effectiveBits: number;
      readonly constraints?: readonly UsedLimit[];
      readonly allocation: readonly LayerReport[];
    } & GateReport['solver'])
  | {
      readonly budget: BudgetReport;
      readonly status: 'infeasible';
      /** The smallest budget that can be met, in the unit of this one; absent where none was found. */
      readonly smallest?: number;
    };
