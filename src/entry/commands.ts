/** What the two faces, the command line and the action, need of everything behind them. */
import type { Config } from '../config/config.ts';
import type { ModelFacts } from '../config/starter-config.ts';
import type { ReportProgress } from '../progress.ts';
import type { GateReport } from '../report/gate-report.ts';
import type { CacheAction } from './cache-command.ts';
import type { ProgramOutcome, SolveOptions } from './solve-program-file.ts';

/** The work itself, injected so that the faces can be tested without a model. */
export type Commands = {
  /** Quantizes, measures and decides; leaves the artifact and the report files. `warnings` go into the report. */
  runGate(config: Config, reportProgress: ReportProgress, warnings?: readonly string[]): Promise<GateReport>;
  /** Says in text what a run would work on: layers, sizes, cost, smallest budget. */
  inspect(config: Config, reportProgress: ReportProgress): Promise<string>;
  /** Reads what a starter config says of the model at an absolute path. */
  describeModel(path: string): Promise<Omit<ModelFacts, 'modelPath'>>;
  /** Solves a bare program, without any model. */
  solveProgram(options: SolveOptions): Promise<ProgramOutcome>;
  /** Lists or removes what is kept on this machine, in the folder or in the user's own; says so in text. */
  cache(action: CacheAction, directory?: string): Promise<string>;
  renderTerminal(report: GateReport, options: { readonly color: boolean }): string;
  renderSummary(report: GateReport): string;
};
