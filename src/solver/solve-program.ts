/**
 * Solves one program on the calling thread: what cannot be met is refused first, local search finds an incumbent, and
 * branch and bound proves it. An indefinite program of moderate size that branch and bound does not finish soon goes on
 * to HiGHS as a mixed-integer linear program; docs/adr/0001-solver.md has the measurements behind this order.
 */
import { isFeasible, objectiveOf, roundedLimit } from '../program/evaluate-assignment.ts';
import { liftAssignment, linearise, linearisedColumnCount } from '../program/linearise.ts';
import type { Assignment, QuadraticProgram } from '../program/quadratic-program.ts';
import { smallestLimits } from '../program/smallest-limits.ts';
import { assignmentOf } from '../program/variables.ts';
import { branchAndBound } from './branch-and-bound.ts';
import { type Convexification, convexify } from './convexify.ts';
import { explainInfeasibility } from './explain-infeasibility.ts';
import type { MilpResult, SolveMilp } from './highs-milp.ts';
import { type IndexedProgram, indexProgram } from './indexed-program.ts';
import { better, descendFrom, type Incumbent, searchLocally } from './local-search.ts';
import { cutoffFor, relativeGapOf } from './relative-gap.ts';
import type { Proof, Solution } from './solution.ts';
import { termwiseBound } from './termwise-bound.ts';

export type SolveControl = {
  readonly relativeGap: number;
  readonly secondsLeft: () => number;
  readonly isCancelled: () => boolean;
  /** Told of every better incumbent, and of better bounds from time to time. */
  readonly report: (progress: SolveProgress) => void;
  /** Called only when a program needs it: loading HiGHS takes time and memory. */
  readonly loadMilp: () => Promise<SolveMilp>;
};

export type SolveProgress = {
  readonly assignment?: Assignment;
  readonly objective?: number;
  readonly bestBound: number;
};

/** A solution without the time it took, which the caller measures. */
export type TimelessSolution = Solution extends infer S ? (S extends Solution ? Omit<S, 'seconds'> : never) : never;

/** What is known about the optimum. */
type Knowledge = { readonly incumbent: Incumbent | undefined; readonly bestBound: number; readonly proof: Proof };

/**
 * What branch and bound may use before HiGHS takes over. Counted in nodes, because the same program is then proven in the
 * same way on a busy machine: about a second for 60 variables.
 */
const NODES_BEFORE_MILP = 2000;
const SHARE_OF_TIME_BEFORE_MILP = 0.4;
/** Above this many columns HiGHS's bound moves more slowly than that of branch and bound. */
const MAX_MILP_COLUMNS = 4000;

/** For finding out which limits contradict each other; one of them alone takes milliseconds. */
const EXPLANATION_SECONDS = 5;

/** How far HiGHS's bounds may be off, relative to the largest term, by its own tolerances. */
const MILP_PRECISION = 1e-6;

/** Solve a valid program within the control's limits. */
export async function solveProgram(source: QuadraticProgram, control: SolveControl): Promise<TimelessSolution> {
  const least = smallestLimits(source);
  if (source.constraints.some((constraint, index) => least[index]! > roundedLimit(constraint))) {
    return infeasible(source, control);
  }
  const program = indexProgram(source);
  const incumbent = searchLocally(program, () => mustStop(control));
  const start = {
    incumbent,
    bestBound: termwiseBound(program),
    proof: { method: 'branch-and-bound', nodeCount: 0 },
  } as const;
  reportKnowledge(program, control, start);
  const knowledge = await prove(program, start, control);
  return conclude(source, knowledge, control);
}

async function prove(program: IndexedProgram, start: Knowledge, control: SolveControl): Promise<Knowledge> {
  const convexification = convexify(program);
  const branched = branch(program, convexification, start, control);
  if (isSettled(branched, control) || mustStop(control) || !isSmallEnoughForMilp(program)) return branched;
  return cut(program, branched, control, await control.loadMilp());
}

function isSmallEnoughForMilp({ source }: IndexedProgram): boolean {
  return linearisedColumnCount(source) <= MAX_MILP_COLUMNS;
}

function branch(
  program: IndexedProgram,
  convexification: Convexification,
  start: Knowledge,
  control: SolveControl,
): Knowledge {
  const hasSuccessor = !convexification.isExact && isSmallEnoughForMilp(program);
  const secondsKept = hasSuccessor ? (1 - SHARE_OF_TIME_BEFORE_MILP) * control.secondsLeft() : 0;
  const { incumbent, bestBound, nodeCount } = branchAndBound(
    program,
    convexification,
    start.incumbent,
    start.bestBound,
    {
      relativeGap: control.relativeGap,
      nodeCount: hasSuccessor ? NODES_BEFORE_MILP : Number.POSITIVE_INFINITY,
      stop: () => control.secondsLeft() <= secondsKept || mustStop(control),
      report: (best, bound) => reportKnowledge(program, control, { ...start, incumbent: best, bestBound: bound }),
    },
  );
  return { incumbent, bestBound, proof: { method: 'branch-and-bound', nodeCount } };
}

/** Branch and cut by HiGHS on the linearisation, starting from what is known. */
function cut(program: IndexedProgram, known: Knowledge, control: SolveControl, solveMilp: SolveMilp): Knowledge {
  const { source } = program;
  const linearisation = linearise(source);
  const start = known.incumbent && liftAssignment(source, linearisation, assignmentOf(source, known.incumbent.chosen));
  const result = solveMilp(linearisation.mip, start, {
    timeLimitSeconds: Math.max(0, control.secondsLeft()),
    relativeGap: control.relativeGap,
    stop: () => mustStop(control),
    reportBound: (bound) => reportKnowledge(program, control, strengthen(known, bound, known.proof)),
  });
  assertConsistent(program, known, result);
  if (result.status === 'infeasible') return { ...known, bestBound: Number.POSITIVE_INFINITY };
  const proof = { method: 'linearisation', nodeCount: result.nodeCount } as const;
  const found = result.columns && choiceOfColumns(program, result.columns);
  return strengthen({ ...known, incumbent: better(known.incumbent, found) }, result.bound, proof);
}

/** @throws Error if HiGHS denies a known assignment: one of the two is wrong, and no answer is better than either */
function assertConsistent({ scale }: IndexedProgram, { incumbent }: Knowledge, result: MilpResult): void {
  if (incumbent === undefined) return;
  const { objective } = incumbent;
  if (result.status === 'infeasible') throw new Error('HiGHS calls a program infeasible that has a known assignment');
  if (result.bound <= objective + MILP_PRECISION * Math.max(scale, Math.abs(objective))) return;
  throw new Error(`HiGHS bounds the objective by ${result.bound}, but an assignment of ${objective} is known`);
}

/** The higher of two bounds, with the proof it comes from. */
function strengthen(known: Knowledge, bound: number, proof: Proof): Knowledge {
  return bound > known.bestBound ? { ...known, bestBound: bound, proof } : known;
}

function choiceOfColumns(program: IndexedProgram, columns: Float64Array): Incumbent | undefined {
  const chosen = Int32Array.from(program.groupOf.keys()).filter((variable) => columns[variable] === 1);
  if (chosen.length !== program.groupCount)
    throw new Error(`HiGHS took ${chosen.length} variables, expected one per group`);
  return descendFrom(program, chosen, () => false);
}

function isSettled({ incumbent, bestBound }: Knowledge, { relativeGap }: SolveControl): boolean {
  return bestBound >= cutoffFor(incumbent?.objective, relativeGap);
}

/** Told apart in what is left of the time: the answer stands without it. */
async function infeasible(source: QuadraticProgram, control: SolveControl): Promise<TimelessSolution> {
  const least = smallestLimits(source);
  const secondsLeftAfter = control.secondsLeft() - EXPLANATION_SECONDS;
  const stop = () => control.secondsLeft() <= secondsLeftAfter || mustStop(control);
  const contradictions = await explainInfeasibility(source, least, stop);
  return { status: 'infeasible', smallestLimits: least, contradictions };
}

function mustStop({ secondsLeft, isCancelled }: SolveControl): boolean {
  return isCancelled() || secondsLeft() <= 0;
}

async function conclude(source: QuadraticProgram, known: Knowledge, control: SolveControl): Promise<TimelessSolution> {
  if (known.incumbent === undefined) {
    if (known.bestBound === Number.POSITIVE_INFINITY) return infeasible(source, control);
    return { status: 'failed', reason: reasonOfFailure(source, control) };
  }
  const assignment = assignmentOf(source, known.incumbent.chosen);
  if (!isFeasible(source, assignment)) throw new Error('the solver chose an assignment that exceeds a limit');
  return {
    ...rated(assignment, objectiveOf(source, assignment), known.bestBound, control.relativeGap),
    proof: known.proof,
  };
}

/** A feasible assignment with its status: optimal only if the gap is within what was asked. */
export function rated(assignment: Assignment, objective: number, bound: number, relativeGap: number) {
  const bestBound = Math.min(bound, objective);
  const gap = relativeGapOf(objective, bestBound);
  const status = gap <= relativeGap ? ('optimal' as const) : ('feasible' as const);
  return { status, assignment, objective, bestBound, relativeGap: gap };
}

function reasonOfFailure({ constraints }: QuadraticProgram, { isCancelled }: SolveControl): string {
  const names = constraints.map(({ name }) => `'${name}'`).join(', ');
  const cause = isCancelled() ? 'the solve was cancelled' : 'the time limit was reached';
  return `${cause} before an assignment was found that keeps all of ${names} together, or a proof that there is none`;
}

function reportKnowledge(
  { source }: IndexedProgram,
  { report }: SolveControl,
  { incumbent, bestBound }: Knowledge,
): void {
  if (incumbent === undefined) report({ bestBound });
  else report({ assignment: assignmentOf(source, incumbent.chosen), objective: incumbent.objective, bestBound });
}
