import { describe, expect, it } from 'vitest';
import { type SolveOptions, solveProgramFile } from '../../src/entry/solve-program-file.ts';
import { UserError } from '../../src/errors.ts';
import type { QuadraticProgram } from '../../src/program/quadratic-program.ts';
import type { Solve, SolveLimits } from '../../src/solver/solution.ts';
import { solveProgram } from '../../src/solver/solve-program.ts';
import { controlOf } from '../solver/small-programs.ts';
import { type Disk, fakeFiles } from './fakes.ts';

const PROGRAM = {
  bits: [2, 8],
  weights: [40, 80],
  G: [
    [2, 0, 1, 0],
    [0, 0, 0, 0],
    [1, 0, 4, 0],
    [0, 0, 0, 0],
  ],
};
const LATENCY = {
  name: 'latency',
  costs: [
    [5, 1],
    [5, 1],
  ],
  limit: 5,
};

const diskOf = (program: object): Disk => ({ '/w/p.json': JSON.stringify(program) });

const solve: Solve = async (program, { relativeGap }) => ({
  ...(await solveProgram(program, controlOf({ relativeGap }))),
  seconds: 0.5,
});

function run(options: Partial<SolveOptions>, program: object = PROGRAM, solver: Solve = solve) {
  const complete = { program: 'p.json', workingDirectory: '/w', ...options };
  return solveProgramFile(complete, { files: fakeFiles(diskOf(program)), solve: solver });
}

async function messageOf(running: Promise<unknown>): Promise<string> {
  const error = await running.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message;
}

describe('solveProgramFile', () => {
  it.each([
    { options: { bitsPerWeight: '8' }, objective: 0, bits: [8, 8] },
    { options: { bitsPerWeight: '6' }, objective: 1, bits: [2, 8] },
    { options: { size: '90' }, objective: 1, bits: [2, 8] },
    { options: { size: '89' }, objective: 2, bits: [8, 2] },
    { options: { size: '0.03 KB' }, objective: 4, bits: [2, 2] },
  ])('solveProgramFile: $options chooses $bits', async ({ options, objective, bits }) => {
    const { report, problems } = await run(options);
    expect(problems).toEqual([]);
    expect(report).toEqual({
      status: 'optimal',
      objective,
      bestBound: expect.closeTo(objective, 6),
      relativeGap: expect.closeTo(0, 4),
      seconds: 0.5,
      bits,
    });
  });

  it('solveProgramFile: the limits and the signal reach the solver', async () => {
    const received: SolveLimits[] = [];
    const recording: Solve = (program, limits) => {
      received.push(limits);
      return solve(program, limits);
    };
    const { signal } = new AbortController();
    const options = { program: 'p.json', size: '90', workingDirectory: '/w' };
    const effects = { files: fakeFiles(diskOf(PROGRAM)), solve: recording, signal };
    await solveProgramFile(options, effects);
    await solveProgramFile({ ...options, timeLimit: '2m', gap: '0' }, effects);
    expect(received).toEqual([
      { timeLimitSeconds: 60, relativeGap: 1e-4, signal },
      { timeLimitSeconds: 120, relativeGap: 0, signal },
    ]);
  });

  it('solveProgramFile: a feasible allocation keeps its gap', async () => {
    const rough: Solve = async () => ({
      status: 'feasible',
      assignment: [0, 1],
      objective: 2,
      bestBound: 1,
      relativeGap: 0.5,
      seconds: 60,
    });
    const { report } = await run({ size: '90' }, PROGRAM, rough);
    expect(report).toEqual({
      status: 'feasible',
      objective: 2,
      bestBound: 1,
      relativeGap: 0.5,
      seconds: 60,
      bits: [2, 8],
    });
  });

  it('solveProgramFile: further limits of the file are kept', async () => {
    const program = { ...PROGRAM, constraints: [{ ...LATENCY, limit: 6 }] };
    expect((await run({ size: '90' }, program)).report).toMatchObject({ bits: [2, 8] });
    expect((await run({ size: '120' }, { ...PROGRAM, constraints: [{ ...LATENCY, limit: 2 }] })).report).toMatchObject({
      bits: [8, 8],
    });
  });

  it('solveProgramFile: a solver that fails is a fault', async () => {
    const failing: Solve = async () => ({ status: 'failed', reason: 'out of memory', seconds: 1 });
    await expect(run({ size: '90' }, PROGRAM, failing)).rejects.toThrow(
      new Error('the program could not be solved: out of memory'),
    );
  });
});

describe('solveProgramFile, no allocation', () => {
  it('solveProgramFile: a budget too small names the smallest feasible one', async () => {
    expect(await run({ bitsPerWeight: '1.5' })).toEqual({
      report: { status: 'infeasible', smallestSizeBytes: 30, smallestBitsPerWeight: 2, seconds: 0.5 },
      problems: [
        {
          what: 'no allocation fits the budget of 22 bytes of weights (1.4667 bits per weight); the smallest has 30 bytes of weights (2 bits per weight)',
          fix: 'raise the budget to --size 30 or --bits-per-weight 2',
        },
      ],
    });
  });

  it('solveProgramFile: a budget that contradicts another limit is named with it', async () => {
    const outcome = await run({ size: '40' }, { ...PROGRAM, constraints: [LATENCY] });
    expect(outcome.report).toMatchObject({ status: 'infeasible', smallestSizeBytes: 30 });
    expect(outcome.problems).toEqual([
      {
        what: "no allocation keeps 'size in bytes' at 40 or less and 'latency' at 5 or less together; each of them can be kept alone",
        fix: "raise one limit and leave the others: 'latency' to 10 or 'size in bytes' to 120",
      },
    ]);
  });

  it('solveProgramFile: the smallest budget alone is not enough when another limit needs more', async () => {
    const outcome = await run({ size: '20' }, { ...PROGRAM, constraints: [LATENCY] });
    expect(outcome.problems).toEqual([
      {
        what: "no allocation keeps 'size in bytes' at 20 or less; the least possible is 30",
        fix: "raise the limit of 'size in bytes' to 120 or more; 30 does not go with the other limits",
      },
    ]);
  });
});

describe('solveProgramFile, bad input', () => {
  it.each([
    [{ program: '', size: '9' }, 'solve needs a program\n  fix: name its file: --program <file.json>'],
    [{}, 'solve needs a budget\n  fix: give --bits-per-weight, or --size in bytes of weights'],
    [
      { size: '9', bitsPerWeight: '3' },
      '--size and --bits-per-weight both set the budget, expected one of them\n  fix: remove one of the two',
    ],
    [{ size: '25%' }, '--size is "25%", but a bare program has no float file to take a share of\n  fix: give bytes'],
    [{ size: 'x' }, '--size is "x", expected a size such as 125000, "125 KB", "300 KiB" or "25%", or auto'],
    [{ bitsPerWeight: '0' }, '--bits-per-weight is "0", expected a number above 0 and at most 32'],
    [{ size: '9', timeLimit: '0' }, '--time-limit is "0", expected a time such as 10, 10s or 2m'],
    [{ size: '9', timeLimit: 'soon' }, '--time-limit is "soon", expected a time such as 10, 10s or 2m'],
    [{ size: '9', gap: '-1' }, '--gap is "-1", expected a ratio such as 0.0001'],
    [{ size: '9', gap: '' }, '--gap is "", expected a ratio such as 0.0001'],
    [{ size: '9', program: 'none.json' }, '/w/none.json: no such file or folder'],
  ])('solveProgramFile: %j', async (options, message) => {
    expect(await messageOf(run(options))).toBe(message);
  });

  it('solveProgramFile: wrong options are named together, before anything is read', async () => {
    expect(await messageOf(run({ program: 'none.json', gap: 'x', timeLimit: 'y' }))).toBe(
      'solve needs a budget\n  fix: give --bits-per-weight, or --size in bytes of weights\n' +
        '--time-limit is "y", expected a time such as 10, 10s or 2m\n--gap is "x", expected a ratio such as 0.0001',
    );
  });

  it('solveProgramFile: a file that is no program never reaches the solver', async () => {
    const untouched: Solve = (_program: QuadraticProgram) => Promise.reject(new Error('must not run'));
    expect(await messageOf(run({ size: '9' }, { ...PROGRAM, weights: [40] }, untouched))).toMatch(
      /^p\.json: `G` has 4 rows, expected 2/,
    );
  });
});
