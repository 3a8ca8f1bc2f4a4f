/**
 * How long the solver takes to prove how much, on real programs; one JSON line per case. Cases:
 * - the 28 programs of ../shared/iqp, to the gaps that are asked of them;
 * - 110 layers at five bit-widths, composed from them (composed-program.ts), ten seconds each, with the process's memory;
 * - ResNet-20 under three limits at once, the second and third of invented tables;
 * - ResNet-20 without the projection, measured here (measured-program.ts), and the same by each proof alone.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { type ProgramFile, parseProgramFile, withinBudget } from '../src/entry/program-file.ts';
import { objectiveOf } from '../src/program/evaluate-assignment.ts';
import { liftAssignment, linearise } from '../src/program/linearise.ts';
import type { QuadraticProgram } from '../src/program/quadratic-program.ts';
import { assignmentOf } from '../src/program/variables.ts';
import { seededRandom } from '../src/random.ts';
import { branchAndBound } from '../src/solver/branch-and-bound.ts';
import { convexify } from '../src/solver/convexify.ts';
import { createSolver } from '../src/solver/create-solver.ts';
import { solveMilp } from '../src/solver/highs-milp.ts';
import { indexProgram } from '../src/solver/indexed-program.ts';
import { loadHighs } from '../src/solver/load-highs.ts';
import { searchLocally } from '../src/solver/local-search.ts';
import { relativeGapOf } from '../src/solver/relative-gap.ts';
import { termwiseBound } from '../src/solver/termwise-bound.ts';
import { clearLayers, composeProgram } from './composed-program.ts';
import { measureModel, unprojectedProgram } from './measured-program.ts';
import { presentModels, SHARED } from './shared-models.ts';

const BUDGETS = [2.25, 2.5, 2.75, 3, 3.5, 4, 5];
const COMPOSED_BUDGETS = [2.5, 3, 4];
const COMPOSED_SECONDS = 10;
const PROOF_SECONDS = 20;
const GAP = 1e-4;
const DEEP_NETWORK_GAP = 1e-3;

const solver = createSolver({ workerFile: new URL('../src/solver/highs-worker.ts', import.meta.url) });

type Measured = {
  readonly status: string;
  readonly objective?: number;
  readonly bestBound?: number;
  readonly relativeGap?: number;
  readonly nodeCount?: number;
  readonly method?: string;
};

export async function benchSolver(): Promise<void> {
  const files = readPrograms();
  for (const [name, file] of files) await benchProven(name, file, name.includes('56') ? DEEP_NETWORK_GAP : GAP, 60);
  await benchComposed(files);
  const [resnet20] = presentModels('resnet20');
  if (resnet20 !== undefined) {
    const measured = await measureModel(resnet20);
    for (const transform of ['none', 'log1p'] as const) {
      const name = `resnet20 unprojected ${transform}`;
      const file = unprojectedProgram(measured, transform);
      await benchProven(name, file, GAP, PROOF_SECONDS);
      await compareProofs(name, file);
    }
  }
  const projected = files.get('resnet20-kl');
  if (projected !== undefined) {
    await compareProofs('resnet20-kl', projected);
    await benchProven('resnet20-kl, three limits', withTables(projected), GAP, PROOF_SECONDS);
    await compareProofs('resnet20-kl, three limits', withTables(projected));
  }
  await solver.close();
}

function readPrograms(): Map<string, ProgramFile> {
  const folder = `${SHARED}/iqp`;
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
  return new Map(
    names.map((name) => [name.replace('.json', ''), parseProgramFile(readFileSync(`${folder}/${name}`, 'utf8'), name)]),
  );
}

/** The product's own way. */
async function benchProven(name: string, file: ProgramFile, relativeGap: number, timeLimitSeconds: number) {
  for (const bitsPerWeight of BUDGETS) {
    const program = budgeted(file, bitsPerWeight);
    await printTimed(name, file, bitsPerWeight, () => solveByAll(program, relativeGap, timeLimitSeconds));
  }
}

async function benchComposed(files: ReadonlyMap<string, ProgramFile>): Promise<void> {
  const [first, second] = [files.get('resnet56-kl'), files.get('resnet56-log1p')];
  if (first === undefined || second === undefined) return;
  const composed = composeProgram(first, second);
  const variants = { 'composed 110 × 5': composed, 'composed 110 × 5, layers cleared': clearLayers(composed) };
  for (const [name, file] of Object.entries(variants)) {
    for (const bitsPerWeight of COMPOSED_BUDGETS) {
      const program = budgeted(file, bitsPerWeight);
      await printTimed(name, file, bitsPerWeight, async () => ({
        ...(await solveByAll(program, GAP, COMPOSED_SECONDS)),
        peakMegabytes: process.resourceUsage().maxRSS / 1024,
      }));
    }
  }
}

/** Two further limits: costs that grow with the bits, by a factor of its own for each layer, halfway between least and most. */
function withTables(file: ProgramFile): ProgramFile {
  const random = seededRandom(1);
  const constraints = ['latency', 'energy'].map((name) => {
    const factors = file.weights.map(() => random());
    const costs = factors.flatMap((factor) => file.bits.map((bits) => factor * (bits + random())));
    const [least, most] = [Math.min, Math.max].map((pick) =>
      factors.reduce(
        (sum, _, layer) => sum + pick(...costs.slice(layer * file.bits.length, (layer + 1) * file.bits.length)),
        0,
      ),
    );
    return { name, costs: Float64Array.from(costs), limit: (least! + most!) / 2 };
  });
  return { ...file, program: { ...file.program, constraints }, bestKnown: {} };
}

/** Branch and bound alone, and HiGHS alone, each from the same incumbent. */
async function compareProofs(name: string, file: ProgramFile): Promise<void> {
  const highs = await loadHighs('highs');
  for (const bitsPerWeight of BUDGETS) {
    const program = budgeted(file, bitsPerWeight);
    await printTimed(name, file, bitsPerWeight, async () => solveByBranching(program));
    await printTimed(name, file, bitsPerWeight, async () => solveByHighs(program, highs));
  }
}

async function solveByAll(program: QuadraticProgram, relativeGap: number, timeLimitSeconds: number): Promise<Measured> {
  const solution = await solver.solve(program, { relativeGap, timeLimitSeconds });
  if (solution.status !== 'optimal' && solution.status !== 'feasible') return { status: solution.status };
  const { status, objective, bestBound, relativeGap: gap, proof } = solution;
  return { status, objective, bestBound, relativeGap: gap, nodeCount: proof!.nodeCount, method: proof!.method };
}

function solveByBranching(source: QuadraticProgram): Measured {
  const program = indexProgram(source);
  const start = searchLocally(program, () => false);
  const limits = { relativeGap: GAP, stop: deadline(), report: () => {} };
  const result = branchAndBound(program, convexify(program), start, termwiseBound(program), limits);
  return rated(result.incumbent!.objective, result.bestBound, result.nodeCount, 'branch-and-bound alone');
}

function solveByHighs(source: QuadraticProgram, highs: Awaited<ReturnType<typeof loadHighs>>): Measured {
  const program = indexProgram(source);
  const linearisation = linearise(source);
  const start = assignmentOf(source, searchLocally(program, () => false)!.chosen);
  const limits = { timeLimitSeconds: PROOF_SECONDS, relativeGap: GAP, stop: deadline(), reportBound: () => {} };
  const result = solveMilp(highs, linearisation.mip, liftAssignment(source, linearisation, start), limits);
  if (result.status === 'infeasible') return { status: 'infeasible' };
  const chosen = Int32Array.from(program.groupOf.keys()).filter((variable) => result.columns?.[variable] === 1);
  const objective = objectiveOf(source, chosen.length === 0 ? start : assignmentOf(source, chosen));
  return rated(objective, result.bound, result.nodeCount, 'linearisation alone');
}

function rated(objective: number, bestBound: number, nodeCount: number, method: string): Measured {
  const relativeGap = relativeGapOf(objective, bestBound);
  return { status: relativeGap <= GAP ? 'optimal' : 'feasible', objective, bestBound, relativeGap, nodeCount, method };
}

function deadline(): () => boolean {
  const end = performance.now() + PROOF_SECONDS * 1000;
  return () => performance.now() > end;
}

function budgeted(file: ProgramFile, bitsPerWeight: number): QuadraticProgram {
  return withinBudget(file, { kind: 'bits-per-weight', bitsPerWeight }).program;
}

/** Wall time, and the processor time of the whole process: on a shared machine the second repeats better. */
async function printTimed(
  name: string,
  { bestKnown }: ProgramFile,
  bitsPerWeight: number,
  solve: () => Promise<Measured>,
): Promise<void> {
  const begun = performance.now();
  const cpuBegun = process.cpuUsage();
  const measured = await solve();
  const { user, system } = process.cpuUsage(cpuBegun);
  const seconds = (performance.now() - begun) / 1000;
  const best = bestKnown[String(bitsPerWeight)]?.objective ?? null;
  const times = { seconds, cpuSeconds: (user + system) / 1e6 };
  // In full: a comparison with the best known is one of seven digits.
  console.log(JSON.stringify({ bench: 'solver', case: name, bitsPerWeight, ...measured, bestKnown: best, ...times }));
}
