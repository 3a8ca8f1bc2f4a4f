import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeModelProto } from '../../src/wire/model-proto.ts';
import { npy } from '../dataset/npy-bytes.ts';
import { npz } from '../dataset/zip-bytes.ts';
import { bitgate } from './bitgate.ts';
import { errorText, refusal } from './refusal.ts';
import { classifier, samples } from './small-networks.ts';
import { EXAMPLE, filesIn, newFolder, readResult, writeConfig, writeTo } from './workspace.ts';

const EXAMPLE_CONFIG = join(EXAMPLE, 'bitgate.yml');

describe('validate', () => {
  it("validate: the example's own config is valid, and no model runs", async () => {
    const folder = newFolder();
    expect(await bitgate(['validate', EXAMPLE_CONFIG], folder)).toEqual({
      exitCode: 0,
      stdout: `${EXAMPLE_CONFIG} is valid\n`,
      stderr: '',
      sessionCount: 0,
    });
    expect(filesIn(folder)).toEqual([]);
  });

  it('validate: a path that is missing', async () => {
    const folder = newFolder();
    writeConfig(folder, { data: { evaluation: { path: 'none.npz' } } });
    expect((await refusal(folder, ['validate'])).message).toBe(
      errorText([
        '<folder>/none.npz: the evaluation data is missing',
        'check the path, which is relative to the config',
      ]),
    );
  });
});

describe('inspect', () => {
  it('inspect: layers, sizes at every width, the smallest budget and the cost of every method; nothing is written', async () => {
    const folder = newFolder();
    writeConfig(folder);
    const { exitCode, stdout } = await bitgate(['inspect'], folder);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(
      '12 layers with 101184 weights that can be quantized\n64 calibration samples, 256 evaluation samples\n',
    );
    expect(stdout).toMatch(
      /^layer +operator +shape +weights +bytes at 2 bits +bytes at 3 bits +bytes at 4 bits +bytes at 8 bits$/m,
    );
    expect(stdout).toMatch(/^block3\.conv1 +Conv +64×64×3×3 +36864 +\d+ +\d+ +\d+ +\d+$/m);
    expect(stdout).toContain(
      'budget 3.0000 bits per weight, smallest feasible 2.0000 bits per weight: the budget can be met\n',
    );
    // 12 layers at four widths: 48 singles, and 48 · 44 / 2 pairs.
    expect(stdout).toMatch(/^pairwise +1104 +\d/m);
    expect(stdout).toMatch(/^diagonal +48 +\d/m);
    expect(stdout).toMatch(/^diagonal is measured, because the config names it$/m);
    expect(filesIn(folder)).toEqual(['bitgate.yml']);
  });

  it.each([
    [
      'auto',
      0,
      'auto takes local, the richest within the time limit of 0.0 s; what is kept of earlier runs costs nothing',
    ],
    [
      'auto',
      3600,
      'auto takes pairwise, the richest within the time limit of 60 min 0 s; what is kept of earlier runs costs nothing',
    ],
    [
      'pairwise',
      0,
      'pairwise is measured, because the config names it, though it takes more than the time limit of 0.0 s',
    ],
  ])('inspect: what a run would take with %s and %d seconds', async (method, limit, line) => {
    const folder = newFolder();
    writeConfig(folder, { sensitivity: { method, 'time-limit': limit } });
    expect((await bitgate(['inspect'], folder)).stdout.split('\n')).toContain(line);
  });

  it('inspect: the bytes that it names are those of a run', async () => {
    const folder = newFolder();
    writeConfig(folder, { quantize: { bits: [2] }, budget: { bits: 2 } });
    const { stdout } = await bitgate(['inspect'], folder);
    expect(await bitgate(['run'], folder)).toMatchObject({ exitCode: 0 });
    for (const { layer, weightCount, bytes } of readResult(folder).allocation) {
      expect(stdout).toMatch(new RegExp(`^${layer.replace('.', '\\.')} .* ${weightCount} +${bytes}$`, 'm'));
    }
  });

  it('inspect: a budget that cannot be met is said, with the smallest that can', async () => {
    const folder = newFolder();
    writeConfig(folder);
    const { exitCode, stdout } = await bitgate(['inspect', '--bits-per-weight', '1.5'], folder);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(
      'budget 1.5000 bits per weight, smallest feasible 2.0000 bits per weight: the budget CANNOT be met\n',
    );
  });
});

describe('init', () => {
  /** What a config of `init` expects at the paths that it names: samples that dividing by 255 turns into the model's. */
  async function writeSamples(folder: string): Promise<void> {
    for (const [name, count, seed] of [
      ['calibration', 512, 1],
      ['test', 256, 2],
    ] as const) {
      const { x, labels } = await samples(count, seed);
      const arrays = {
        x: npy(
          '<f4',
          [count, 3, 8, 8],
          x.map((number) => number * 255),
        ),
        labels: npy('<i8', [count], labels),
      };
      writeTo(folder, `models/data/${name}.npz`, npz(arrays));
    }
  }

  it('init: the config that it writes runs once the data are where it says', async () => {
    const folder = newFolder();
    writeTo(folder, 'models/m.onnx', encodeModelProto(classifier()));
    expect(await bitgate(['init', 'models/m.onnx', 'models/gate.yml'], folder)).toMatchObject({
      exitCode: 0,
      stdout: 'models/gate.yml is written; name your data in it, then: bitgate run models/gate.yml\n',
    });
    expect(filesIn(folder)).toEqual(['models/gate.yml', 'models/m.onnx']);
    await writeSamples(folder);
    const { exitCode, stderr } = await bitgate(
      ['run', 'models/gate.yml', '--device', 'cpu', '--bits-per-weight', '8'],
      folder,
    );
    expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
    const { artifact, float, sensitivity } = readResult(folder, 'models/bitgate-report');
    expect(artifact.path).toBe(join(folder, 'models/build/m.quant.onnx'));
    expect(float.value).toBeGreaterThan(0.99);
    expect(sensitivity.method).toBe('pairwise');
  });

  it('init: the example is described by its layers and inputs', async () => {
    const folder = newFolder();
    expect(await bitgate(['init', join(EXAMPLE, 'glyphs.onnx')], folder)).toMatchObject({ exitCode: 0 });
    const text = readFileSync(join(folder, 'bitgate.yml'), 'utf8');
    expect(text).toContain('419532 bytes, 12 layers with 101184 weights that can be quantized\n');
    expect(text).toContain('#   input "images": float32 [free, 1, 32, 32]\n');
  });

  it('init: a model that cannot be used leaves no config', async () => {
    const folder = newFolder();
    writeTo(folder, 'm.onnx', 'no model');
    expect((await refusal(folder, ['init', 'm.onnx'])).message).toContain(
      'this is not a complete ONNX model (8 bytes)',
    );
  });
});
