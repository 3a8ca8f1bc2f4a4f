import { describe, expect, it } from 'vitest';
import { measureActivationRanges, type RangesInput } from '../../src/calibrate/activation-ranges.ts';
import { UserError } from '../../src/errors.ts';
import type { Model } from '../../src/onnx/model.ts';
import { openOnnxruntimeSession } from '../../src/runtime/onnxruntime.ts';
import type { NamedTensors } from '../../src/tensor.ts';
import { attribute, decodeBuilt, floatInput, node, runModel, value, weight } from '../onnx/small-model.ts';

/** x → h → r → y, where everything but y is asked for. */
async function network(batch: number | string): Promise<Model> {
  return decodeBuilt({
    nodes: [
      node('Conv', ['x', 'w', 'b'], ['h'], attribute.ints('pads', [1, 1, 1, 1])),
      node('Relu', ['h'], ['r']),
      node('GlobalAveragePool', ['r'], ['y']),
    ],
    initializers: [weight('w', [4, 2, 3, 3], 1), weight('b', [4], 2)],
    inputs: [value('x', [batch, 2, 6, 6])],
    outputs: [value('y', []), value('h', []), value('r', [])],
  });
}

const NAMES = ['x', 'h', 'r'];

const batches = [1, 2, 3].map((seed) => {
  const sampleCount = seed === 3 ? 2 : 4;
  return { feeds: { x: floatInput([sampleCount, 2, 6, 6], seed) }, labels: undefined, sampleCount };
});

async function rangesOf(model: Model, changes: Partial<RangesInput>) {
  return measureActivationRanges({
    model,
    valueNames: NAMES,
    batches,
    method: { kind: 'min-max' },
    openSession: openOnnxruntimeSession,
    memoryLimitBytes: 1e6,
    reportProgress: () => {},
    ...changes,
  } as RangesInput);
}

/** Every value of every batch, sorted: the slow, obvious way. */
async function sortedValues(model: Model): Promise<Map<string, Float32Array>> {
  const all = new Map(NAMES.map((name) => [name, [] as number[]]));
  for (const { feeds } of batches) {
    const results: NamedTensors = { ...feeds, ...(await runModel(model.proto, feeds)) };
    for (const name of NAMES) all.get(name)!.push(...(results[name]!.data as Float32Array));
  }
  return new Map([...all].map(([name, values]) => [name, Float32Array.from(values).sort()]));
}

describe('measureActivationRanges', () => {
  it('measureActivationRanges: min-max is the least and the greatest of all batches', async () => {
    const model = await network('n');
    const ranges = await rangesOf(model, {});
    expect([...ranges.keys()]).toEqual(NAMES);
    for (const [name, values] of await sortedValues(model)) {
      expect(ranges.get(name)).toMatchObject({ min: values[0], max: values.at(-1) });
    }
    expect(ranges.get('r')!.min).toBe(0);
  });

  it.each([1e6, 1])(
    'measureActivationRanges: percentiles are those of all values, %d bytes at a time',
    async (limit) => {
      const model = await network('n');
      const method = { kind: 'percentile', percentile: 90 } as const;
      const ranges = await rangesOf(model, { method, memoryLimitBytes: limit });
      for (const [name, values] of await sortedValues(model)) {
        const binWidth = (values.at(-1)! - values[0]!) / 2048;
        const { min, max } = ranges.get(name)!;
        for (const [end, share] of [
          [min, 0.1],
          [max, 0.9],
        ] as const) {
          // The share falls between two values; the bins add an uncertainty of their width.
          const rank = Math.floor(values.length * share);
          expect(end).toBeGreaterThan(values[rank - 1]! - 2 * binWidth);
          expect(end).toBeLessThan(values[rank + 1]! + 2 * binWidth);
        }
      }
    },
  );

  it('measureActivationRanges: samples that only fill up a fixed batch do not count', async () => {
    const model = await network(4);
    const [full] = batches;
    const repeated = full!.feeds.x!.data.slice();
    repeated.copyWithin(144, 72, 144);
    repeated.copyWithin(216, 72, 144);
    const padded = { feeds: { x: { ...full!.feeds.x!, data: repeated } }, labels: undefined, sampleCount: 2 };
    const alone = { feeds: { x: { ...full!.feeds.x!, dims: [2, 2, 6, 6], data: repeated.slice(0, 144) } } };
    const method = { kind: 'percentile', percentile: 80 } as const;
    const ranges = await rangesOf(model, { method, batches: [padded] as never });
    const expected = await rangesOf(await network('n'), {
      method,
      batches: [{ ...alone, labels: undefined, sampleCount: 2 }] as never,
    });
    for (const name of NAMES) expect(ranges.get(name)!.max).toBeCloseTo(expected.get(name)!.max, 5);
  });

  it('measureActivationRanges: the least error lies inside what was seen', async () => {
    const model = await network('n');
    const [seen, chosen] = [await rangesOf(model, {}), await rangesOf(model, { method: { kind: 'mse' } })];
    for (const name of NAMES) {
      expect(chosen.get(name)!.max).toBeLessThanOrEqual(seen.get(name)!.max);
      expect(chosen.get(name)!.min).toBeGreaterThanOrEqual(seen.get(name)!.min);
    }
  });

  it('measureActivationRanges: a value that is not finite is named', async () => {
    const model = await network('n');
    const broken = floatInput([4, 2, 6, 6], 1);
    broken.data[5] = Number.POSITIVE_INFINITY;
    const measuring = rangesOf(model, { batches: [{ feeds: { x: broken }, sampleCount: 4 }] as never });
    await expect(measuring).rejects.toThrow(UserError);
    await expect(rangesOf(model, { batches: [{ feeds: { x: broken }, sampleCount: 4 }] as never })).rejects.toThrow(
      "built.onnx: the value 'x' is NaN or infinite for some calibration samples",
    );
  });
});
