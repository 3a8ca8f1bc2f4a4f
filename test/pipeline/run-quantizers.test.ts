import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { GateReport } from '../../src/report/gate-report.ts';
import { decodeModelProto } from '../../src/wire/model-proto.ts';
import { bitgate } from './bitgate.ts';
import { EXAMPLE, newFolder, readResult, type Settings, writeConfig } from './workspace.ts';

/** A run of the quick example that has to pass; its report, and the operators of its artifact. */
async function run(
  settings: Settings,
): Promise<{ readonly result: GateReport; readonly opTypes: ReadonlySet<string> }> {
  const folder = newFolder();
  writeConfig(folder, settings);
  const { exitCode, stderr } = await bitgate(['run'], folder);
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
  const result = readResult(folder);
  const { graph, functions } = decodeModelProto(new Uint8Array(readFileSync(join(folder, 'out/quantized.onnx'))));
  const nodes = [...graph!.node, ...functions.flatMap((called) => called.node)];
  return { result, opTypes: new Set(nodes.map(({ opType }) => opType ?? '')) };
}

describe('quantizers', () => {
  const METHODS = ['rtn', 'gptq', 'gpfq'] as const;
  const CORRECTIONS = ['none', 'bias', 'affine'] as const;
  const FEW_SAMPLES = { calibration: { path: join(EXAMPLE, 'data/calibration.npz'), samples: 32 } };

  it.each(METHODS.flatMap((method) => CORRECTIONS.map((correct) => [method, correct] as const)))(
    'run: method %s with correction %s keeps the example usable at three bits',
    async (method, correct) => {
      const { result } = await run({ quantize: { bits: [2, 4], method, correct }, data: FEW_SAMPLES });
      expect(result.quantizer).toEqual({ method, correct, granularity: 'channel' });
      expect(result.artifact.effectiveBits).toBeLessThanOrEqual(3);
      expect(result.float.value).toBeGreaterThan(0.95);
      expect(result.quantized.value).toBeGreaterThan(0.85);
    },
  );

  it('run: at two bits everywhere, error feedback and an affine correction each save what rounding loses', async () => {
    const uniform = async (quantize: Settings) =>
      (await run({ budget: { bits: 2 }, quantize: { bits: [2], ...quantize } })).result.klToFloat!;
    const [rounded, fedBack, corrected] = [
      await uniform({}),
      await uniform({ method: 'gptq' }),
      await uniform({ method: 'gptq', correct: 'affine' }),
    ];
    expect(fedBack).toBeLessThan(rounded / 2);
    expect(corrected).toBeLessThan(fedBack);
  });

  it.each([
    ['tensor', 'tensor'],
    [{ block: 16 }, 'block of 16'],
  ])('run: granularity %j', async (granularity, name) => {
    const { result } = await run({ budget: { bits: 4 }, quantize: { granularity } });
    expect(result.quantizer?.granularity).toBe(name);
    expect(result.quantized.value).toBeGreaterThan(0.85);
  });
});

describe('formats', () => {
  it('run: packed holds any width with operators that every runtime has', async () => {
    const { result, opTypes } = await run({ quantize: { bits: [3, 5], format: 'packed' }, budget: { bits: 4 } });
    expect(result.artifact.format).toBe('packed');
    expect(new Set(result.allocation.map(({ bits }) => bits))).toEqual(new Set([3, 5]));
    expect(opTypes.has('BitShift')).toBe(true);
    expect(opTypes.has('DequantizeLinear')).toBe(false);
  });

  it('run: qdq holds weights as integers behind DequantizeLinear', async () => {
    const { result, opTypes } = await run({ quantize: { bits: [2, 4, 8], format: 'qdq' }, budget: { bits: 4 } });
    expect(result.artifact).toMatchObject({ format: 'qdq' });
    expect(result.artifact.effectiveBits).toBeLessThanOrEqual(4);
    expect(opTypes.has('DequantizeLinear')).toBe(true);
    expect(opTypes.has('QuantizeLinear')).toBe(false);
  });

  it.each(['min-max', 'percentile', 'mse'])('run: activations in eight bits, their ranges by %s', async (range) => {
    const quantize = { bits: [8], format: 'qdq', correct: 'bias', activations: { bits: 8, range } };
    const { result, opTypes } = await run({ quantize, budget: { bits: 8 } });
    expect(opTypes.has('QuantizeLinear')).toBe(true);
    expect(result.quantized.value).toBeGreaterThan(0.93);
  });
});
