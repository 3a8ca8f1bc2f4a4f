/** `result.json`: the report for machines, as schemas/result.v1.schema.json describes it. */
import schema from '../../schemas/result.v1.schema.json' with { type: 'json' };
import type { GateReport } from './gate-report.ts';

/** JSON with the keys in the order of the schema, whatever built the report; NaN and infinities are null. */
export function renderResult(report: GateReport): string {
  return `${harmless(JSON.stringify(inOrder(report, schema as SchemaNode), undefined, 2))}\n`;
}

/** The same JSON, in which no name from a model is a command to a terminal or, as `##[`, to the workflow runner. */
function harmless(json: string): string {
  return json.replaceAll(UNSEEN, escapeUnits).replaceAll('##[', '##\\u005b');
}

/** What JSON.stringify leaves as it is; the line feed is its own. */
const UNSEEN = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/gu;

function escapeUnits(character: string): string {
  return character.replaceAll(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
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
