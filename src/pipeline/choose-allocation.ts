/** From sensitivities to the allocation that is shipped: several proposals, each built and measured, the best improved. */
import { type Allocation, allocate, type SolverOutcome } from '../allocate/allocate.ts';
import { candidateCounts } from '../allocate/allocation-problem.ts';
import type { SensitivityConfig } from '../config/config.ts';
import { objectiveOf } from '../program/evaluate-assignment.ts';
import { assignmentOf } from '../program/variables.ts';
import type { ReportProgress } from '../progress.ts';
import { type Selection, selectAllocation } from '../select/select-allocation.ts';
import type { Candidate } from '../sensitivity/candidates.ts';
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

export type SearchTime = {
  /** What the choice may take, from now on; the first proposal is always built. */
  readonly limitSeconds: number;
  /** What measuring every one-layer move is expected to take. */
  readonly secondsForMoves: number;
};

export async function chooseAllocation(
  input: BuilderInput,
  sensitivities: Sensitivities,
  config: SensitivityConfig,
  { limitSeconds, secondsForMoves }: SearchTime,
  reportProgress: ReportProgress,
): Promise<ChosenAllocation> {
  const deadline = performance.now() + limitSeconds * 1000;
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
    secondsForMoves,
  });
  reportProgress({ activity: 'choosing by measurement', done: built, total: built, unit: 'allocations' });
  return { ...selection, solver: proposals[0]!.solver };
}

/** The one that the config asks for first; then what other models of the damage would choose. */
async function proposeAllocations(
  { problem, solve, solveLimits, candidates }: BuilderInput,
  sensitivities: Sensitivities,
  { transform, psd }: SensitivityConfig,
): Promise<NamedAllocation[]> {
  const proposals: NamedAllocation[] = [];
  for (const { name, terms, options } of damageModels(sensitivities, candidates, { transform, psd })) {
    const { quadratic } = quadraticTerms(terms, options);
    proposals.push({ name, ...(await allocate(problem, quadratic, solve, solveLimits)) });
  }
  return proposals;
}

type DamageModel = { readonly name: string; readonly terms: Sensitivities; readonly options: TermOptions };

function damageModels(
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
  return [
    { name: nameOf(method, transform), terms: sensitivities, options: { transform, psd } },
    ...(pairs === undefined
      ? []
      : [
          { name: nameOf(method, other), terms: sensitivities, options: { transform: other, psd: true } as const },
          { name: 'diagonal', terms: alone, options: plain },
        ]),
    ...(hasLocal ? [{ name: 'local', terms: local, options: plain }] : []),
  ];
}

function nameOf(method: string, transform: TermOptions['transform']): string {
  return transform === 'none' ? method : `${method} of log(1 + loss)`;
}
