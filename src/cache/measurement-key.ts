/** The identity of a measurement set: all losses that one model has under one way of measuring them. */
import { createHash } from 'node:crypto';

/** What decides over the value of a measured loss, each as a short text or number; files and data by their hashes. */
export type MeasurementFacts = Readonly<Record<FactName, string | number>>;

export type FactName = keyof typeof FACTS;

/**
 * Raise it with every change that moves a measured loss by more than rounding: branch graphs, losses, quantizers. Kept
 * measurements of an earlier version are then never found.
 */
export const MEASUREMENT_VERSION = 1;

const FACTS = {
  algorithm: { holds: 'version of the code that measures', changedBy: 'an update of bitgate that measures otherwise' },
  model: {
    holds: 'sha256 of the model with its external data',
    changedBy: 'any change of `model`, retraining included',
  },
  calibration: {
    holds: 'hash of the samples measured on and their labels, in order',
    changedBy:
      '`data.calibration`, `seed`, a changed sample; `search.time-limit` to or from 0, which decides whether samples are set aside',
  },
  preprocess: { holds: 'the way from stored pixels to model input', changedBy: '`data.preprocess`' },
  quantizer: {
    holds: 'how weights are rounded, scaled and corrected',
    changedBy: '`quantize.method`, `quantize.correct`, `quantize.granularity`',
  },
  candidates: { holds: 'the widths that each layer is measured at', changedBy: '`quantize.bits`, `quantize.pin`' },
  loss: { holds: 'the calibration loss', changedBy: '`sensitivity.loss`' },
  executionProvider: { holds: 'where the model runs, a GPU by its name', changedBy: '`device`, another GPU' },
  onnxruntime: { holds: 'version of ONNX Runtime', changedBy: 'an update of ONNX Runtime' },
} as const satisfies Readonly<Record<string, { readonly holds: string; readonly changedBy: string }>>;

/** Settings that work on measured losses, or beside them, so that changing one measures nothing again. */
const NOT_IN_THE_KEY = [
  '`budget`',
  '`constraints`',
  '`gate`',
  '`evaluate`',
  '`quantize.tie`',
  '`quantize.format`',
  '`quantize.activations`',
  '`sensitivity.transform`',
  '`sensitivity.psd`',
  '`search`',
  '`data.evaluation`',
  '`output`',
  '`report`',
];

/**
 * SHA-256 over the facts in one canonical form, 64 hex digits.
 *
 * @throws RangeError if a number is not finite: JSON would write it as null, and different facts would share a key
 */
export function measurementKey(facts: MeasurementFacts): string {
  const entries = Object.entries(facts).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, value] of entries) {
    if (typeof value === 'number' && !Number.isFinite(value)) throw new RangeError(`the fact ${name} is ${value}`);
  }
  return createHash('sha256')
    .update(JSON.stringify(['bitgate measurement set', entries]))
    .digest('hex');
}

/** What invalidates what, as a markdown table for the documentation. */
export function explainKey(): string {
  const rows = Object.entries(FACTS).map(([name, { holds, changedBy }]) => `| ${name} | ${holds} | ${changedBy} |`);
  return [
    '| Part of the key | What it holds | Changed by |',
    '|---|---|---|',
    ...rows,
    '',
    `Not in the key, so that changing them measures nothing again: ${NOT_IN_THE_KEY.join(', ')}.`,
    '',
    'Not in the key, but they decide which units there are: `sensitivity.method`, `sensitivity.time-limit` with `auto`, and',
    '`memory-limit`. What was measured stays; what another method or division needs is measured beside it.',
    '',
    'With `sensitivity.path` or `quantize.allocation` nothing is measured, so there is no key and nothing is kept.',
    '',
  ].join('\n');
}
