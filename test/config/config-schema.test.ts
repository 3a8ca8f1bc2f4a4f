import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, it } from 'vitest';
import schema from '../../schemas/config.v1.schema.json' with { type: 'json' };
import { applyOverrides } from '../../src/config/overrides.ts';

type SchemaNode = {
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
};

/** Optional settings whose absence means something that no value could say. */
const WITHOUT_DEFAULT = [
  'budget',
  'budget.size',
  'budget.bits',
  'quantize.allocation',
  'quantize.activations',
  'data.evaluation',
  'data.evaluation.samples',
  'data.preprocess.resize',
  'sensitivity.path',
  'gate.output',
  'gate.min',
  'gate.max',
  'gate.max-drop',
  'gate.max-size',
  'gate.confidence',
  'gate.warn.min',
  'gate.warn.max',
  'gate.warn.max-drop',
  'gate.warn.max-size',
  'evaluate',
  'cache-dir',
];

function properties(node: SchemaNode, path: string): readonly { path: string; node: SchemaNode; required: boolean }[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, child]) => [
    { path: path + key, node: child, required: node.required?.includes(key) ?? false },
    ...properties(child, `${path}${key}.`),
  ]);
}

const all = properties(schema as SchemaNode, '');

it('config schema: every property has a description that is a sentence', () => {
  expect(all.length).toBeGreaterThan(30);
  expect(all.filter(({ node }) => !/^[A-Za-z].*\.$/.test(node.description ?? '')).map(({ path }) => path)).toEqual([]);
});

it('config schema: every optional property has a default, or its absence is a meaning', () => {
  const without = all.filter(({ node, required }) => !required && !('default' in node)).map(({ path }) => path);
  expect(without).toEqual(WITHOUT_DEFAULT);
});

it('config schema: the option --method takes what sensitivity.method takes', () => {
  const methods = all.find(({ path }) => path === 'sensitivity.method')?.node.enum as readonly string[];
  for (const method of methods) expect(applyOverrides({ method }).applied).toEqual({ method });
  expect(applyOverrides({ method: 'x' }).problems[0]?.what).toContain(`one of ${methods.join(', ')}`);
});

it('config schema: the option --device takes what device takes', () => {
  const devices = all.find(({ path }) => path === 'device')?.node.enum as readonly string[];
  for (const device of devices) expect(applyOverrides({ device }).applied).toEqual({ device });
  expect(applyOverrides({ device: 'gpu' }).problems[0]?.what).toContain(`one of ${devices.join(', ')}`);
});

it('config schema: the option --cache takes what cache takes', () => {
  const settings = all.find(({ path }) => path === 'cache')?.node.enum as readonly string[];
  for (const cache of settings) expect(applyOverrides({ cache }).applied).toEqual({ cacheSetting: cache });
  expect(applyOverrides({ cache: 'on' }).problems[0]?.what).toContain(`one of ${settings.join(', ')}`);
});

const FOLDER = resolve(import.meta.dirname, '../../schemas');

it.each(readdirSync(FOLDER))('%s: is a schema, as its own schema has it', (name) => {
  const ajv = new Ajv2020({ strict: false });
  expect(ajv.validateSchema(JSON.parse(readFileSync(`${FOLDER}/${name}`, 'utf8'))), ajv.errorsText()).toBe(true);
  expect(ajv.validateSchema({ $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'whatever' })).toBe(false);
});
