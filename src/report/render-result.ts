/** `result.json`: the report for machines, as schemas/result.v1.schema.json describes it. */
import schema from '../../schemas/result.v1.schema.json' with { type: 'json' };
import type { GateReport } from './gate-report.ts';
import { harmlessJson } from './harmless-json.ts';

/** JSON with the keys in the order of the schema, whatever built the report; NaN and infinities are null. */
export function renderResult(report: GateReport): string {
  return `${harmlessJson(inOrder(report, schema as SchemaNode))}\n`;
}

type SchemaNode = {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
};

function inOrder(value: unknown, node: SchemaNode): unknown {
  const { properties, items } = resolve(node);
  if (Array.isArray(value)) return value.map((item) => inOrder(item, items ?? {}));
  if (typeof value !== 'object' || value === null || properties === undefined) return value;
  const known = Object.keys(properties);
  const stray = Object.keys(value).find((key) => !known.includes(key));
  if (stray !== undefined) throw new Error(`the report has '${stray}', which the schema of result.json does not`);
  const entries = known.map((key) => [key, (value as Readonly<Record<string, unknown>>)[key]] as const);
  const present = entries.filter(([, item]) => item !== undefined);
  return Object.fromEntries(present.map(([key, item]) => [key, inOrder(item, properties[key]!)]));
}

function resolve(node: SchemaNode): SchemaNode {
  const name = node.$ref?.replace('#/$defs/', '');
  return name === undefined ? node : (schema.$defs as Readonly<Record<string, SchemaNode>>)[name]!;
}
