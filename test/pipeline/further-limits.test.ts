import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { beforeAll, describe, expect, it } from 'vitest';
import schema from '../../schemas/result.v1.schema.json' with { type: 'json' };
import type { GateReport, LayerReport } from '../../src/report/gate-report.ts';
import type { MeasuredPoint, ParetoReport } from '../../src/report/pareto-report.ts';
import type { SolvedReport } from '../../src/report/solved-report.ts';
import { bitgate } from './bitgate.ts';
import { errorText, refusal } from './refusal.ts';
import { createFolder, newFolder, readResult, removeFolder, type Settings, writeConfig, writeTo } from './workspace.ts';

const WIDTHS = [2, 3, 4, 8];

/** Of the example, with nothing but the budget. */
let free: GateReport;

beforeAll(async () => {
  const folder = createFolder();
  try {
    writeConfig(folder, { quantize: { bits: WIDTHS } });
    expect((await bitgate(['run'], folder)).exitCode).toBe(0);
    free = readResult(folder);
  } finally {
    removeFolder(folder);
  }
});

/** Milliseconds that grow with the layer's place and with the bits: the wide early layers, which are cheap in bytes, cost as much. */
function costOf(layer: number, width: number): number {
  return (1 + (layer % 3)) * (1 + width / 4);
}

function writeTable(folder: string, widths: readonly (number | 'float')[] = WIDTHS): void {
  const rows = free.allocation.map(({ layer }, index) => [
    layer,
    Object.fromEntries(widths.map((width) => [width, costOf(index, width === 'float' ? 32 : width)])),
  ]);
  writeTo(folder, 'latency.json', JSON.stringify({ version: 1, unit: 'ms', costs: Object.fromEntries(rows) }));
}

function latencyOf(allocation: readonly LayerReport[]): number {
  return allocation.reduce((sum, { bits }, index) => sum + costOf(index, bits), 0);
}

async function run(changes: Settings, argv = ['run']): Promise<GateReport> {
  const folder = newFolder();
  writeTable(folder);
  writeConfig(folder, { quantize: { bits: WIDTHS }, ...changes });
  const { exitCode, stdout, stderr } = await bitgate(argv, folder);
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
  const result = readResult(folder);
  const validate = new Ajv2020({ allErrors: true, strictRequired: false }).compile(schema);
  validate(result);
  expect(validate.errors).toBeNull();
  for (const { name } of result.constraints ?? []) {
    expect(stdout).toContain(`further limit  ${name}, `);
    for (const form of ['summary.md', 'report.html'])
      expect(readFileSync(join(folder, 'report', form), 'utf8')).toContain(`${name}, `);
  }
  return result;
}

const bitsOf = ({ allocation }: GateReport) => allocation.map(({ bits }) => bits);

describe('further limits', () => {
  it('run: a table of costs changes the allocation, and what it uses is the sum over the table', async () => {
    const limit = 0.9 * latencyOf(free.allocation);
    const result = await run({ constraints: [{ name: 'latency', costs: 'latency.json', limit }] });
    expect(bitsOf(result)).not.toEqual(bitsOf(free));
    const used = latencyOf(result.allocation);
    expect(result.constraints).toEqual([{ name: 'latency', unit: 'ms', limit, used }]);
    expect(used).toBeLessThanOrEqual(limit);
    expect(result.artifact.effectiveBits).toBeLessThanOrEqual(3);
    expect(result.solver.objective).toBeGreaterThan(free.solver.objective);
  });

  it('run: a limit on bit operations, as a share and as their number, with several limits at once', async () => {
    const shared = await run({ constraints: [{ bops: '8%' }] });
    const [{ name, used, limit }] = shared.constraints as [NonNullable<GateReport['constraints']>[number]];
    expect([name, used <= limit]).toEqual(['bops', true]);
    expect(bitsOf(shared)).not.toEqual(bitsOf(free));
    const counted = await run({ constraints: [{ bops: limit }] });
    expect([bitsOf(counted), counted.constraints]).toEqual([bitsOf(shared), shared.constraints]);

    const latency = 0.9 * latencyOf(shared.allocation);
    const both = await run({
      constraints: [{ name: 'latency', costs: 'latency.json', limit: latency, unit: 'ms' }, { bops: '8%' }],
    });
    expect(both.constraints?.map(({ name, ...amounts }) => [name, amounts.used <= amounts.limit])).toEqual([
      ['latency', true],
      ['bops', true],
    ]);
    expect(both.constraints![0]!.used).toBe(latencyOf(both.allocation));
  });

  it('run: the choice by measurement, its moves and what is left over keep them too; tied layers cost what both cost', async () => {
    const result = await run({
      quantize: { bits: WIDTHS, tie: [['block1.*']] },
      sensitivity: { method: 'pairwise' },
      search: { 'time-limit': 15 },
      constraints: [{ bops: '9%' }, { name: 'latency', costs: 'latency.json', limit: 45 }],
    });
    expect(result.selection!.candidates.length).toBeGreaterThan(2);
    for (const { used, limit } of result.constraints!) expect(used).toBeLessThanOrEqual(limit);
    expect(result.constraints![1]!.used).toBe(latencyOf(result.allocation));
  });

  it('run: budget auto looks among the models that keep them', async () => {
    const gate = { 'max-drop': 0.5 };
    const result = await run({
      budget: 'auto',
      gate,
      constraints: [{ name: 'latency', costs: 'latency.json', limit: 40 }],
    });
    expect(latencyOf(result.allocation)).toBeLessThanOrEqual(40);
    expect(result.constraints![0]!.used).toBe(latencyOf(result.allocation));
  });

  it('run: integer kernels count eight bits on both sides, a layer left in float counts as float', async () => {
    const quantize = { bits: [8], format: 'qdq', activations: {}, pin: { head: 'float' } };
    const whole = await run({
      quantize: { ...quantize, pin: {} },
      budget: { bits: 8 },
      constraints: [{ bops: '6.25%' }],
    });
    // 8 · 8 of 32 · 32.
    expect(whole.constraints![0]!.used).toBe(whole.constraints![0]!.limit);
    const pinned = await run({ quantize, budget: { bits: 9 }, constraints: [{ bops: '10%' }] });
    expect(pinned.constraints![0]!.used).toBeGreaterThan(whole.constraints![0]!.used);
  });
});

describe('further limits, other commands', () => {
  it('solve: the allocation and what it uses are those of a run; a budget that they leave nothing is explained', async () => {
    const folder = newFolder();
    writeTable(folder);
    const limit = 0.95 * latencyOf(free.allocation);
    writeConfig(folder, { constraints: [{ name: 'latency', costs: 'latency.json', limit }] });
    expect((await bitgate(['run'], folder)).exitCode).toBe(0);
    const { allocation, constraints } = readResult(folder);
    const { stdout, sessionCount } = await bitgate(['solve', '--json'], folder);
    expect(sessionCount).toBe(0);
    expect((JSON.parse(stdout) as SolvedReport).answers).toMatchObject([{ allocation, constraints }]);
    expect((await bitgate(['solve'], folder)).stdout).toMatch(/\nlatency, [\d.]+ of at most [\d.]+ ms\nfile /);
  });

  it('pareto: no point exceeds them, and a budget that they leave nothing says what does', async () => {
    const folder = newFolder();
    // The other way round: what is small is slow.
    const rows = free.allocation.map(({ layer }) => [
      layer,
      Object.fromEntries(WIDTHS.map((width) => [width, 10 - width])),
    ]);
    writeTo(folder, 'latency.json', JSON.stringify({ version: 1, costs: Object.fromEntries(rows) }));
    const limit = 4 * free.allocation.length;
    writeConfig(folder, {
      quantize: { bits: WIDTHS },
      constraints: [{ name: 'latency', costs: 'latency.json', limit }],
    });
    const { exitCode, stdout } = await bitgate(['pareto', '--budgets', '2.1,7'], folder);
    expect(exitCode).toBe(0);
    const row = /^2\.1 bits per weight .* infeasible +the smallest is ([\d.]+) bits per weight$/m.exec(stdout);
    expect(Number(row?.[1])).toBeGreaterThan(2.1);
    const report = JSON.parse(readFileSync(join(folder, 'report/pareto.json'), 'utf8')) as ParetoReport;
    const { bits } = report.points[1] as MeasuredPoint;
    expect(bits.reduce((sum, width) => sum + 10 - width, 0)).toBeLessThanOrEqual(limit);

    const solved = await bitgate(['solve', '--budgets', '2.1,7'], folder);
    expect(solved.exitCode).toBe(2);
    expect(solved.stdout).toMatch(
      /^budget 2\.1 bits per weight: no allocation fits, the smallest has [\d.]+ bits per weight$/m,
    );
    expect(solved.stderr).toMatch(
      /^error: no allocation keeps 'bits per weight' at 2\.1 or less and 'latency' at \d+ or less together; each of them can be kept alone\n {2}fix: raise one limit/m,
    );
    expect((await refusal(folder, ['pareto', '--budgets', '2.1'])).message).toMatch(
      /^error: no allocation keeps 'bits per/,
    );
  });

  it('inspect: shows the least that is possible of each, and why they contradict each other', async () => {
    const folder = newFolder();
    writeTable(folder);
    const least = free.allocation.reduce((sum, _, index) => sum + costOf(index, 2), 0);
    writeConfig(folder, {
      constraints: [{ bops: '8%' }, { name: 'latency', costs: 'latency.json', limit: least - 1 }],
    });
    const { exitCode, stdout } = await bitgate(['inspect'], folder);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^bops: at most [\d,]+, the least possible is [\d,]+$/m);
    expect(stdout).toContain(`\nlatency: at most ${least - 1} ms, the least possible is ${least} ms\n`);
    expect(stdout).toContain(
      `\nno allocation keeps 'latency in ms' at ${least - 1} or less; the least possible is ${least}\n  fix: raise the limit of 'latency in ms' to ${least} or more\n`,
    );
  });

  it('validate: reads the table', async () => {
    const folder = newFolder();
    writeConfig(folder, { constraints: [{ name: 'latency', costs: 'latency.json', limit: 3 }] });
    expect(await refusal(folder, ['validate'])).toEqual({
      message: errorText([
        '<folder>/latency.json: the file of costs is missing',
        'check the path, which is relative to the config',
      ]),
      sessionCount: 0,
    });
    writeTo(folder, 'latency.json', '{ "version": 1, "costs": 3 }');
    expect((await refusal(folder, ['validate'])).message).toMatch(
      /^error: <folder>\/latency\.json: `costs` is 3, expected a map/,
    );
  });
});

describe('bad further limits', () => {
  async function messageOf(
    constraints: readonly object[],
    changes: Settings = {},
    widths?: readonly (number | 'float')[],
  ) {
    const folder = newFolder();
    writeTable(folder, widths);
    writeConfig(folder, { ...changes, constraints });
    return refusal(folder);
  }

  const PLACE = /^error: bitgate\.yml:\d+:\d+: /;

  it('run: limits that go alone but not together, before any session, with the smallest relaxation of each', async () => {
    const folder = newFolder();
    const rows = free.allocation.map(({ layer }) => [
      layer,
      Object.fromEntries(WIDTHS.map((width) => [width, 10 - width])),
    ]);
    writeTo(folder, 'latency.json', JSON.stringify({ version: 1, costs: Object.fromEntries(rows) }));
    const limit = 3 * free.allocation.length;
    const settings = (budget: object, most: number) =>
      writeConfig(folder, { budget, constraints: [{ name: 'latency', costs: 'latency.json', limit: most }] });
    settings({ size: '40 KB' }, limit);
    const { message, sessionCount } = await refusal(folder);
    expect(sessionCount).toBe(0);
    expect(message).toMatch(PLACE);
    const [, bytes, slowest] =
      /'size in bytes' at 40000 or less and 'latency' at \d+ or less together; each of them can be kept alone\n {2}fix: raise one limit and leave the others: (?=.*'size in bytes' to (\d+))(?=.*'latency' to (\d+))/.exec(
        message,
      ) ?? [];
    // Each of them is enough, and no less is.
    for (const [size, most, code] of [
      [Number(bytes), limit, 0],
      [Number(bytes) - 1, limit, 2],
      [40_000, Number(slowest), 0],
      [40_000, Number(slowest) - 1, 2],
    ] as const) {
      settings({ size }, most);
      expect([size, most, (await bitgate(['run'], folder)).exitCode]).toEqual([size, most, code]);
    }
  });

  it('run: one that is impossible alone, at its place, before the sweep', async () => {
    const { message } = await messageOf([{ bops: '5%' }]);
    expect(message).toMatch(PLACE);
    expect(message).toMatch(/no allocation keeps 'bops' at \d+ or less; the least possible is \d+\n/);
  });

  it('run: a pinned layer that alone exceeds one is named', async () => {
    const changes = { quantize: { bits: WIDTHS, pin: { stem: 'float' } } };
    const limits = [{ name: 'latency', costs: 'latency.json', limit: 8 }];
    const { message, sessionCount } = await messageOf(limits, changes, [...WIDTHS, 'float']);
    expect(sessionCount).toBe(0);
    expect(message).toContain("; layer 'stem' alone takes 9 in float, its only width\n");
  });

  it('run: a table without some costs, and with what is no layer, before any session', async () => {
    const changes = { quantize: { bits: WIDTHS, pin: { head: 'float' } } };
    const limits = [{ bops: '50%' }, { name: 'latency', costs: 'latency.json', limit: 100 }];
    const { message, sessionCount } = await messageOf(limits, changes);
    expect(sessionCount).toBe(0);
    expect(message).toBe(
      errorText([
        "<folder>/latency.json: no cost for 'head' at float",
        'add a cost for each, 0 where a layer costs nothing',
      ]),
    );
  });

  it('run: a limit in another unit than its costs', async () => {
    const { message, sessionCount } = await messageOf([
      { name: 'latency', costs: 'latency.json', limit: 100, unit: 'us' },
    ]);
    expect(sessionCount).toBe(0);
    expect(message).toMatch(
      /^error: bitgate\.yml:\d+:\d+: the limit 'latency' is in us, but its costs are in ms \(<folder>\/latency\.json\)\n {2}fix: give both in one unit\n$/,
    );
  });
});
