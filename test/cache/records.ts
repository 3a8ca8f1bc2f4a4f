/** Records for tests. */
import { measurementKey } from '../../src/cache/measurement-key.ts';
import type { Measurement, MeasurementRecord } from '../../src/cache/measurement-record.ts';

export const FACTS = {
  algorithm: 1,
  model: 'a'.repeat(64),
  calibration: 'b'.repeat(64),
  preprocess: '{"scale":255}',
  quantizer: 'rtn',
  candidates: '2,4,8',
  loss: 'kl',
  executionProvider: 'cpu',
  onnxruntime: '1.30.0',
} as const;

export const KEY = measurementKey(FACTS);
export const OTHER_KEY = measurementKey({ ...FACTS, loss: 'mse' });

export function measurement(unit: string, losses: Record<string, number> = { [`${unit}`]: 0.125 }): Measurement {
  return { unit, losses, sampleCount: 512, forwardEquivalents: 1.5, seconds: 2.25 };
}

export function record(unit: string, changes: Partial<MeasurementRecord> = {}): MeasurementRecord {
  return {
    schemaVersion: 1,
    key: KEY,
    ...measurement(unit),
    measuredAt: '2026-11-01T12:00:00.000Z',
    environment: 'linux-x64, Node 24.21.0',
    ...changes,
  };
}
