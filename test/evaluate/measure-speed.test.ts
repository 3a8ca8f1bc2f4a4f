import { describe, expect, it } from 'vitest';
import { measureSpeed } from '../../src/evaluate/measure-speed.ts';
import type { Session } from '../../src/runtime/session.ts';

describe('measureSpeed', () => {
  it('runs both models in turn, several times, and tells the batch', async () => {
    const runs: string[] = [];
    const session = (name: string) =>
      ({
        run: async () => {
          runs.push(name);
          return {};
        },
      }) as unknown as Session;
    const feeds = { x: { elementType: 'float32', dims: [4, 2], data: new Float32Array(8) } } as const;
    const speed = await measureSpeed(session('float'), session('artifact'), { feeds, sampleCount: 3 });
    expect(runs.slice(0, 4)).toEqual(['float', 'artifact', 'float', 'artifact']);
    expect(speed.batchSize).toBe(4);
    expect(speed.floatSeconds).toBeGreaterThan(0);
    expect(speed.artifactSeconds).toBeGreaterThan(0);
  });
});
