/** A workspace with the example of the repository, and a config for it that is measured in a second. */
import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { temporaryFolder } from '../runtime/packages.ts';

export const ROOT = resolve(import.meta.dirname, '../..');
if (!existsSync(join(ROOT, 'dist/main.mjs'))) throw new Error('dist/ is not there; build it first: npm run build');

/** Few samples and the cheapest methods; on 256 evaluation samples the float model has 0.98. */
export const CONFIG = `version: 1
model: glyphs.onnx
output: build/glyphs.quant.onnx
report: build/report
budget:
  bits: 4.0
quantize: { bits: [2, 4, 8], method: rtn, correct: none }
data:
  calibration: { path: data/calibration.npz, samples: 32 }
  evaluation: { path: data/evaluation.npz, samples: 256 }
  preprocess: { scale: 255, mean: 0.2, std: 0.25 }
sensitivity: { method: diagonal }
gate:
  metric: top1
  min: 0.9
device: cpu
`;

export function workspaceWith(config = CONFIG): string {
  const workspace = temporaryFolder();
  for (const name of ['glyphs.onnx', 'data']) {
    cpSync(join(ROOT, 'examples/glyphs', name), join(workspace, name), { recursive: true });
  }
  writeFileSync(join(workspace, 'bitgate.yml'), config);
  return workspace;
}
