/** From sensitivities to the allocation that is shipped: several proposals, each built and measured, the best improved. */
import { type Allocation, allocate, type SolverOutcome } from '../allocate/allocate.ts';
import { candidateCounts } from '../allocate/allocation-problem.ts';
import type { SensitivityConfig } from '../config/config.ts';
import { objectiveOf } from '../program/evaluate-assignment.ts';
import { assignmentOf } from '../program/variables.ts';
import type { ReportProgress } from '../progress.ts';
import { type Selection, selectAllocation } from '../select/select-allocation.ts';
import { quadraticTerms, type TermOptions } from '../sensitivity/pair-terms.ts';
import type { Sensitivities } from '../sensitivity/sensitivities.ts';
import {
  type BuilderInput,
  type BuiltAllocation,
  buildAllocation,
  measureMoves,
  proposeMoves,
} from './allocation-builder.ts';

export type ChosenAllocation = Selection<BuiltAllocation> & {
  /** Of the first proposal's program: the one that the config asks for. */
  readonly solver: SolverOutcome;
};

type NamedAllocation = Allocation & { readonly name: string };

/** @param secondsForSearch what the choice may take, from now on; the first proposal is always built */
export async function chooseAllocation(
  input: BuilderInput,
  sensitivities: Sensitivities,
  config: SensitivityConfig,
  secondsForSearch: number,
  reportProgress: ReportProgress,
): Promise<ChosenAllocation> {
  const deadline = performance.now() + secondsForSearch * 1000;
  const proposals = await proposeAllocations(input, sensitivities, config);
  const { quadratic } = quadraticTerms(sensitivities, config);
  const program = { groupSizes: candidateCounts(input.problem), quadratic, constraints: [] };
  let built = 0;
  const selection = await selectAllocation<BuiltAllocation>(proposals, {
    predict: (variables) => objectiveOf(program, assignmentOf(program, variables)),
    build: async (variables) => {
      reportProgress({ activity: 'choosing by measurement', done: built, total: built + 1, unit: 'allocations' });
      built += 1;
      return buildAllocation(input, variables);
    },
    measureMoves: (current) => measureMoves(input, current),
    proposeMoves: (current, changes, mostLayers) => proposeMoves(input, current, changes, mostLayers),
    secondsLeft: () => (deadline - performance.now()) / 1000,
  });
  reportProgress({ activity: 'choosing by measurement', done: built, total: built, unit: 'allocations' });
  return { ...selection, solver: proposals[0]!.solver };
}

/** The one that the config asks for first; then what other models of the damage would choose. */
async function proposeAllocations(
  { problem, solve, solveLimits }: BuilderInput,
  sensitivities: Sensitivities,
  { transform, psd, method }: SensitivityConfig,
): Promise<NamedAllocation[]> {
  const { pairs: _pairs, ...singles } = sensitivities;
  const models: readonly (readonly [string, Sensitivities, TermOptions])[] =
    method === 'diagonal'
      ? [['diagonal', sensitivities, { transform, psd }]]
      : [
          [nameOf(transform), sensitivities, { transform, psd }],
          [nameOf(otherOf(transform)), sensitivities, { transform: otherOf(transform), psd: true }],
          ['diagonal', singles, { transform: 'none', psd: true }],
        ];
  const proposals: NamedAllocation[] = [];
  for (const [name, terms, options] of models) {
    const { quadratic } = quadraticTerms(terms, options);
    proposals.push({ name, ...(await allocate(problem, quadratic, solve, solveLimits)) });
  }
  return proposals;
}

function nameOf(transform: TermOptions['transform']): string {
  return transform === 'none' ? 'pairwise' : 'pairwise of log(1 + loss)';
}

function otherOf(transform: TermOptions['transform']): TermOptions['transform'] {
  return transform === 'none' ? 'log1p' : 'none';
}
