import type { Infeasibility } from '../program/contradiction.ts';
import type { Assignment, QuadraticProgram } from '../program/quadratic-program.ts';

export type SolveLimits = {
  readonly timeLimitSeconds: number;
  /** Stop when (objective − bestBound) / max(|objective|, 1e-12) is at most this. */
  readonly relativeGap: number;
  /** Ends the solve early with what it has: its incumbent and bound, or `failed` if it has no incumbent. */
  readonly signal?: AbortSignal;
};

/** An assignment can only be read from `optimal` and `feasible`; `feasible` always carries how far from optimal it may be. */
export type Solution =
  | {
      readonly status: 'optimal' | 'feasible';
      readonly assignment: Assignment;
      readonly objective: number;
      readonly bestBound: number;
      readonly relativeGap: number;
      readonly seconds: number;
      readonly proof?: Proof;
    }
  | ({ readonly status: 'infeasible'; readonly seconds: number } & Infeasibility)
  | { readonly status: 'failed'; readonly reason: string; readonly seconds: number };

/** Where the bound comes from. */
export type Proof = { readonly method: 'branch-and-bound' | 'linearisation'; readonly nodeCount: number };

export type Solve = (program: QuadraticProgram, limits: SolveLimits) => Promise<Solution>;
