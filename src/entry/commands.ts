/** What the two faces, the command line and the action, need of everything behind them. */
import type { BudgetConfig, Config } from '../config/config.ts';
import type { ModelFacts } from '../config/starter-config.ts';
import type { Shares } from '../pipeline/measurement-shares.ts';
import type { ReportProgress } from '../progress.ts';
import type { EvaluationReport } from '../report/evaluation-report.ts';
import type { GateReport } from '../report/gate-report.ts';
import type { ParetoReport } from '../report/pareto-report.ts';
import type { MeasuredShare, PlannedMeasurement, ShardTask } from '../shards.ts';
import type { KeptOutcome } from '../solve-kept.ts';
import type { CacheAction } from './cache-command.ts';
import type { ProgramOutcome, SolveOptions } from './solve-program-file.ts';

/** What a run may be given besides its config: lines for its report, and what other machines measured. */
export type GateExtras = { readonly warnings?: readonly string[]; readonly shares?: Shares };

/** The work itself, injected so that the faces can be tested without a model. */
export type Commands = {
  /** Quantizes, measures and decides; leaves the artifact and the report files. */
  runGate(config: Config, reportProgress: ReportProgress, extras?: GateExtras): Promise<GateReport>;
  /** Divides the measuring of a run over so many machines. */
  planMeasurement(config: Config, count: number, reportProgress: ReportProgress): Promise<PlannedMeasurement>;
  /** Measures one machine's part. */
  measureShard(config: Config, task: ShardTask, reportProgress: ReportProgress): Promise<MeasuredShare>;
  /** Says in text what a run would work on: layers, sizes, cost, smallest budget. */
  inspect(config: Config, reportProgress: ReportProgress): Promise<string>;
  /** Reads what a starter config says of the model at an absolute path. */
  describeModel(path: string): Promise<Omit<ModelFacts, 'modelPath'>>;
  /** Solves a bare program, without any model. */
  solveProgram(options: SolveOptions): Promise<ProgramOutcome>;
  /** Answers budgets from sensitivities that are kept, without running the model. */
  solveKept(config: Config, budgets: readonly BudgetConfig[], reportProgress: ReportProgress): Promise<KeptOutcome>;
  /** Measures a model for each budget, or for a spread of them; leaves `pareto.json` and `pareto.html`. */
  pareto(
    config: Config,
    budgets: readonly BudgetConfig[] | undefined,
    reportProgress: ReportProgress,
  ): Promise<ParetoReport>;
  /** Measures any model beside the config's float model; writes nothing. */
  evaluate(config: Config, modelPath: string, reportProgress: ReportProgress): Promise<EvaluationReport>;
  /** Lists or removes what is kept on this machine, in the folder or in the user's own; says so in text. */
  cache(action: CacheAction, directory?: string): Promise<string>;
  renderTerminal(report: GateReport, options: { readonly color: boolean }): string;
  renderSummary(report: GateReport): string;
};
