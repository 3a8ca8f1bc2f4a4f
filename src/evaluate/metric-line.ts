/** What a user's own metric command says of one model: the last line that it prints (schemas/metric.v1.schema.json). */
import schema from '../../schemas/metric.v1.schema.json' with { type: 'json' };
import { createChecker } from '../json-document.ts';
import { meanOf } from './mean-of.ts';

export type MetricResult = {
  readonly value: number;
  readonly sampleCount?: number;
  /** Which samples the model is right on, or what the metric is on each; `value` is the mean. Shape [sampleCount]. */
  readonly perSample?: { readonly kind: 'correct' | 'values'; readonly values: Float64Array };
};

type MetricDocument = {
  readonly value: number;
  readonly correct?: readonly (number | boolean)[];
  readonly values?: readonly number[];
  readonly samples?: number;
};

const check = createChecker(schema, 'it');

/** A value in four digits is as good as one in seventeen. */
const TOLERANCE = 1e-4;

/** The result, or what is wrong with the line. */
export function readMetricLine(line: string): MetricResult | { readonly complaint: string } {
  let document: unknown;
  try {
    document = JSON.parse(line);
  } catch {
    const strange = /\b(NaN|Infinity)\b/.exec(line)?.[0];
    return {
      complaint: strange === undefined ? 'it is no JSON' : `it holds ${strange}, which is no JSON and no result`,
    };
  }
  const fault = check(document);
  return fault === undefined ? readDocument(document as MetricDocument) : { complaint: fault };
}

function readDocument({ value, correct, values, samples }: MetricDocument) {
  if (correct !== undefined && values !== undefined) return { complaint: 'it has both `correct` and `values`' };
  const kind = correct === undefined ? 'values' : 'correct';
  const listed = correct ?? values;
  if (listed === undefined) return { value, ...(samples === undefined ? {} : { sampleCount: samples }) };
  if (samples !== undefined && samples !== listed.length) {
    return { complaint: `\`samples\` is ${samples}, and \`${kind}\` has ${listed.length}` };
  }
  const perSample = { kind, values: Float64Array.from(listed, Number) } as const;
  const mean = meanOf(perSample.values);
  const scale = meanOf(perSample.values.map(Math.abs));
  if (Math.abs(value - mean) > TOLERANCE * scale) {
    return { complaint: `\`value\` is ${value}, and the mean of \`${kind}\` is ${mean}` };
  }
  // What the samples say in full.
  return { value: mean, sampleCount: listed.length, perSample };
}
