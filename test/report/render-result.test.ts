import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import schema from '../../schemas/result.v1.schema.json' with { type: 'json' };
import { renderResult } from '../../src/report/render-result.ts';
import { FULL, HOSTILE_NAMES, hostileReport, SPARE } from './reports.ts';

const validate = new Ajv2020({ allErrors: true, allowUnionTypes: true, strictRequired: false }).compile(schema);

function problemsOf(text: string): readonly string[] {
  return validate(JSON.parse(text))
    ? []
    : validate.errors!.map(({ instancePath, message }) => `${instancePath} ${message}`);
}

type SchemaNode = {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly $defs?: Readonly<Record<string, SchemaNode>>;
};

function properties(node: SchemaNode): readonly (readonly [string, SchemaNode])[] {
  const own = Object.entries(node.properties ?? {});
  const held = [...own, ...Object.entries(node.$defs ?? {})].map(([, child]) => child);
  return [...own, ...[...held, ...(node.items ? [node.items] : [])].flatMap(properties)];
}

describe('renderResult', () => {
  it('renderResult: a report with every field and one with the fewest satisfy the schema', () => {
    expect(problemsOf(renderResult(FULL))).toEqual([]);
    expect(problemsOf(renderResult(SPARE))).toEqual([]);
    expect(problemsOf(renderResult({ ...SPARE, budget: { limitBitsPerWeight: 3, source: '3 bits' } }))).toEqual([]);
  });

  it('renderResult: the full report has every field of the schema, so none is untested', () => {
    const sensitivity = { ...FULL.sensitivity, source: FULL.model };
    const { budget, ...rest } = JSON.parse(renderResult({ ...FULL, sensitivity }));
    expect(Object.keys({ ...rest, budget }).toSorted()).toEqual(Object.keys(schema.properties).toSorted());
    for (const section of ['sensitivity', 'selection', 'quantizer', 'solver', 'environment', 'artifact'] as const) {
      expect(Object.keys(rest[section])).toEqual(Object.keys(schema.properties[section].properties));
    }
    const checkKeys = new Set(FULL.checks.flatMap((check) => Object.keys(check)));
    expect([...checkKeys].toSorted()).toEqual(Object.keys(schema.properties.checks.items.properties).toSorted());
  });

  it('result schema: it refuses a result without a verdict, with a foreign key, or with two budgets', () => {
    const { verdict, ...rest } = JSON.parse(renderResult(SPARE));
    expect(problemsOf(JSON.stringify(rest))).toEqual([" must have required property 'verdict'"]);
    expect(problemsOf(JSON.stringify({ ...rest, verdict, more: 1 }))).toEqual([' must NOT have additional properties']);
    const budget = { limitBytes: 1, limitBitsPerWeight: 1, source: '' };
    expect(problemsOf(JSON.stringify({ ...rest, verdict, budget }))).toEqual([
      '/budget must match exactly one schema in oneOf',
    ]);
  });

  it('result schema: every property has a description that is a sentence', () => {
    const all = properties(schema as SchemaNode);
    expect(all.length).toBeGreaterThan(60);
    expect(all.filter(([, node]) => !/^[A-Za-z].*\.$/.test(node.description ?? '')).map(([key]) => key)).toEqual([]);
  });

  it('renderResult: keys come in one order, whatever built the report, and a line ends the text', () => {
    const turned = Object.fromEntries(Object.entries(FULL).toReversed()) as typeof FULL;
    expect(renderResult(turned)).toBe(renderResult(FULL));
    expect(renderResult(FULL)).toMatch(/^\{\n {2}"schemaVersion": 1,\n {2}"verdict": "fail",\n[\s\S]*\n\}\n$/);
  });

  it('renderResult: stages keep the order in which they ran', () => {
    expect(Object.keys(JSON.parse(renderResult(FULL)).timings)).toEqual(Object.keys(FULL.timings));
  });

  it('renderResult: numbers that are not finite are null, and valid', () => {
    const interval = { lower: 0, upper: Number.POSITIVE_INFINITY, confidence: 0.95, method: 'bootstrap' } as const;
    const report = {
      ...FULL,
      drop: Number.NaN,
      klToFloat: Number.NaN,
      checks: [{ ...FULL.checks[0]!, measured: Number.NaN, interval }],
    };
    const parsed = JSON.parse(renderResult(report));
    expect([parsed.drop, parsed.klToFloat, parsed.checks[0].measured, parsed.checks[0].interval.upper]).toEqual([
      null,
      null,
      null,
      null,
    ]);
    expect(problemsOf(renderResult(report))).toEqual([]);
  });

  it('renderResult: a field that the schema does not know is a fault', () => {
    expect(() => renderResult({ ...FULL, surprise: 1 } as never)).toThrow(
      "the report has 'surprise', which the schema of result.json does not",
    );
  });

  it.each(HOSTILE_NAMES)('renderResult: %j is kept as it is, and moves no terminal and no runner', (name) => {
    const report = hostileReport(name);
    const text = renderResult(report);
    expect(JSON.parse(text)).toEqual(report);
    expect(problemsOf(text)).toEqual([]);
    expect(text).not.toMatch(/[^\P{Cc}\n]|[\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|##\[|^\s*::/mu);
    expect(text.split('\n')).toHaveLength(renderResult(hostileReport('x')).split('\n').length);
  });
});
