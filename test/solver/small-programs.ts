/** The control of a solve in the test's own thread, and a program too hard to be proven in a test's time. */
import type { QuadraticProgram } from '../../src/program/quadratic-program.ts';
import { type SolveMilp, solveMilp } from '../../src/solver/highs-milp.ts';
import { loadHighs } from '../../src/solver/load-highs.ts';
import type { SolveControl, SolveProgress } from '../../src/solver/solve-program.ts';
import { randomProgram } from './random-programs.ts';

export const highs = await loadHighs('highs');

export const solveMilpHere: SolveMilp = (mip, start, limits) => solveMilp(highs, mip, start, limits);

export type Setting = {
  readonly seconds?: number;
  readonly relativeGap?: number;
  readonly isCancelled?: () => boolean;
  readonly progress?: SolveProgress[];
  readonly loadMilp?: () => Promise<SolveMilp>;
};

export function controlOf({
  seconds = 60,
  relativeGap = 0,
  isCancelled,
  progress,
  loadMilp,
}: Setting = {}): SolveControl {
  const deadline = performance.now() + seconds * 1000;
  return {
    relativeGap,
    secondsLeft: () => (deadline - performance.now()) / 1000,
    isCancelled: isCancelled ?? (() => false),
    report: (state) => void progress?.push(state),
    loadMilp: loadMilp ?? (async () => solveMilpHere),
  };
}

/** Random couplings of both signs between 40 groups: neither proof closes its gap in minutes. */
export function hardProgram(): QuadraticProgram {
  return randomProgram({ seed: 7, groupCount: 40, largestGroup: 5, kind: 'indefinite', constraintCount: 1 });
}
