/** `bitgate solve --program`: a bare program from a file, solved without any model. */
import { resolve } from 'node:path';
import { parseDuration } from '../config/duration.ts';
import { applyOverrides } from '../config/overrides.ts';
import { type Problem, UserError } from '../errors.ts';
import { describeInfeasibility } from '../program/contradiction.ts';
import type { Solution, Solve, SolveLimits } from '../solver/solution.ts';
import type { Files } from './files.ts';
import {
  type BudgetedProgram,
  type ProgramBudget,
  type ProgramFile,
  parseProgramFile,
  totalWeights,
  withinBudget,
} from './program-file.ts';

/** The options as they were typed. */
export type SolveOptions = {
  readonly program?: string;
  readonly size?: string;
  readonly bitsPerWeight?: string;
  readonly timeLimit?: string;
  readonly gap?: string;
  /** Where a relative path of the program starts. */
  readonly workingDirectory: string;
};

/** What is printed as JSON. */
export type ProgramReport =
  | {
      readonly status: 'optimal' | 'feasible';
      readonly objective: number;
      readonly bestBound: number;
      readonly relativeGap: number;
      readonly seconds: number;
      /** Bit-width of each layer. */
      readonly bits: readonly number[];
    }
  | {
      readonly status: 'infeasible';
      /** The smallest budget that some allocation keeps, other limits aside. */
      readonly smallestSizeBytes: number;
      readonly smallestBitsPerWeight: number;
      readonly seconds: number;
    };

export type ProgramOutcome = {
  readonly report: ProgramReport;
  /** Why there is no allocation; empty where there is one. */
  readonly problems: readonly Problem[];
};

export type SolveEffects = {
  readonly files: Pick<Files, 'readFile'>;
  readonly solve: Solve;
  /** Ends the solve early, with what it has. */
  readonly signal?: AbortSignal;
};

const DEFAULT_LIMITS: SolveLimits = { timeLimitSeconds: 60, relativeGap: 1e-4 };
/** About 3,000 candidates. */
const MAX_PROGRAM_BYTES = 128 * 2 ** 20;

/**
 * @throws UserError if the options or the file cannot be used
 * @throws Error if the solver fails
 */
export async function solveProgramFile(
  options: SolveOptions,
  { files, solve, signal }: SolveEffects,
): Promise<ProgramOutcome> {
  const { path, budget, limits } = parseOptions(options);
  const bytes = await files.readFile(resolve(options.workingDirectory, path), MAX_PROGRAM_BYTES);
  const file = parseProgramFile(new TextDecoder().decode(bytes), path);
  const budgeted = withinBudget(file, budget);
  const solution = await solve(budgeted.program, { ...limits, ...(signal === undefined ? {} : { signal }) });
  if (solution.status === 'failed') throw new Error(`the program could not be solved: ${solution.reason}`);
  if (solution.status === 'infeasible') return describeNoAllocation(file, budgeted, solution);
  const { status, assignment, objective, bestBound, relativeGap, seconds } = solution;
  const bits = assignment.map((choice) => file.bits[choice]!);
  return { report: { status, objective, bestBound, relativeGap, seconds, bits }, problems: [] };
}

function parseOptions({ program, size, bitsPerWeight, timeLimit, gap }: SolveOptions) {
  const { applied, problems: found } = applyOverrides({
    ...(size === undefined ? {} : { size }),
    ...(bitsPerWeight === undefined ? {} : { bitsPerWeight }),
  });
  const problems = [...found];
  const note = (problem: Problem | undefined) => problem !== undefined && problems.push(problem);
  if (!program) note({ what: 'solve needs a program', fix: 'name its file: --program <file.json>' });
  if (size === undefined && bitsPerWeight === undefined) note(MISSING_BUDGET);
  if (applied.budget?.kind === 'ratio') note(ratioProblem(size!));
  if (applied.budget?.kind === 'auto') note(AUTO_PROBLEM);
  const timeLimitSeconds = timeLimit === undefined ? DEFAULT_LIMITS.timeLimitSeconds : parseDuration(timeLimit);
  if (!(timeLimitSeconds! > 0)) note(expected('--time-limit', timeLimit!, 'a time such as 10, 10s or 2m'));
  const relativeGap = gap === undefined ? DEFAULT_LIMITS.relativeGap : parseRatio(gap);
  if (relativeGap === undefined) note(expected('--gap', gap!, 'a ratio such as 0.0001'));
  if (problems.length > 0) throw new UserError(problems);
  return {
    path: program!,
    budget: applied.budget as ProgramBudget,
    limits: { timeLimitSeconds: timeLimitSeconds!, relativeGap: relativeGap! },
  };
}

const MISSING_BUDGET: Problem = {
  what: 'solve needs a budget',
  fix: 'give --bits-per-weight, or --size in bytes of weights',
};

const AUTO_PROBLEM: Problem = {
  what: '--size is auto, but a bare program has no gate to pass',
  fix: 'give --bits-per-weight, or --size in bytes of weights',
};

function ratioProblem(size: string): Problem {
  return { what: `--size is "${size}", but a bare program has no float file to take a share of`, fix: 'give bytes' };
}

function expected(option: string, found: string, words: string): Problem {
  return { what: `${option} is "${found}", expected ${words}` };
}

function parseRatio(text: string): number | undefined {
  const ratio = text.trim() === '' ? Number.NaN : Number(text);
  return ratio >= 0 && ratio < Number.POSITIVE_INFINITY ? ratio : undefined;
}

type Infeasible = Extract<Solution, { status: 'infeasible' }>;

function describeNoAllocation(file: ProgramFile, budgeted: BudgetedProgram, solution: Infeasible): ProgramOutcome {
  const smallestSizeBytes = Math.ceil(solution.smallestLimits[0]!);
  const smallestBitsPerWeight = bitsPerWeightOf(file, solution.smallestLimits[0]!);
  const report = { status: 'infeasible', smallestSizeBytes, smallestBitsPerWeight, seconds: solution.seconds } as const;
  const isBudgetAlone = solution.contradictions.every(({ constraints }) => constraints.join() === '0');
  const relaxed = solution.contradictions[0]?.relaxations[0]?.limit ?? solution.smallestLimits[0]!;
  const problems =
    isBudgetAlone && relaxed === solution.smallestLimits[0]
      ? [describeSmallBudget(file, budgeted, smallestSizeBytes)]
      : describeInfeasibility(budgeted.program.constraints, solution);
  return { report, problems };
}

function describeSmallBudget(file: ProgramFile, { limitBytes }: BudgetedProgram, smallestBytes: number): Problem {
  const inWords = (bytes: number) => `${bytes} bytes of weights (${bitsPerWeightOf(file, bytes)} bits per weight)`;
  return {
    what: `no allocation fits the budget of ${inWords(Math.floor(limitBytes))}; the smallest has ${inWords(smallestBytes)}`,
    fix: `raise the budget to --size ${smallestBytes} or --bits-per-weight ${bitsPerWeightOf(file, smallestBytes)}`,
  };
}

/** Up to four decimals, rounded up so that the number named is itself enough. */
function bitsPerWeightOf(file: ProgramFile, bytes: number): number {
  return Math.ceil(((bytes * 8) / totalWeights(file)) * 10_000 - 1e-6) / 10_000;
}
