import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, it } from 'vitest';
import schema from '../../schemas/result.v1.schema.json' with { type: 'json' };
import { MOST_STEPS, SIZE_TOLERANCE } from '../../src/select/find-smallest-passing.ts';
import { bitgate } from './bitgate.ts';
import { errorText, refusal } from './refusal.ts';
import { filesIn, newFolder, readResult, type Settings, writeConfig } from './workspace.ts';

const DROP = { 'max-drop': 0.03 };

async function runAuto(changes: Settings) {
  const folder = newFolder();
  writeConfig(folder, { budget: 'auto', gate: DROP, ...changes });
  const outcome = await bitgate(['run'], folder);
  const result = readResult(folder);
  return { ...outcome, folder, result, search: result.sizeSearch! };
}

it('budget auto: the answer passes, is the file that is left, and the next smaller model that was measured fails', async () => {
  const { exitCode, result, search, stdout, stderr, folder } = await runAuto({});
  expect([exitCode, result.verdict]).toEqual([0, 'pass']);
  const validate = new Ajv2020({ allErrors: true, allowUnionTypes: true, strictRequired: false }).compile(schema);
  validate(result);
  expect(validate.errors).toBeNull();
  expect(readFileSync(join(folder, 'out/quantized.onnx')).length).toBe(result.artifact.sizeBytes);

  const chosen = search.steps.find((step) => step.chosen)!;
  expect(chosen).toMatchObject({ passed: true, sizeBytes: result.artifact.sizeBytes, value: result.quantized.value });
  expect(result.budget).toEqual({ limitBytes: chosen.limitBytes, source: 'auto' });
  const passed = search.steps.filter((step) => step.passed).map(({ sizeBytes }) => sizeBytes);
  expect(chosen.sizeBytes).toBe(Math.min(...passed));
  const smaller = search.steps.filter(({ limitBytes }) => limitBytes < chosen.sizeBytes);
  const next = smaller.toSorted((a, b) => b.limitBytes - a.limitBytes)[0]!;
  expect(next.passed).toBe(false);
  expect(next.drop).toBeGreaterThan(DROP['max-drop']);
  expect(chosen.sizeBytes - next.limitBytes).toBeLessThanOrEqual(SIZE_TOLERANCE * chosen.sizeBytes);
  expect(search.steps.length).toBeLessThanOrEqual(MOST_STEPS);
  expect(search.evaluations).toBeLessThanOrEqual(search.steps.length);

  expect(stdout).toContain(`samples were looked at ${search.evaluations} times\n`);
  expect(stderr).toMatch(/^budget auto, step 1: \d+ bytes allowed, \d+ taken, top1 \d+\.\d\d %: pass$/m);
  // Sensitivities are measured once for all steps: twelve layers at four widths in one session.
  expect(stderr.match(/^measuring layers: \d+ perturbations in /gm)).toHaveLength(1);
});

it('budget auto: a run with the size that it found has the same allocation and passes too', async () => {
  const { result, search, folder } = await runAuto({});
  const limit = search.steps.find((step) => step.chosen)!.limitBytes;
  const again = await bitgate(['run', '--size', String(limit), '--report-dir', 'again'], folder);
  expect(again.exitCode).toBe(0);
  const { allocation, quantized, artifact } = readResult(folder, 'again');
  expect([allocation, quantized]).toEqual([result.allocation, result.quantized]);
  expect(artifact.sizeBytes).toBe(result.artifact.sizeBytes);
});

it('budget auto: where no size passes, the gate fails with the largest model and says so', async () => {
  const { exitCode, result, search, stdout, folder } = await runAuto({
    gate: { min: 1 },
    quantize: { bits: [2, 3] },
  });
  expect([exitCode, result.verdict, search.evaluations]).toEqual([1, 'fail', 1]);
  expect(search.steps).toMatchObject([{ passed: false, chosen: true, effectiveBits: 3 }]);
  expect(stdout).toContain(
    `no size passes: not even the largest model does, of ${String(result.artifact.sizeBytes).replace(/\d{3}$/, ',$&')} bytes; the 256 evaluation samples were looked at once`,
  );
  expect(filesIn(folder)).toContain('out/quantized.onnx');
});

it('budget auto: with a confidence, each look has the level that all of them together need', async () => {
  const { result, search, stdout } = await runAuto({
    gate: { 'max-drop': 0.2, confidence: 0.9 },
    search: { 'time-limit': '1s' },
    quantize: { bits: [3, 8], method: 'gptq', correct: 'affine' },
  });
  expect(search.confidence).toBeCloseTo(0.99, 12);
  expect(result.intervals!.drop.confidence).toBeCloseTo(0.99, 12);
  expect(stdout).toContain('each with intervals of 99 %');
});

it('budget auto: nothing larger than max-size is looked for, and one that nothing fits is refused before a model runs', async () => {
  const { result, search } = await runAuto({ gate: { ...DROP, 'max-size': '45 KB' } });
  expect(search.steps[0]!.limitBytes).toBe(45_000);
  expect(result.artifact.sizeBytes).toBeLessThanOrEqual(45_000);
  const folder = newFolder();
  writeConfig(folder, { budget: 'auto', gate: { ...DROP, 'max-size': '9 KB' } });
  const { message, sessionCount } = await refusal(folder);
  const line = readFileSync(join(folder, 'bitgate.yml'), 'utf8').split('\n').indexOf('  max-size: 9 KB') + 1;
  expect(sessionCount).toBe(0);
  const smallest = /artifact has (\d+) bytes/.exec(message)?.[1];
  expect(message).toBe(
    errorText([
      `bitgate.yml:${line}:13: no allocation fits the budget of 9000 bytes; the smallest artifact has ${smallest} bytes`,
      `raise the budget to ${smallest} bytes or more, or offer smaller bit-widths under quantize.bits`,
    ]),
  );
});

it('budget auto: without a limit on the accuracy it is refused, with its line', async () => {
  const folder = newFolder();
  writeConfig(folder, { budget: 'auto' });
  expect((await refusal(folder)).message).toBe(
    errorText([
      'bitgate.yml:5:9: the budget is auto, the smallest model that passes the gate, and the gate has no limit on the accuracy',
      'set `gate.max-drop` or `gate.min`, or name a size',
    ]),
  );
});
