/** Folders of their own for runs, and what is put into them. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import type { GateReport } from '../../src/report/gate-report.ts';

export const EXAMPLE = resolve(import.meta.dirname, '../../examples/glyphs');

/** A new empty folder, gone when the test ends; a caller outside tests removes it himself. */
export function newFolder(): string {
  const folder = createFolder();
  onTestFinished(() => removeFolder(folder));
  return folder;
}

export function createFolder(): string {
  return mkdtempSync(join(tmpdir(), 'bitgate-pipeline-'));
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/** Write a file, with the folders above it; returns its path. */
export function writeTo(folder: string, name: string, content: Uint8Array | string): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

/** Every file below a folder by its relative path, hidden ones too; caches aside. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((path) => !path.startsWith('cache'))
    .sort();
}

/** A part of a config file; sections are maps. */
export type Settings = Readonly<Record<string, unknown>>;

/** The example with few samples, each layer measured alone and the first proposal taken: seconds, not minutes. */
const QUICK: Settings = {
  version: 1,
  model: join(EXAMPLE, 'glyphs.onnx'),
  output: 'out/quantized.onnx',
  report: 'report',
  budget: { bits: 3 },
  quantize: { bits: [2, 3, 4, 8], method: 'rtn', correct: 'none' },
  data: {
    calibration: { path: join(EXAMPLE, 'data/calibration.npz'), samples: 64 },
    evaluation: { path: join(EXAMPLE, 'data/evaluation.npz'), samples: 256 },
    preprocess: { scale: 255, mean: 0.2, std: 0.25 },
  },
  sensitivity: { method: 'diagonal' },
  search: { 'time-limit': 0 },
  gate: { metric: 'top1' },
  device: 'cpu',
};

/** Write `bitgate.yml`: the quick example, with other settings laid over its sections; a budget is one or the other. */
export function writeConfig(folder: string, changes: Settings = {}): string {
  const sections = Object.entries(changes).map(([key, value]) => {
    const own = QUICK[key];
    return [key, key !== 'budget' && isMap(own) && isMap(value) ? { ...own, ...value } : value];
  });
  return writeTo(folder, 'bitgate.yml', stringify({ ...QUICK, ...Object.fromEntries(sections) }));
}

function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The report of a run, as `result.json` has it. */
export function readResult(folder: string, report = 'report'): GateReport {
  return JSON.parse(readFileSync(join(folder, report, 'result.json'), 'utf8'));
}
