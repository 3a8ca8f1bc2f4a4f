import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import schema from '../../schemas/pareto.v1.schema.json' with { type: 'json' };
import type { MeasuredPoint, ParetoReport } from '../../src/report/pareto-report.ts';
import type { SolvedReport } from '../../src/report/solved-report.ts';
import { bitgate, errorsOf } from './bitgate.ts';
import { errorText, refusal } from './refusal.ts';
import { createFolder, filesIn, newFolder, readResult, removeFolder, type Settings, writeConfig } from './workspace.ts';

/** Pairs of twelve layers at two widths, a float layer and a pinned one among them, in many small units. */
const PAIRS: Settings = {
  quantize: { bits: [2, 4], pin: { stem: 'float', head: 4 } },
  sensitivity: { method: 'pairwise' },
  gate: { min: 0 },
  'memory-limit': '12 MB',
};

let folder: string;

beforeAll(async () => {
  folder = createFolder();
  writeConfig(folder, PAIRS);
  expect((await bitgate(['run'], folder)).exitCode).toBe(0);
});

afterAll(() => removeFolder(folder));

async function solve(...argv: readonly string[]): Promise<SolvedReport> {
  const { exitCode, stdout, sessionCount } = await bitgate(['solve', ...argv, '--json'], folder);
  expect({ exitCode, sessionCount }).toEqual({ exitCode: 0, sessionCount: 0 });
  return JSON.parse(stdout);
}

function recordFiles(): string[] {
  const files = readdirSync(join(folder, 'cache'), { recursive: true, encoding: 'utf8' });
  return files.filter((name) => name.endsWith('.jsonl')).map((name) => join(folder, 'cache', name));
}

describe('solve from kept sensitivities', () => {
  it.each([
    ['2.25 bits per weight', ['--bits-per-weight', '2.25']],
    ['3 bits per weight', ['--bits-per-weight', '3']],
    ['a size', ['--size', '40 KB']],
  ])(
    'solve: for %s, the allocation, the size and the prediction of a run, and no session is opened',
    async (_, budget) => {
      writeConfig(folder, PAIRS);
      const { method, answers } = await solve(...budget);
      expect((await bitgate(['run', ...budget], folder)).exitCode).toBe(0);
      const run = readResult(folder);
      expect(method).toBe('pairwise');
      expect(answers).toMatchObject([
        {
          budget: run.budget,
          sizeBytes: run.artifact.sizeBytes,
          effectiveBits: run.artifact.effectiveBits,
          allocation: run.allocation,
          objective: run.solver.objective,
          status: run.solver.status,
        },
      ]);
    },
  );

  it.each(['block', 'diagonal'] as const)(
    'solve: what pairwise kept answers for %s as a run that measures it',
    async (method) => {
      const options = ['--bits-per-weight', '2.5', '--method', method];
      writeConfig(folder, PAIRS);
      const { answers, ...rest } = await solve(...options);
      expect(rest).toMatchObject({ method, loss: 'kl', samples: 64 });
      // In a cache of its own, so that it is measured.
      await bitgate(['run', ...options, '--cache-dir', 'cache/other'], folder);
      const { allocation, solver } = readResult(folder);
      expect(answers[0]).toMatchObject({ allocation });
      expect((answers[0] as typeof solver).objective).toBeCloseTo(solver.objective, 6);
    },
  );

  it('solve: with method auto it takes the richest that is whole, and says which', async () => {
    writeConfig(folder, { ...PAIRS, sensitivity: { method: 'auto' } });
    expect((await solve()).method).toBe('pairwise');
    const { stdout } = await bitgate(['solve', '--budgets', '2.5,40KB'], folder);
    expect(stdout).toMatch(
      /^\S+glyphs\.onnx: pairwise sensitivities that are kept, kl on 64 samples; nothing was measured\n/,
    );
    expect(stdout).toMatch(/\n\nbudget 2\.5 bits per weight\n {2}layer +bits +bytes\n {2}stem +float +\d/);
    expect(stdout).toMatch(
      /\nfile \d\d,\d{3} bytes, 2\.\d+ bits per weight; predicted loss [\d.e-]+, proven optimal, in/,
    );
    expect(stdout).toContain('\n\nbudget 40,000 bytes\n');
  });

  it('solve: an infeasible budget among others is said, with the smallest, and is exit code 2', async () => {
    writeConfig(folder, PAIRS);
    const { exitCode, stdout, stderr } = await bitgate(['solve', '--budgets', '3,9KB'], folder);
    expect(exitCode).toBe(2);
    const smallest = /\nbudget 9,000 bytes: no allocation fits, the smallest has ([\d,]+) bytes\n$/.exec(stdout)?.[1];
    const bytes = smallest?.replace(',', '');
    expect(stderr).toContain(
      errorText([
        `no allocation fits the budget of 9000 bytes; the smallest artifact has ${bytes} bytes`,
        `raise the budget to ${bytes} bytes or more, or offer smaller bit-widths under quantize.bits`,
      ]),
    );
  });

  it.each([
    ['another loss', { sensitivity: { method: 'auto', loss: 'mse' } }, []],
    ['other samples', { seed: 5 }, []],
    ['an empty cache', {}, ['--cache-dir', 'empty']],
  ])('solve: where nothing is kept, for %s, it is refused', async (_, changes: Settings, options) => {
    writeConfig(folder, { ...PAIRS, ...changes });
    const { exitCode, stdout, sessionCount, ...outcome } = await bitgate(['solve', ...options], folder);
    expect([exitCode, stdout, sessionCount]).toEqual([2, '', 0]);
    expect(errorsOf({ exitCode, stdout, sessionCount, ...outcome })).toBe(
      errorText([
        `${join(folder, 'bitgate.yml')}: no sensitivities are kept for this model, data and settings`,
        'run `bitgate run` once with the same config, or see `bitgate inspect` for what measuring costs',
      ]),
    );
  });

  it.each([
    [
      ['--method', 'local'],
      'local sensitivities are never kept',
      'name another method, such as --method diagonal, that was measured before',
    ],
    [
      ['--cache', 'off'],
      'no sensitivities are kept for this model, data and settings: `cache` is off',
      'set `cache: auto`',
    ],
  ])('solve: with %j it is refused', async (options, what, fix) => {
    writeConfig(folder, PAIRS);
    const { message } = await refusal(folder, ['solve', ...options]);
    expect(message).toBe(errorText([`<folder>/bitgate.yml: ${what}`, fix]));
  });

  it('solve: where activations have eight bits too there is nothing to allocate', async () => {
    const place = newFolder();
    writeConfig(place, { quantize: { bits: [8], format: 'qdq', activations: {} } });
    expect(await refusal(place, ['solve'])).toEqual({
      message: errorText([
        '<folder>/bitgate.yml: `quantize.activations` leaves nothing to allocate: every weight has 8 bits',
        'use `bitgate run`, which also tells the size',
      ]),
      sessionCount: 0,
    });
  });

  it('solve: in the form qdq, with corrections and ties, as a run has it', async () => {
    const quantize = { format: 'qdq', method: 'gptq', correct: 'affine', granularity: 'tensor', tie: [['block1.*']] };
    const place = newFolder();
    writeConfig(place, { quantize: { bits: [2, 4, 8], ...quantize }, budget: { size: '45 KB' } });
    await bitgate(['run'], place);
    const { stdout, sessionCount } = await bitgate(['solve', '--json'], place);
    const { artifact, allocation } = readResult(place);
    expect(sessionCount).toBe(0);
    expect(JSON.parse(stdout).answers).toMatchObject([{ sizeBytes: artifact.sizeBytes, allocation }]);
  });

  it('solve: what is kept in part is said, and with auto a poorer method that is whole is taken', async () => {
    const all = recordFiles().map((path) => [path, readFileSync(path, 'utf8')] as const);
    const withoutBase = (line: string) => line.includes('"unit"') && !line.includes('"base":');
    const removedCount = all.join('').split('\n').filter(withoutBase).length;
    // Several units of one base: only the first has the loss of the base alone.
    expect(removedCount).toBeGreaterThan(0);
    for (const [path, text] of all) {
      const lines = text.split('\n').filter((line) => !withoutBase(line));
      writeFileSync(path, lines.join('\n'));
    }
    writeConfig(folder, PAIRS);
    expect((await refusal(folder, ['solve'])).message).toMatch(
      /^error: <folder>\/bitgate\.yml: the sensitivities that are kept for this model, data and settings are not whole: pairwise has \d+ of 221 losses\n {2}fix: run `bitgate run` once with the same config: it measures the rest\n$/,
    );
    expect((await solve('--method', 'auto')).method).toBe('diagonal');
    for (const [path, text] of all) writeFileSync(path, text);
  });
});

describe('pareto', () => {
  async function draw(changes: Settings, ...argv: readonly string[]) {
    const place = newFolder();
    writeConfig(place, changes);
    const outcome = await bitgate(['pareto', ...argv], place);
    const report = () => JSON.parse(readFileSync(join(place, 'report/pareto.json'), 'utf8')) as ParetoReport;
    return { ...outcome, place, report };
  }

  const measuredOf = ({ points }: ParetoReport) =>
    points.filter((point): point is MeasuredPoint => point.status === 'measured');

  it('pareto: each point is what a run with its budget gives; an infeasible budget is a row; no artifact is touched', async () => {
    const { exitCode, stdout, stderr, place, report } = await draw({}, '--budgets', '2.25,3,45KB,9KB');
    expect(exitCode).toBe(0);
    expect(filesIn(place)).toEqual([
      'bitgate.yml',
      'report/pareto.html',
      'report/pareto.json',
      'report/sensitivities.json',
    ]);
    const validate = new Ajv2020({ allErrors: true, allowUnionTypes: true, strictRequired: false }).compile(schema);
    validate(report());
    expect(validate.errors).toBeNull();
    const { points } = report();
    expect(points.map(({ status }) => status)).toEqual(['measured', 'measured', 'measured', 'infeasible']);
    for (const [index, budget] of [
      ['--bits-per-weight', '2.25'],
      ['--bits-per-weight', '3'],
      ['--size', '45KB'],
    ].entries()) {
      await bitgate(['run', ...budget], place);
      const { artifact, quantized, drop, verdict, allocation, ...run } = readResult(place);
      expect(points[index]).toMatchObject({
        budget: run.budget,
        sizeBytes: artifact.sizeBytes,
        effectiveBits: artifact.effectiveBits,
        value: quantized.value,
        drop,
        verdict,
        bits: allocation.map(({ bits }) => bits),
      });
    }
    expect(stdout).toMatch(/^9,000 bytes .* infeasible +the smallest is [\d,]+ bytes$/m);
    expect(stderr.match(/^measuring layers: \d+ perturbations in /gm)).toHaveLength(1);
    expect(stderr).toMatch(/^pareto, 1 of 4: 2\.25 bits per weight, [\d,]+ bytes, top1 \d+\.\d\d %$/m);
    expect(stderr).toMatch(/^pareto, 4 of 4: 9,000 bytes is infeasible, the smallest is [\d,]+ bytes$/m);
  });

  it('pareto: by itself it spreads budgets from the smallest file to the largest, and marks what is dominated', async () => {
    const { exitCode, report, place } = await draw({ gate: { min: 0.9, 'max-drop': 0.05 }, budget: { size: '50 KB' } });
    expect(exitCode).toBe(0);
    const points = measuredOf(report());
    const sizes = points.map(({ sizeBytes }) => sizeBytes);
    expect(points).toHaveLength(6);
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
    expect([points[0]!.effectiveBits, points[5]!.effectiveBits]).toEqual([2, 8]);
    for (const point of points) {
      const isBeaten = points.some(
        ({ sizeBytes, value }) =>
          (sizeBytes < point.sizeBytes && value >= point.value) ||
          (sizeBytes <= point.sizeBytes && value > point.value),
      );
      expect(point.dominated).toBe(isBeaten);
    }
    const page = readFileSync(join(place, 'report/pareto.html'), 'utf8');
    expect(page.match(/<circle /g)).toHaveLength(6);
    for (const word of ['>float<', '>min<', '>max-drop<', '>budget<', 'size of the file, kB', '>top1<'])
      expect(page).toContain(word);
    expect(page).not.toMatch(/NaN|undefined|Infinity|<script|https?:/);
  });

  it('pareto: measures nothing that a run kept, and the search shares its time among the budgets', async () => {
    const place = newFolder();
    writeConfig(place, { quantize: { bits: [2, 4] }, search: { 'time-limit': '2s' } });
    await bitgate(['run'], place);
    const before = readFileSync(join(place, 'out/quantized.onnx'));
    const { exitCode, stderr } = await bitgate(['pareto', '--budgets', '2.5,3'], place);
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^diagonal: .* nothing to measure$/m);
    expect(readFileSync(join(place, 'out/quantized.onnx')).equals(before)).toBe(true);
    expect(filesIn(place)).toContain('report/result.json');
    rmSync(join(place, 'report'), { recursive: true });
  });

  it('pareto: where no budget can be met it is refused before a model runs', async () => {
    const place = newFolder();
    writeConfig(place);
    const { message, sessionCount } = await refusal(place, ['pareto', '--budgets', '1.5,9KB']);
    expect(sessionCount).toBe(0);
    expect(message).toMatch(
      /^error: no allocation fits the budget of 1\.5 bits per weight; the smallest has 2\n {2}fix: raise the budget, .*\nerror: no allocation fits the budget of 9000 bytes; the smallest artifact has \d+ bytes\n {2}fix: raise/,
    );
  });

  it('pareto: a config whose own budget is auto has a picture too', async () => {
    const { exitCode, report } = await draw({ budget: 'auto', gate: { 'max-drop': 0.1 } }, '--budgets', '2.5,4');
    expect([exitCode, report().budget, report().limits]).toEqual([0, undefined, { maxDrop: 0.1 }]);
  });
});
