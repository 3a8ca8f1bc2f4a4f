import { afterEach, expect, it, vi } from 'vitest';
import type { Batch } from '../../src/dataset/sample-set.ts';
import type { OpenSession } from '../../src/runtime/session.ts';
import { measureReference } from '../../src/sensitivity/reference.ts';
import { decodeBuilt, node, value } from '../onnx/small-model.ts';

afterEach(() => vi.restoreAllMocks());

it('measureReference: a run that is held up does not count for the others', async () => {
  let [runs, clock] = [0, 0];
  vi.spyOn(performance, 'now').mockImplementation(() => clock);
  const openSession: OpenSession = async () => ({
    inputNames: ['x'],
    outputNames: ['y'],
    run: async () => {
      runs += 1;
      // Two runs warm up; of the five that count, the fourth is disturbed.
      clock += runs === 6 ? 4_000 : 10;
      return { y: { elementType: 'float32', dims: [1], data: new Float32Array(1) } };
    },
    release: async () => {},
  });
  const batches = Array.from({ length: 5 }, (): Batch => ({ feeds: {}, sampleCount: 4 }) as Batch);
  const model = await decodeBuilt({
    nodes: [node('Relu', ['x'], ['y'])],
    inputs: [value('x', [1])],
    outputs: [value('y', [1])],
  });
  const { forwardSeconds, outputs } = await measureReference(model, batches, openSession);
  expect([runs, outputs.length]).toEqual([7, 5]);
  expect(forwardSeconds).toBeCloseTo(0.05, 12);
});
