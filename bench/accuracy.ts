/** What the artifact is worth: methods × corrections × widths at one width, and mixed allocations at a budget. */
import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Correction, QuantizeMethod } from '../src/config/config.ts';
import { printCase } from './print-case.ts';
import { closeSolver, type RunSettings, runShared } from './run-config.ts';
import { presentModels, SHARED, type SharedModel } from './shared-models.ts';

const UNIFORM: readonly (readonly [QuantizeMethod, Correction])[] = [
  ['rtn', 'none'],
  ['rtn', 'affine'],
  ['gptq', 'none'],
  ['gptq', 'bias'],
  ['gptq', 'affine'],
  ['gpfq', 'affine'],
];

const MIXED: readonly number[] = [3, 2.5, 2.1];

const PARTS = { uniform: benchUniform, mixed: benchMixed } as const;

/** `npm run bench -- accuracy [uniform|mixed|model …]`; all of it without arguments. */
export async function benchAccuracy(): Promise<void> {
  const [parts, names] = [process.argv.slice(3).filter(isPart), process.argv.slice(3).filter((name) => !isPart(name))];
  const wanted = parts.length > 0 ? parts : (Object.keys(PARTS) as (keyof typeof PARTS)[]);
  const halves = await mkdtemp(join(tmpdir(), 'bitgate-bench-'));
  try {
    for (const shared of presentModels(...(names.length > 0 ? names : ['resnet20', 'resnet32', 'mobilenet']))) {
      const data = await dataOf(shared, halves);
      for (const part of wanted) await PARTS[part](shared, data);
    }
  } finally {
    await rm(halves, { recursive: true });
    await closeSolver();
  }
}

function isPart(name: string): name is keyof typeof PARTS {
  return name in PARTS;
}

type BenchData = Pick<RunSettings, 'calibration' | 'evaluation'>;

/** All layers at one width: nothing is measured and nothing chosen. */
async function benchUniform(shared: SharedModel, data: BenchData): Promise<void> {
  const widths = shared.name === 'mobilenet' ? [4, 5, 8] : [2, 3, 4, 8];
  for (const width of widths) {
    for (const [method, correct] of UNIFORM) {
      const outcome = await runShared(shared, {
        ...data,
        quantize: { bitWidths: [width], method, correct },
        budget: { kind: 'bits-per-weight', bitsPerWeight: width },
        sensitivity: { method: 'local' },
        searchSeconds: 0,
      });
      const { float, quantized, artifact, timings } = outcome;
      const result = { float: float.value, top1: quantized.value, samples: float.samples, bytes: artifact.sizeBytes };
      printCase({ bench: 'uniform', model: shared.name, width, method, correct, ...result, seconds: timings.quantize });
    }
  }
}

/** The paper's setting, round to nearest at 2, 4 and 8 bits, and bitgate's own. */
async function benchMixed(shared: SharedModel, data: BenchData): Promise<void> {
  const isLarge = shared.name === 'mobilenet';
  const best = { bitWidths: isLarge ? [3, 4, 5, 6, 8] : [2, 3, 4], method: 'gptq', correct: 'affine' } as const;
  for (const bitsPerWeight of isLarge ? [4] : MIXED) {
    await mixedCase(shared, data, 'bitgate', bitsPerWeight, best, 'diagonal', 60);
  }
  if (isLarge) return;
  const paper = { bitWidths: [2, 4, 8], method: 'rtn', correct: 'none' } as const;
  for (const bitsPerWeight of [3, 3.5, 4]) {
    for (const method of ['pairwise', 'diagonal'] as const) {
      await mixedCase(shared, data, 'paper', bitsPerWeight, paper, method, 0);
    }
  }
}

async function mixedCase(
  shared: SharedModel,
  data: BenchData,
  setting: string,
  bitsPerWeight: number,
  quantize: RunSettings['quantize'],
  method: 'diagonal' | 'pairwise',
  searchSeconds: number,
): Promise<void> {
  const budget = { kind: 'bits-per-weight', bitsPerWeight } as const;
  const outcome = await runShared(shared, { ...data, quantize, budget, sensitivity: { method }, searchSeconds });
  const { float, quantized, artifact, sensitivity, selection, timings } = outcome;
  const seconds = Object.values(timings).reduce((sum, stage) => sum + stage, 0);
  const result = { float: float.value, top1: quantized.value, samples: float.samples, bytes: artifact.sizeBytes };
  const cost = {
    forwardEquivalents: sensitivity.forwardEquivalents,
    candidates: selection?.candidates.length,
    seconds,
  };
  printCase({ bench: 'mixed', model: shared.name, setting, bitsPerWeight, sensitivity: method, ...result, ...cost });
}

/** CIFAR has its files; the pictures of ImageNet are parted into halves by their place in the list. */
async function dataOf(shared: SharedModel, folder: string): Promise<BenchData> {
  if (shared.name !== 'mobilenet') {
    return { calibration: { path: shared.calibration, sampleCount: 1024 }, evaluation: { path: shared.evaluation } };
  }
  const source = `${SHARED}/data/imagenet-500`;
  const classes = (await readdir(source)).sort();
  const halves = ['calibration', 'evaluation'].map((half) => join(folder, half));
  for (const [index, name] of classes.entries()) {
    const half = halves[index % 2]!;
    await mkdir(half, { recursive: true });
    await symlink(join(source, name), join(half, name));
  }
  return { calibration: { path: halves[0]!, sampleCount: 192 }, evaluation: { path: halves[1]! } };
}
