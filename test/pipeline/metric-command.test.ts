/** A gate by the user's own command: real processes, the real runtime. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import PARETO_SCHEMA from '../../schemas/pareto.v1.schema.json' with { type: 'json' };
import RESULT_SCHEMA from '../../schemas/result.v1.schema.json' with { type: 'json' };
import { isAlive } from '../entry/is-alive.ts';
import { bitgate, errorsOf } from './bitgate.ts';
import { refusal } from './refusal.ts';
import { EXAMPLE, filesIn, newFolder, readResult, type Settings, writeConfig, writeTo } from './workspace.ts';

type Evaluate = Readonly<Record<string, unknown>>;

/** The quick example, measured by a command. */
function writeCommandConfig(folder: string, evaluate: Evaluate, gate: Settings = {}): void {
  writeConfig(folder, { data: { evaluation: undefined }, gate: { metric: 'command', ...gate }, evaluate });
}

/** A script that prints one line for the float model and another for the rest, and writes down on what it ran. */
function printing(folder: string, float: string, artifact = float): string[] {
  const script = `import { appendFileSync } from 'node:fs';
const model = process.argv.at(-1);
appendFileSync('ran-on', model + '\\n');
const isFloat = model.endsWith('glyphs.onnx');
process.stdout.write(isFloat ? ${JSON.stringify(float)} : ${JSON.stringify(artifact)});
`;
  writeTo(folder, 'measure.mjs', script);
  return [process.execPath, 'measure.mjs'];
}

function expectSchema(schema: object, value: unknown): void {
  const validate = new Ajv2020({ allowUnionTypes: true, strictRequired: false }).compile(schema);
  validate(value);
  expect(validate.errors).toBeNull();
}

function ranOn(folder: string): string[] {
  return readFileSync(join(folder, 'ran-on'), 'utf8').trimEnd().split('\n');
}

describe('run, measured by a command', () => {
  it('run: a command that measures top1 gives the values, the drop and the intervals of top1', async () => {
    const folder = newFolder();
    const limits = { min: 0.5, 'max-drop': 0.2, confidence: 0.95 };
    writeConfig(folder, { gate: { metric: 'top1', ...limits } });
    expect(await bitgate(['run'], folder)).toMatchObject({ exitCode: 0 });
    const own = readResult(folder);

    const command = [process.execPath, join(import.meta.dirname, 'measure-top1.ts'), '256'];
    writeCommandConfig(folder, { command }, limits);
    const { exitCode, stderr, stdout } = await bitgate(['run'], folder);
    expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
    const result = readResult(folder);
    expectSchema(RESULT_SCHEMA, result);
    expect(result.float).toEqual({ ...own.float, metric: 'command' });
    expect(result.quantized).toEqual({ ...own.quantized, metric: 'command' });
    expect([result.drop, result.intervals]).toEqual([own.drop, own.intervals]);
    expect(result.artifact).toEqual(own.artifact);
    expect(result.checks.map(({ name, outcome }) => [name, outcome])).toEqual([
      ['mean width', 'pass'],
      ['command', 'pass'],
      ['command drop', 'pass'],
    ]);
    expect([result.klToFloat, result.agreement, result.nonFiniteCount]).toEqual([undefined, undefined, undefined]);
    expect(stdout).toMatch(/command 0\.\d+ in float, 0\.\d+ quantized, on 256 samples/);
    expect(stderr).toMatch(/^the command gives 0\.\d+ for the float model$/m);
  });

  it('run: the command runs on the float model, then on the written output, in the folder of the config', async () => {
    const folder = newFolder();
    const command = printing(folder, '{"value": 22.5}', '{"value": 21.25, "samples": 40}');
    writeCommandConfig(folder, { command }, { min: 22 });
    const differing = await bitgate(['run'], folder);
    expect(errorsOf(differing)).toContain(
      `the command printed for the quantized model 40 samples, and for the float model no number of samples\n  fix: measure every model on the same samples\n`,
    );
    // What was found is there, although it could not be measured.
    expect(existsSync(join(folder, 'out/quantized.onnx'))).toBe(true);

    printing(folder, '{"value": 22.5}', '{"value": 21.25}');
    const { exitCode, stdout } = await bitgate(['run'], folder);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('✗ command                    21.25  at least 22\n');
    expect(stdout).toContain('command 22.5 in float, 21.25 quantized\n');
    expect(ranOn(folder).slice(-2)).toEqual([join(EXAMPLE, 'glyphs.onnx'), join(folder, 'out/quantized.onnx')]);
    expect(readResult(folder).quantized).toEqual({ metric: 'command', value: 21.25 });
    expectSchema(RESULT_SCHEMA, readResult(folder));
  });

  it('run: values of which less is better, with the interval of their difference', async () => {
    const folder = newFolder();
    const line = (add: number) => {
      const values = Array.from({ length: 40 }, (_, sample) => (sample % 7) + add * (1 + (sample % 3)));
      return JSON.stringify({ value: values.reduce((sum, value) => sum + value, 0) / 40, values });
    };
    const command = printing(folder, line(0), line(0.1));
    const limits = { max: 4, 'max-drop': 0.3, confidence: 0.9 };
    writeCommandConfig(folder, { command, better: 'lower' }, limits);
    expect(await bitgate(['run'], folder)).toMatchObject({ exitCode: 0 });
    const { drop, intervals, quantized, float } = readResult(folder);
    expect(quantized.value - float.value).toBeCloseTo(drop, 12);
    // Each sample is worse by 0.1 to 0.3, which the samples themselves, 0 to 6, would hide.
    expect(intervals!.drop).toMatchObject({ method: 'bootstrap', confidence: 0.9 });
    expect(intervals!.drop.lower).toBeGreaterThan(0.15);
    expect(intervals!.drop.upper).toBeLessThan(0.25);
    expect(intervals!.quantized.upper - intervals!.quantized.lower).toBeGreaterThan(0.5);
  });

  it('pareto: each model stands in a file of the output’s name for the command, and in none afterwards', async () => {
    const folder = newFolder();
    const command = `${printing(folder, '{"value": 1}', '{"value": 0.9}').join(' ')} "$BITGATE_MODEL"`;
    writeCommandConfig(folder, { command }, { 'max-drop': 0.5 });
    const { exitCode, stdout, stderr } = await bitgate(['pareto', '--budgets', '3,4'], folder);
    expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/^3 bits per weight .* 0\.9 +0\.1 +passed/m);
    expectSchema(PARETO_SCHEMA, JSON.parse(readFileSync(join(folder, 'report/pareto.json'), 'utf8')));
    const [float, ...artifacts] = ranOn(folder);
    expect(float).toBe(join(EXAMPLE, 'glyphs.onnx'));
    expect(artifacts).toHaveLength(2);
    for (const path of artifacts) {
      expect([basename(path), dirname(dirname(path))]).toEqual(['quantized.onnx', join(folder, 'out')]);
    }
    expect(filesIn(folder)).toEqual([
      'bitgate.yml',
      'measure.mjs',
      'ran-on',
      'report/pareto.html',
      'report/pareto.json',
      'report/sensitivities.json',
    ]);
  });

  it('pareto: what fails on a model that is gone says how to get one', async () => {
    const folder = newFolder();
    writeCommandConfig(folder, { command: printing(folder, '{"value": 1}', 'oh') });
    const outcome = await bitgate(['pareto', '--budgets', '3'], folder);
    expect(outcome.exitCode).toBe(2);
    expect(errorsOf(outcome)).toMatch(
      /^error: bitgate\.yml:\d+:\d+: the last line that the command printed on the quantized model cannot be used: it is no JSON: oh\n {2}fix: .*; let `bitgate run` leave a quantized model, and run it by hand on that\n$/,
    );
    expect(filesIn(folder)).toEqual(['bitgate.yml', 'measure.mjs', 'ran-on', 'report/sensitivities.json']);
  });

  it('inspect: does not run the command', async () => {
    const folder = newFolder();
    writeCommandConfig(folder, { command: ['./no-such-program'] });
    expect(await bitgate(['inspect'], folder)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('64 calibration samples, evaluation by a command\n'),
    });
  });
});

describe('run, interrupted while the command runs', () => {
  const PROGRAM = resolve(import.meta.dirname, '../../src/entry/bin.ts');
  /** Deaf to SIGTERM, and never done. */
  const SCRIPT = `import { writeFileSync } from 'node:fs';
process.on('SIGTERM', () => {});
setInterval(() => {}, 1000);
writeFileSync('number', String(process.pid));
`;

  // The runner kills a cancelled job 10 s after the first signal.
  it.each([
    ['once', 1, 6_000],
    ['twice', 2, 2_000],
  ])('run: interrupted %s, it ends in time and leaves no process', async (_, signalCount, atMost) => {
    const folder = newFolder();
    writeTo(folder, 'measure.mjs', SCRIPT);
    writeCommandConfig(folder, { command: [process.execPath, 'measure.mjs'] });
    const child = spawn(process.execPath, [PROGRAM, 'run', '--cache', 'off'], { cwd: folder, stdio: 'ignore' });
    const ended = new Promise((done) => child.on('close', done));
    while (!existsSync(join(folder, 'number')) && child.exitCode === null) await sleep(20);
    const begun = performance.now();
    for (let count = 0; count < signalCount; count++) {
      child.kill('SIGINT');
      await sleep(100);
    }
    expect(await ended).toBe(130);
    expect(performance.now() - begun).toBeLessThan(atMost);
    const pid = Number(readFileSync(join(folder, 'number'), 'utf8'));
    for (let tries = 0; tries < 150 && isAlive(pid); tries++) await sleep(20);
    expect(isAlive(pid)).toBe(false);
  });
});

/** A script, and what is refused of it before sensitivities are measured. */
describe('run, with a command that cannot be used', () => {
  const EXPECTED = 'print one line of JSON at the end, such as {"value": 0.91}, as docs/metric-command.md says';

  /** @param rest of the message, from the line of the command on */
  async function expectRefused(script: string, rest: string | RegExp, evaluate: Evaluate = {}, gate: Settings = {}) {
    const folder = newFolder();
    writeTo(folder, 'measure.mjs', script);
    writeCommandConfig(folder, { command: [process.execPath, 'measure.mjs'], ...evaluate }, gate);
    const { message } = await refusal(folder);
    const text = message.replaceAll(process.execPath, 'node').replaceAll(realpathSync(folder), '<folder>');
    const [, place, found] = /^error: bitgate\.yml:(\d+:\d+): (.*)$/s.exec(text) ?? [undefined, undefined, text];
    expect(place).toBeDefined();
    if (typeof rest === 'string') expect(found).toBe(rest);
    else expect(found).toMatch(rest);
  }

  const BY_HAND = 'run it by hand in <folder>: node measure.mjs <example>/glyphs.onnx\n';

  it.each([
    [
      'that fails',
      'console.error("a\\nTraceback: no module ::error::named x"); process.exit(3)',
      `the command ended with exit code 3 on the float model:\n  a\n  Traceback: no module ::error::named x\n  fix: ${BY_HAND}`,
    ],
    [
      'that fails without a word',
      'process.exit(1)',
      `the command ended with exit code 1 on the float model, and said nothing\n  fix: ${BY_HAND}`,
    ],
    ['that prints nothing', '', `the command printed nothing on the float model\n  fix: ${EXPECTED}; ${BY_HAND}`],
    [
      'that prints no JSON',
      'console.log("top1 = 0.9")',
      `the last line that the command printed on the float model cannot be used: it is no JSON: top1 = 0.9\n  fix: ${EXPECTED}; ${BY_HAND}`,
    ],
    [
      'that prints NaN',
      `console.log('{"value": NaN}')`,
      `the last line that the command printed on the float model cannot be used: it holds NaN, which is no JSON and no result: {"value": NaN}\n  fix: ${EXPECTED}; ${BY_HAND}`,
    ],
  ])('run: a command %s is refused', async (_, script, rest) => {
    await expectRefused(script, rest);
  });

  it.each([
    ['0.91', 'it is 0.91, expected a map with the keys value, correct, values, samples'],
    ['{"accuracy": 1}', '`value` is missing, expected a number'],
    ['{"value": 1, "sample": 3}', 'unknown key `sample`, expected one of value, correct, values, samples'],
    ['{"value": "high"}', '`value` is "high", expected a number'],
    ['{"value": 1e999}', '`value` is Infinity, expected a number'],
    ['{"value": 1, "values": [1, null]}', '`values[1]` is empty, expected a number'],
    ['{"value": 1, "correct": [1, 2]}', '`correct[1]` is 2, expected one of 0, 1, true, false'],
    ['{"value": 1, "correct": [1], "values": [1]}', 'it has both `correct` and `values`'],
    ['{"value": 0.9, "correct": [1, false]}', '`value` is 0.9, and the mean of `correct` is 0.5'],
    ['{"value": 2, "values": [1, 3], "samples": 3}', '`samples` is 3, and `values` has 2'],
  ])('run: the line %s is refused', async (line, complaint) => {
    await expectRefused(
      `console.log(${JSON.stringify(line)})`,
      `the last line that the command printed on the float model cannot be used: ${complaint}: ${line}\n  fix: ${EXPECTED}; ${BY_HAND}`,
    );
  });

  it('run: a program that is not there is refused', async () => {
    await expectRefused(
      '',
      'the command cannot be started: spawn ./no-such-program ENOENT\n  fix: check the program; a path to it is relative to the folder of the config\n',
      { command: ['./no-such-program'] },
    );
  });

  it('run: a line for the shell is told as one', async () => {
    await expectRefused(
      '',
      /^the command ended with exit code 127 on the float model:\n {2}.*no-such.*\n {2}fix: run it by hand in <folder>: BITGATE_MODEL=<example>\/glyphs\.onnx sh -c 'no-such "\$BITGATE_MODEL"'\n$/,
      { command: 'no-such "$BITGATE_MODEL"' },
    );
  });

  it('run: a command that takes too long is ended and refused', async () => {
    await expectRefused(
      'console.error("epoch 1"); setInterval(() => {}, 1000)',
      'the command took longer than 0.5 s on the float model, and was ended:\n  epoch 1\n  fix: raise `evaluate.time-limit`, or measure on fewer samples\n',
      { 'time-limit': 0.5 },
    );
  });

  it('run: hits, where less is better, are refused', async () => {
    await expectRefused(
      `console.log('{"value": 1, "correct": [1]}')`,
      'the command prints `correct`, of which more is better, and `evaluate.better` is lower\n  fix: print `values` instead, or set `evaluate.better: higher`\n',
      { better: 'lower' },
    );
  });

  it('run: a confidence without the results of samples is refused', async () => {
    await expectRefused(
      `console.log('{"value": 1, "samples": 100}')`,
      '`gate.confidence` needs the result of every sample, which the command does not print\n  fix: print `correct` or `values` besides `value` (docs/metric-command.md), or remove `gate.confidence`\n',
      {},
      { confidence: 0.95, min: 0.5 },
    );
  });
});
