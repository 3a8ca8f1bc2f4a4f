/** The real programs beside the repository, with the best values known; skipped where they are absent. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { parseProgramFile, withinBudget } from '../../src/entry/program-file.ts';
import { isFeasible, objectiveOf } from '../../src/program/evaluate-assignment.ts';
import { linearise } from '../../src/program/linearise.ts';
import { seededRandom } from '../../src/random.ts';
import { createSolver } from '../../src/solver/create-solver.ts';
import { solveMilpHere } from './small-programs.ts';

const FOLDER = resolve(dirname(fileURLToPath(import.meta.url)), '../../../shared/iqp');
const FILES = existsSync(FOLDER) ? readdirSync(FOLDER).filter((name) => name.endsWith('.json')) : [];

const CASES = FILES.flatMap((name) => {
  const file = parseProgramFile(readFileSync(resolve(FOLDER, name), 'utf8'), name);
  const bestKnown = Object.entries(file.bestKnown);
  return bestKnown.map(([bits, { objective }]) => ({ name, file, bitsPerWeight: Number(bits), best: objective }));
});

const solver = createSolver({ workerFile: new URL('../../src/solver/highs-worker.ts', import.meta.url) });
afterAll(() => solver.close());

describe.skipIf(CASES.length === 0)('solve, real programs', () => {
  it('solve: every file has its budgets', () => {
    expect(CASES.map(({ name, bitsPerWeight }) => `${name} ${bitsPerWeight}`)).toHaveLength(FILES.length * 7);
  });

  it.each(CASES)('solve: $name at $bitsPerWeight bits, no worse than the best known, and proven', async (setting) => {
    const { name, file, bitsPerWeight, best } = setting;
    const { program } = withinBudget(file, { kind: 'bits-per-weight', bitsPerWeight });
    const relativeGap = name.startsWith('resnet20') ? 1e-4 : 1e-3;
    const solution = await solver.solve(program, { timeLimitSeconds: 60, relativeGap });
    if (solution.status !== 'optimal') throw new Error(`ended ${solution.status}`);
    expect(isFeasible(program, solution.assignment)).toBe(true);
    expect(solution.objective).toBe(objectiveOf(program, solution.assignment));
    expect(solution.objective).toBeLessThanOrEqual(best * (1 + 1e-6));
    expect(solution.bestBound).toBeLessThanOrEqual(best * (1 + 1e-6));
    expect(solution.relativeGap).toBeLessThanOrEqual(relativeGap);
  });

  it.each(CASES.filter(({ name }) => name.startsWith('resnet20')))(
    'solve: $name at $bitsPerWeight bits is the same program without the entries inside the layers, which no longer is convex',
    async ({ file, bitsPerWeight, best }) => {
      const { program: whole } = withinBudget(file, { kind: 'bits-per-weight', bitsPerWeight });
      const size = file.bits.length;
      const quadratic = whole.quadratic.map((entry, index) => {
        const [row, column] = [Math.floor(index / (size * file.weights.length)), index % (size * file.weights.length)];
        return row !== column && Math.floor(row / size) === Math.floor(column / size) ? 0 : entry;
      });
      const solution = await solver.solve({ ...whole, quadratic }, { timeLimitSeconds: 60, relativeGap: 1e-4 });
      if (solution.status !== 'optimal') throw new Error(`ended ${solution.status}`);
      expect(solution.objective).toBeLessThanOrEqual(best * (1 + 1e-6));
      expect(solution.bestBound).toBeLessThanOrEqual(best * (1 + 1e-6));
    },
  );

  it('solve: three limits at once, as HiGHS solves the linearisation', async () => {
    const { file } = CASES.find(({ name }) => name === 'resnet20-log1p.json')!;
    const { program } = withinBudget(file, { kind: 'bits-per-weight', bitsPerWeight: 3 });
    const random = seededRandom(4);
    const tables = ['latency', 'energy'].map((name) => {
      const costs = file.weights.flatMap(() => file.bits.map((bits) => bits * (0.5 + random())));
      return { name, costs: Float64Array.from(costs), limit: 85 };
    });
    const limited = { ...program, constraints: [...program.constraints, ...tables] };
    const solution = await solver.solve(limited, { timeLimitSeconds: 60, relativeGap: 1e-6 });
    const oracle = solveMilpHere(linearise(limited).mip, undefined, {
      timeLimitSeconds: 60,
      relativeGap: 1e-6,
      stop: () => false,
      reportBound: () => {},
    });
    if (solution.status !== 'optimal' || oracle.status !== 'solved') throw new Error('not solved');
    expect(isFeasible(limited, solution.assignment)).toBe(true);
    expect(solution.objective).toBeCloseTo(oracle.bound, 5);
    const sizeAlone = await solver.solve(program, { timeLimitSeconds: 60, relativeGap: 1e-6 });
    if (sizeAlone.status !== 'optimal') throw new Error('not solved');
    expect(solution.objective).toBeGreaterThan(sizeAlone.objective * 1.01);
  });
});
