import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import schema from '../../schemas/result.v1.schema.json' with { type: 'json' };
import { openOnnxruntimeSession } from '../../src/runtime/onnxruntime.ts';
import { bitgate, type Outcome } from './bitgate.ts';
import { imageOf, readGlyphs } from './glyph-samples.ts';
import { createFolder, EXAMPLE, filesIn, newFolder, readResult, removeFolder, writeConfig } from './workspace.ts';

const WRITTEN = [
  'out/quantized.onnx',
  'report/report.html',
  'report/result.json',
  'report/sensitivities.json',
  'report/summary.md',
];

/** The accuracy of a model file on the whole evaluation set of the example: one sample after the other, in plain words. */
async function recountTop1(path: string): Promise<number> {
  const { images, labels } = readGlyphs('evaluation');
  const session = await openOnnxruntimeSession(new Uint8Array(readFileSync(path)));
  let hits = 0;
  for (let sample = 0; sample < labels.length; sample++) {
    const data = Float32Array.from(imageOf(images, sample), (pixel) => (pixel / 255 - 0.2) / 0.25);
    const outputs = await session.run({ images: { elementType: 'float32', dims: [1, 1, 32, 32], data } });
    const [scores] = Object.values(outputs).map((output) => Array.from(output.data, Number));
    if (scores!.indexOf(Math.max(...scores!)) === Number(labels[sample])) hits += 1;
  }
  await session.release();
  return hits / labels.length;
}

/** A result without what a clock decides. */
function withoutTimes(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (key, item) =>
    /seconds$/i.test(key) || key === 'timings' || key === 'speed' ? undefined : item,
  );
}

describe('run on the example', () => {
  let folder: string;
  let outcome: Outcome;
  const artifactPath = () => join(folder, 'out/quantized.onnx');

  beforeAll(async () => {
    folder = createFolder();
    // All of it: corrections, proposals that are measured, and moves from the best.
    const quantize = { correct: 'affine', pin: { head: 8, 'down*.depthwise': 'float' }, tie: [['block1.*']] };
    const data = { evaluation: { path: join(EXAMPLE, 'data/evaluation.npz') } };
    const calibration = { path: join(EXAMPLE, 'data/calibration.npz'), samples: 64 };
    const preprocess = { scale: 255, mean: 0.2, std: 0.25 };
    writeConfig(folder, {
      quantize,
      data: { ...data, calibration, preprocess },
      search: { 'time-limit': 60 },
      gate: { min: 0.95, 'max-drop': 0.03 },
    });
    outcome = await bitgate(['run', 'bitgate.yml', '--cache-dir', 'cache/first'], folder);
  });

  afterAll(() => removeFolder(folder));

  it('run: a kept gate is exit code 0, and leaves the artifact, three forms of the report and the sensitivities, nothing else', () => {
    expect(outcome).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('bitgate: PASS') });
    expect(outcome.stdout).toContain(`report: ${join(folder, 'report')}`);
    expect(filesIn(folder)).toEqual(['bitgate.yml', ...WRITTEN].sort());
  });

  it('run: result.json satisfies its schema', () => {
    const validate = new Ajv2020({ allErrors: true, allowUnionTypes: true, strictRequired: false }).compile(schema);
    validate(readResult(folder));
    expect(validate.errors).toBeNull();
  });

  it('run: summary and page begin with the verdict, and name the artifact', () => {
    const [summary, page] = ['summary.md', 'report.html'].map((name) =>
      readFileSync(join(folder, 'report', name), 'utf8'),
    ) as [string, string];
    expect(summary.split('\n')[0]).toMatch(/^#.*pass/i);
    expect(page).toMatch(/^<!doctype html>/i);
    expect(page).toMatch(/<\/html>\n$/);
    for (const text of [summary, page]) expect(text).toContain('quantized.onnx');
  });

  it('run: the report says of the artifact what the file is', () => {
    const bytes = readFileSync(artifactPath());
    const { artifact, model } = readResult(folder);
    expect(artifact).toMatchObject({ path: artifactPath(), sizeBytes: bytes.length, sha256: sha256(bytes) });
    const float = readFileSync(join(EXAMPLE, 'glyphs.onnx'));
    expect(model).toMatchObject({ sizeBytes: float.length, sha256: sha256(float) });
  });

  it('run: the budget is kept, and the mean width is that of the allocation', () => {
    const { artifact, allocation } = readResult(folder);
    const weights = allocation.reduce((sum, { weightCount }) => sum + weightCount, 0);
    const bits = allocation.reduce((sum, layer) => sum + layer.weightCount * layer.bits, 0);
    expect(weights).toBe(101_184);
    expect(artifact.effectiveBits).toBeCloseTo(bits / weights, 12);
    expect(artifact.effectiveBits).toBeLessThanOrEqual(3);
  });

  it('run: pinned layers have their width, layers that stay float all bits, tied layers the same', () => {
    const bitsOf = Object.fromEntries(readResult(folder).allocation.map(({ layer, bits }) => [layer, bits]));
    expect(bitsOf).toMatchObject({ head: 8, 'down1.depthwise': 32, 'down2.depthwise': 32 });
    expect(bitsOf['block1.conv1']).toBe(bitsOf['block1.conv2']);
    expect([2, 3, 4, 8]).toContain(bitsOf['block3.conv1']);
  });

  it('run: both models give in a plain session, sample by sample, the accuracy that the report says', async () => {
    const { float, quantized } = readResult(folder);
    expect(float).toEqual({ metric: 'top1', value: await recountTop1(join(EXAMPLE, 'glyphs.onnx')), samples: 2048 });
    expect(quantized).toEqual({ metric: 'top1', value: await recountTop1(artifactPath()), samples: 2048 });
  });

  it('run: again, from another working directory, gives the same bytes and the same report but for times', async () => {
    const [artifact, first] = [readFileSync(artifactPath()), readResult(folder)];
    mkdirSync(join(folder, 'cache/elsewhere'), { recursive: true });
    const again = await bitgate(
      ['run', '../../bitgate.yml', '--cache-dir', '../again'],
      join(folder, 'cache/elsewhere'),
    );
    expect(again.exitCode).toBe(0);
    expect(readFileSync(artifactPath()).equals(artifact)).toBe(true);
    expect(withoutTimes(readResult(folder))).toEqual(withoutTimes(first));
  });

  it('run: progress is said in whole lines, and every stage that takes long is among them', () => {
    // Nine layers at four widths, and the pinned one.
    expect(outcome.stderr).toMatch(/^measuring layers: 37 perturbations in \d+\.\d s$/m);
    for (const activity of ['quantizing', 'choosing by measurement', 'evaluating']) {
      expect(outcome.stderr).toMatch(new RegExp(`^${activity}: \\d+ \\w+ in `, 'm'));
    }
  });
});

describe('run with options', () => {
  it('run: every option comes before the config, its paths relative to the working directory', async () => {
    const folder = newFolder();
    writeConfig(folder, { model: 'missing.onnx', budget: { bits: 8 }, sensitivity: { method: 'pairwise' } });
    mkdirSync(join(folder, 'sub'));
    const paths = ['--output', 'there/q.onnx', '--report-dir', 'there/report', '--cache-dir', 'there/cache'];
    const model = ['--model', join(EXAMPLE, 'glyphs.onnx')];
    const choices = ['--size', '48 KB', '--method', 'local', '--device', 'cpu'];
    const { exitCode } = await bitgate(['run', '../bitgate.yml', ...model, ...paths, ...choices], join(folder, 'sub'));
    expect(exitCode).toBe(0);
    const { artifact, budget, sensitivity } = readResult(folder, 'sub/there/report');
    expect(budget).toEqual({ limitBytes: 48_000, source: '48000 bytes' });
    expect(sensitivity.method).toBe('local');
    expect(artifact.path).toBe(join(folder, 'sub/there/q.onnx'));
    expect(readFileSync(artifact.path).length).toBeLessThanOrEqual(48_000);
    expect(filesIn(folder).filter((path) => !path.startsWith('sub/there'))).toEqual(['bitgate.yml']);
  });

  it('run: --bits-per-weight and a share of the file are budgets too', async () => {
    const folder = newFolder();
    writeConfig(folder);
    expect(await bitgate(['run', '--bits-per-weight', '2.25'], folder)).toMatchObject({ exitCode: 0 });
    expect(readResult(folder).budget).toEqual({ limitBitsPerWeight: 2.25, source: '2.25 bits per weight' });
    expect(readResult(folder).artifact.effectiveBits).toBeLessThanOrEqual(2.25);
    expect(await bitgate(['run', '--size', '10%'], folder)).toMatchObject({ exitCode: 0 });
    expect(readResult(folder).budget).toEqual({ limitBytes: 41_953, source: '10 % of the float file' });
    expect(readFileSync(join(folder, 'out/quantized.onnx')).length).toBeLessThanOrEqual(41_953);
  });
});

describe('run whose gate does not pass', () => {
  it('run: a failed gate is exit code 1, with the best artifact found and the whole report', async () => {
    const folder = newFolder();
    writeConfig(folder, { budget: { bits: 2 }, gate: { min: 0.9, 'max-drop': 0.01, 'max-size': '30 KB' } });
    const outcome = await bitgate(['run'], folder);
    expect(outcome).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('bitgate: FAIL') });
    expect(filesIn(folder)).toEqual(['bitgate.yml', ...WRITTEN].sort());
    const { verdict, checks, artifact } = readResult(folder);
    expect(verdict).toBe('fail');
    expect(checks.map(({ name, passed }) => [name, passed])).toEqual([
      ['mean width', true],
      ['artifact size', false],
      ['top1', false],
      ['top1 drop', false],
      ['non-finite outputs', true],
    ]);
    expect(readFileSync(join(folder, 'out/quantized.onnx')).length).toBe(artifact.sizeBytes);
  });

  it.each([
    ['fail', 1],
    ['warn', 0],
  ])(
    'run: a limit inside its interval is inconclusive, which with `%s` is exit code %d',
    async (inconclusive, exitCode) => {
      const folder = newFolder();
      writeConfig(folder, { budget: { bits: 6 }, gate: { 'max-drop': 0.001, confidence: 0.95, inconclusive } });
      expect(await bitgate(['run'], folder)).toMatchObject({ exitCode });
      const { verdict, checks } = readResult(folder);
      const drop = checks.find(({ name }) => name === 'top1 drop')!;
      expect(verdict).toBe('inconclusive');
      expect(drop.outcome).toBe('inconclusive');
      expect(drop.interval!.lower).toBeLessThan(0.001);
      expect(drop.interval!.upper).toBeGreaterThan(0.001);
      expect(filesIn(folder)).toEqual(['bitgate.yml', ...WRITTEN].sort());
    },
  );
});

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
