/** What the calling thread and the solver's worker say to each other. */
import type { QuadraticProgram } from '../program/quadratic-program.ts';
import type { SolveProgress, TimelessSolution } from './solve-program.ts';

/** Given to the worker when it starts. */
export type WorkerSettings = {
  /** Package name or path of HiGHS's CommonJS loader, as `require` in the worker's folder takes it. */
  readonly highsSpecifier: string;
};

export type SolveRequest = {
  readonly program: QuadraticProgram;
  readonly relativeGap: number;
  readonly timeLimitSeconds: number;
  /** One int32 that the caller sets to 1 to cancel: a blocked worker receives no messages. */
  readonly cancelFlag: SharedArrayBuffer;
};

export type WorkerReply =
  | { readonly kind: 'progress'; readonly progress: SolveProgress }
  | { readonly kind: 'solution'; readonly solution: TimelessSolution };
