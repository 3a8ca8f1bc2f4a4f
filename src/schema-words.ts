/** JSON Schema in words: what a value is, and what it should have been. */

/** The keywords of JSON Schema (draft 2020-12) that schemas here use. */
export type SchemaNode = {
  readonly title?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly items?: SchemaNode;
  readonly additionalProperties?: boolean | SchemaNode;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
};

/** Longer texts are cut in messages. */
const MAX_FOUND_LENGTH = 60;

/** Names a value found in a file: `9`, `"gptq"`, `a list`, `empty`. */
export function describeFound(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (typeof value === 'object') return 'a map';
  if (typeof value !== 'string') return String(value);
  return JSON.stringify(value.length > MAX_FOUND_LENGTH ? `${value.slice(0, MAX_FOUND_LENGTH)}…` : value);
}

/** Says what a schema allows: its title where it has one, else its values, or its types with their ranges. */
export function describeExpected(node: SchemaNode): string {
  if (node.const !== undefined) return String(node.const);
  if (node.enum) return node.enum.length === 1 ? String(node.enum[0]) : `one of ${node.enum.join(', ')}`;
  const types = typeof node.type === 'string' ? [node.type] : (node.type ?? []);
  // The title of a map is its heading, not a name for its values.
  if (node.title !== undefined && types.join() !== 'object') return node.title;
  return types.map((type) => describeType(type, node)).join(' or ');
}

function describeType(type: string, node: SchemaNode): string {
  switch (type) {
    case 'object':
      return describeMap(node);
    case 'array':
      return `a list${node.minItems === undefined ? '' : ' that is not empty'}, each item ${describeExpected(node.items ?? {})}`;
    case 'string':
      return 'a text that is not empty';
    case 'boolean':
      return 'true or false';
    default:
      return `${type === 'integer' ? 'a whole number' : 'a number'}${describeRange(node)}`;
  }
}

function describeMap({ properties, additionalProperties }: SchemaNode): string {
  if (typeof additionalProperties === 'object') return `a map from names to ${describeExpected(additionalProperties)}`;
  const keys = Object.keys(properties ?? {});
  return `a map with the key${keys.length === 1 ? '' : 's'} ${keys.join(', ')}`;
}

function describeRange({ minimum, exclusiveMinimum, maximum }: SchemaNode): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  const limits = [
    ...(minimum === undefined ? [] : [`at least ${minimum}`]),
    ...(exclusiveMinimum === undefined ? [] : [`above ${exclusiveMinimum}`]),
    ...(maximum === undefined ? [] : [`at most ${maximum}`]),
  ];
  return limits.length === 0 ? '' : `, ${limits.join(' and ')}`;
}

/** `data.calibration.path`, `quantize.bits[1]`, `quantize.pin["/conv1/Conv"]`. */
export function renderPath(path: readonly (string | number)[]): string {
  return path.map((step, depth) => renderStep(String(step), depth === 0)).join('');
}

function renderStep(step: string, isFirst: boolean): string {
  if (/^[0-9]+$/.test(step)) return `[${step}]`;
  if (!/^[\w-]+$/.test(step)) return `[${JSON.stringify(step)}]`;
  return isFirst ? step : `.${step}`;
}
