import { expect, it } from 'vitest';
import type { GateReport } from '../../src/report/gate-report.ts';
import { bitgate } from './bitgate.ts';
import { newFolder, readResult, type Settings, writeConfig } from './workspace.ts';

/** A run of the quick example that has to pass. */
async function run(settings: Settings): Promise<GateReport> {
  const folder = newFolder();
  writeConfig(folder, settings);
  const { exitCode, stderr } = await bitgate(['run'], folder);
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
  return readResult(folder);
}

it.each(['mse', 'cross-entropy', 'kl'])('run: loss %s', async (loss) => {
  const result = await run({ sensitivity: { loss } });
  expect(result.sensitivity).toMatchObject({ method: 'diagonal', loss, samples: 64, singles: 48, pairs: 0 });
  expect(result.quantized.value).toBeGreaterThan(0.85);
});

it.each([
  ['local', 0, [0, 0]],
  ['diagonal', 24, [0, 0]],
  ['block', 24, [1, 263]],
  // 12 layers at two widths: 24 · 22 / 2 pairs of candidates of different layers.
  ['pairwise', 24, [264, 264]],
] as const)('run: method %s measures what it says', async (method, singles, [fewest, most]) => {
  const { sensitivity } = await run({ quantize: { bits: [2, 4] }, sensitivity: { method } });
  expect(sensitivity).toMatchObject({ method, singles });
  expect(sensitivity.pairs).toBeGreaterThanOrEqual(fewest);
  expect(sensitivity.pairs).toBeLessThanOrEqual(most);
});

it.each([
  ['10m', 'pairwise'],
  // With no time for any, the one that runs no perturbed network.
  [0, 'local'],
])('run: auto with a time limit of %s takes %s', async (time, method) => {
  const { sensitivity } = await run({
    quantize: { bits: [2, 4] },
    sensitivity: { method: 'auto', 'time-limit': time },
  });
  expect(sensitivity.method).toBe(method);
});
