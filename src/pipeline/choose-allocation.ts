/** From sensitivities to the allocation that is shipped: several proposals, each built and measured, the best improved. */
import { type Allocation, allocate, type SolverOutcome } from '../allocate/allocate.ts';
import { allocateApart } from '../allocate/allocate-apart.ts';
import { type ChosenVariables, candidateCounts } from '../allocate/allocation-problem.ts';
import { fittingUpgrades } from '../allocate/fitting-upgrades.ts';
import type { SensitivityConfig } from '../config/config.ts';
import { objectiveOf } from '../program/evaluate-assignment.ts';
import { assignmentOf } from '../program/variables.ts';
import type { ReportProgress } from '../progress.ts';
import { type Proposal, type Selection, selectAllocation } from '../select/select-allocation.ts';
import type { Candidate } from '../sensitivity/candidates.ts';
import { quadraticTerms, type TermOptions } from '../sensitivity/pair-terms.ts';
import type { Sensitivities } from '../sensitivity/sensitivities.ts';
import type { SolveLimits } from '../solver/solution.ts';
import { type BuilderInput, type BuiltAllocation, buildAllocation, measureMoves } from './allocation-builder.ts';
import { proposeMoves } from './propose-moves.ts';

export type ChosenAllocation = Selection<BuiltAllocation> & {
  /** Of the first proposal's program: the one that the config asks for. */
  readonly solver: SolverOutcome;
  /** What the choice took, in forwards of the float model over the fitting samples. */
  readonly forwardEquivalents: number;
};

export type SearchTime = {
  /** What the choice may take, from now on; the first proposal is always built. */
  readonly limitSeconds: number;
  /** What measuring every one-layer move is expected to take. */
  readonly secondsForMoves: number;
  /** What an earlier run chose for the same question: taken as it is. */
  readonly earlier: ChosenVariables | undefined;
};

/** Where there is time for a choice, the first program takes no more of it than this. */
const FIRST_SOLVE_SHARE = 1 / 4;

/** Of the time that is left, what a program takes whose answer can be done without. */
const OTHER_SOLVE_SHARE = 1 / 8;

/** Programs are usually solved in far less; a solver needs some time to find anything. */
const LEAST_SOLVE_SECONDS = 1;

export async function chooseAllocation(
  input: BuilderInput,
  sensitivities: Sensitivities,
  config: SensitivityConfig,
  { limitSeconds, secondsForMoves, earlier }: SearchTime,
  reportProgress: ReportProgress,
): Promise<ChosenAllocation> {
  // What was chosen for the same question is not chosen again.
  const searchSeconds = earlier === undefined ? limitSeconds : 0;
  const deadline = performance.now() + searchSeconds * 1000;
  const secondsLeft = () => (deadline - performance.now()) / 1000;
  const models = damageModels(sensitivities, input.candidates, config);
  const first = await allocate(input.problem, models[0]!.quadratic, input.solve, firstLimits(input, limitSeconds));
  const program = { groupSizes: candidateCounts(input.problem), quadratic: models[0]!.quadratic, constraints: [] };
  let [built, forwardEquivalents] = [0, 0];
  const report = (total: number) =>
    reportProgress({ activity: 'choosing by measurement', done: built, total, unit: 'allocations' });
  const proposals =
    earlier === undefined
      ? proposalsOf(models, first, input, secondsLeft)
      : [{ name: 'an earlier run', propose: async () => earlier }];
  const selection = await selectAllocation<BuiltAllocation>(proposals, {
    predict: (variables) => objectiveOf(program, assignmentOf(program, variables)),
    build: async (variables) => {
      report(built + 1);
      built += 1;
      const allocation = await buildAllocation(input, variables);
      forwardEquivalents += allocation.forwardEquivalents;
      return allocation;
    },
    proposeApart: async (name, others, leastLayers) => {
      const { quadratic } = models.find((model) => model.name === name)!;
      const limits = otherLimits(input, secondsLeft());
      return (await allocateApart(input.problem, quadratic, others, leastLayers, input.solve, limits))?.variables;
    },
    measureMoves: async (current) => {
      const moves = await measureMoves(input, current);
      forwardEquivalents += moves.forwardEquivalents;
      return moves.changes;
    },
    proposeMoves: (current, changes, mostLayers) =>
      proposeMoves({ ...input, solveLimits: otherLimits(input, secondsLeft()) }, current, changes, mostLayers),
    upgradesOf: (variables) => fittingUpgrades(input.problem, variables),
    secondsLeft,
    estimateMoves: (secondsForBuild) => secondsForMoves + secondsForBuild * walkRatio(input),
  });
  report(built);
  const stoppedByTime = selection.stoppedByTime && earlier === undefined;
  return { ...selection, stoppedByTime, solver: first.solver, forwardEquivalents };
}

/** The walk that corrects moves runs, beside both networks, every layer once more for each other width. */
function walkRatio({ correction, candidates, layers }: BuilderInput): number {
  return correction === 'none' ? 0 : (1 + candidates.length / layers.length) / 2;
}

/** The first proposal is needed whatever the time. */
function firstLimits({ solveLimits }: BuilderInput, limitSeconds: number): SolveLimits {
  return limitSeconds === 0 ? solveLimits : shortened(solveLimits, FIRST_SOLVE_SHARE * limitSeconds);
}

/** Several programs may be solved for one answer; the signal ends them together. */
function otherLimits({ solveLimits }: BuilderInput, secondsLeft: number): SolveLimits {
  const limits = shortened(solveLimits, OTHER_SOLVE_SHARE * secondsLeft);
  return { ...limits, signal: AbortSignal.timeout(Math.ceil(1000 * limits.timeLimitSeconds)) };
}

function shortened(limits: SolveLimits, seconds: number): SolveLimits {
  return { ...limits, timeLimitSeconds: Math.min(limits.timeLimitSeconds, Math.max(LEAST_SOLVE_SECONDS, seconds)) };
}

/** The one that the config asks for first; then what other models of the damage would choose, each solved when it is its turn. */
function proposalsOf(
  models: readonly DamageModel[],
  first: Allocation,
  input: BuilderInput,
  secondsLeft: () => number,
): Proposal[] {
  const { problem, solve } = input;
  return models.map(({ name, quadratic }, index) => ({
    name,
    propose: async () => {
      if (index === 0) return first.variables;
      return (await allocateApart(problem, quadratic, [], 0, solve, otherLimits(input, secondsLeft())))?.variables;
    },
  }));
}

export type DamageModel = { readonly name: string; readonly quadratic: Float64Array };

/** What the config asks for first. */
export function damageModels(
  sensitivities: Sensitivities,
  candidates: readonly Candidate[],
  { transform, psd }: TermOptions,
): DamageModel[] {
  const { pairs, ...alone } = sensitivities;
  const { method } = sensitivities;
  const plain = { transform: 'none', psd: true } as const;
  const local = { ...alone, singles: Float64Array.from(candidates, ({ localLoss }) => localLoss) };
  const hasLocal = method !== 'local' && local.singles.some((loss) => loss > 0);
  const other = transform === 'none' ? 'log1p' : 'none';
  const models = [
    { name: nameOf(method, transform), terms: sensitivities, options: { transform, psd } },
    ...(pairs === undefined
      ? []
      : [
          { name: nameOf(method, other), terms: sensitivities, options: { transform: other, psd: true } as const },
          { name: 'diagonal', terms: alone, options: plain },
        ]),
    ...(hasLocal ? [{ name: 'local', terms: local, options: plain }] : []),
  ];
  return models.map(({ name, terms, options }) => ({ name, quadratic: quadraticTerms(terms, options).quadratic }));
}

function nameOf(method: string, transform: TermOptions['transform']): string {
  return transform === 'none' ? method : `${method} of log(1 + loss)`;
}
