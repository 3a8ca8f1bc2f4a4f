import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EvaluationReport } from '../../src/report/evaluation-report.ts';
import { encodeModelProto, type ModelProto } from '../../src/wire/model-proto.ts';
import { weight } from '../onnx/small-model.ts';
import { bitgate } from './bitgate.ts';
import { errorText, refusal } from './refusal.ts';
import { classifier, detector, sampleFile } from './small-networks.ts';
import {
  createFolder,
  EXAMPLE,
  filesIn,
  newFolder,
  readResult,
  removeFolder,
  writeConfig,
  writeTo,
} from './workspace.ts';

describe('evaluate', () => {
  const GATE = { metric: 'top1', min: 0.5, 'max-drop': 0.4, confidence: 0.95 };
  let folder: string;

  beforeAll(async () => {
    folder = createFolder();
    writeConfig(folder, { gate: GATE });
    expect(await bitgate(['run'], folder)).toMatchObject({ exitCode: 0 });
  });

  afterAll(() => removeFolder(folder));

  async function evaluate(...argv: readonly string[]): Promise<EvaluationReport & { readonly exitCode: number }> {
    const before = filesIn(folder);
    const { exitCode, stdout, stderr } = await bitgate(['evaluate', ...argv, '--json'], folder);
    expect(stderr).not.toContain('error');
    expect(filesIn(folder)).toEqual(before);
    return { exitCode, ...JSON.parse(stdout) };
  }

  it('evaluate: of the artifact of a run, all that the run measured, and its checks but for bits per weight', async () => {
    const run = readResult(folder);
    const { exitCode, speed, ...report } = await evaluate('out/quantized.onnx');
    expect(exitCode).toBe(0);
    const { float, quantized, drop, intervals, nonFiniteCount, klToFloat, agreement, model, environment } = run;
    const measured = { float, quantized, drop, intervals, nonFiniteCount, klToFloat, agreement };
    const { format: _format, effectiveBits: _bits, ...artifact } = run.artifact;
    expect(report).toEqual({
      schemaVersion: 1,
      verdict: 'pass',
      passed: true,
      ...measured,
      checks: run.checks.filter(({ name }) => name !== 'mean width'),
      model,
      artifact,
      environment,
    });
    expect(speed!.batchSize).toBe(64);
  });

  it('evaluate: a budget in bytes is held against the file, by the option too', async () => {
    const { artifact } = readResult(folder);
    const { exitCode, checks } = await evaluate('out/quantized.onnx', '--size', String(artifact.sizeBytes - 1));
    expect(exitCode).toBe(1);
    expect(checks[0]).toMatchObject({ name: 'artifact size', measured: artifact.sizeBytes, outcome: 'fail' });
    const share = await evaluate('out/quantized.onnx', '--size', '50%');
    expect(share.checks[0]).toMatchObject({ limit: 209_766, outcome: 'pass' });
    expect((await evaluate('out/quantized.onnx', '--size', 'auto')).checks[0]!.name).toBe('top1');
  });

  it('evaluate: as text, the verdict first', async () => {
    const { exitCode, stdout } = await bitgate(['evaluate', join(EXAMPLE, 'glyphs.onnx')], folder);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^bitgate: PASS, all 3 checks passed\n/);
    expect(stdout).toContain(`  model        ${EXAMPLE}/glyphs.onnx, 419,532 bytes, 100.0 % of the float file\n`);
    expect(stdout).toMatch(
      / {2}evaluation {3}top1 (\S+) % in float, \1 % quantized, on 256 samples, divergence 0 nats/,
    );
  });

  it('evaluate: by the command, on both files', async () => {
    const own = newFolder();
    writeTo(
      own,
      'measure.mjs',
      "console.log(JSON.stringify({ value: process.argv[2].endsWith('glyphs.onnx') ? 0.9 : 0.8 }));",
    );
    writeConfig(own, {
      data: { evaluation: undefined },
      gate: { metric: 'command', 'max-drop': 0.05 },
      evaluate: { command: [process.execPath, 'measure.mjs'] },
    });
    const path = join(folder, 'out/quantized.onnx');
    const { exitCode, stdout, sessionCount } = await bitgate(['evaluate', path], own);
    expect({ exitCode, sessionCount }).toEqual({ exitCode: 1, sessionCount: 0 });
    expect(stdout).toContain('✗ command drop  0.1  at most 0.05\n');
  });
});

describe('evaluate, of models that cannot be compared', () => {
  /** A config for the classifier, and another model beside it. */
  async function refuse(other: Uint8Array | string): Promise<string> {
    const folder = newFolder();
    writeTo(folder, 'm.onnx', encodeModelProto(classifier()));
    writeTo(folder, 'e.npz', await sampleFile(70, 1));
    writeTo(folder, 'bitgate.yml', CONFIG);
    writeTo(folder, 'other.onnx', other);
    return (await refusal(folder, ['evaluate', 'other.onnx'])).message;
  }

  const CONFIG = `version: 1
model: m.onnx
output: q.onnx
budget: { bits: 3 }
data:
  calibration: { path: c.npz }
  evaluation: { path: e.npz }
gate: { metric: top1, min: 0 }
device: cpu
`;
  const FIX = 'evaluate a model with the inputs and outputs of the float model that the config names';

  /** The classifier, changed. */
  function changed(change: (model: ModelProto) => void): Uint8Array {
    const model = classifier();
    change(model);
    return encodeModelProto(model);
  }

  it('evaluate: other inputs are refused', async () => {
    expect(await refuse(encodeModelProto(classifier({ batchSize: 8 })))).toBe(
      errorText([
        "<folder>/other.onnx: its inputs are 'x' float32 [8, 3, 8, 8], and those of the float model 'x' float32 [free, 3, 8, 8]",
        FIX,
      ]),
    );
  });

  it('evaluate: an output that is not there is refused', async () => {
    expect(await refuse(encodeModelProto(detector()))).toBe(
      errorText(["<folder>/other.onnx: it has no output 'scores', which the float model has", FIX]),
    );
  });

  it('evaluate: an output of another shape is refused', async () => {
    const wider = changed(({ graph }) => {
      graph!.initializer = graph!.initializer.map((tensor) => {
        if (tensor.name === 'w3') return weight('w3', [64, 7], 1);
        return tensor.name === 'b3' ? weight('b3', [7], 1) : tensor;
      });
      for (const { type } of graph!.output) type!.tensorType!.shape!.dim[1]!.value = { case: 'dimValue', value: 7n };
    });
    expect(await refuse(wider)).toBe(
      errorText(["<folder>/other.onnx: its output 'scores' is [64, 7], and that of the float model [64, 5]", FIX]),
    );
  });

  it('evaluate: a model that the runtime does not load is refused, by its name', async () => {
    const strange = changed(({ graph }) => {
      graph!.node[0]!.opType = 'NoSuchOperator';
    });
    expect(await refuse(strange)).toMatch(
      /^error: <folder>\/other\.onnx: onnxruntime cannot load the model: .*NoSuchOperator.*\n {2}fix: export it with operators/s,
    );
  });

  it('evaluate: what is no model, and what is not there', async () => {
    expect(await refuse('no model')).toContain('<folder>/other.onnx: this is not a complete ONNX model (8 bytes)');
    const folder = newFolder();
    writeTo(folder, 'm.onnx', encodeModelProto(classifier()));
    writeTo(folder, 'bitgate.yml', CONFIG);
    expect((await refusal(folder, ['evaluate', 'none.onnx'])).message).toBe(
      errorText(['<folder>/none.onnx: no such file or folder', 'check the path']),
    );
  });
});
