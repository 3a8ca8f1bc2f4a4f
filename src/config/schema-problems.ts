/** Checks a parsed config against its JSON Schema and says in plain words, with places, what does not fit. */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import schema from '../../schemas/config.v1.schema.json' with { type: 'json' };
import type { Problem } from '../errors.ts';
import { pathOf } from '../json-document.ts';
import { nearestName } from '../nearest-name.ts';
import { describeExpected, describeFound, renderPath, type SchemaNode } from '../schema-words.ts';
import type { ValuePath, YamlDocument } from './yaml-document.ts';

/** A test holds the schema against its own; at every start that would take a tenth of a second. */
const OPTIONS = { allErrors: true, verbose: true, useDefaults: true, allowUnionTypes: true, validateSchema: false };

let compiled: ValidateFunction | undefined;

/** Compiled when the first config comes, because what starts quickly says sooner that it has started. */
function validator(): ValidateFunction {
  compiled ??= new Ajv2020(OPTIONS).compile(schema);
  return compiled;
}

/**
 * Finds everything in `document.value` that the schema does not allow, and fills in the schema's defaults in place.
 *
 * @param given paths of keys that the command line supplies, so that they may be missing in the file
 */
export function findSchemaProblems(document: YamlDocument, given: readonly string[]): readonly Problem[] {
  const validate = validator();
  if (validate(document.value)) return [];
  const errors = (validate.errors ?? [])
    .filter((error) => !isOtherWay(error))
    .map((error) => (isOfAlternative(error) ? { ...error, parentSchema: schema } : error))
    .filter((error) => !isGiven(error, given) && !isConsequence(error));
  return errors.map((error) => describeError(error, document));
}

/** The schema's only alternative is a budget, or an allocation in its place; of the two, the budget is what is missed. */
function isOtherWay(error: ErrorObject): boolean {
  return error.keyword === 'anyOf'
    ? error.instancePath === ''
    : isOfAlternative(error) && error.params.missingProperty !== 'budget';
}

function isOfAlternative({ schemaPath }: ErrorObject): boolean {
  return schemaPath.startsWith('#/anyOf');
}

function isGiven({ keyword, params, instancePath }: ErrorObject, given: readonly string[]): boolean {
  return keyword === 'required' && instancePath === '' && given.includes(params.missingProperty);
}

/** A key that is missing only because it is misspelt is reported once, as the misspelling. */
function isConsequence({ keyword, params, parentSchema, data }: ErrorObject): boolean {
  if (keyword !== 'required') return false;
  const allowed = keysOf(parentSchema as SchemaNode);
  const unknown = Object.keys(data as object).filter((key) => !allowed.includes(key));
  return unknown.some((key) => nearestName(key, allowed) === params.missingProperty);
}

function describeError(error: ErrorObject, document: YamlDocument): Problem {
  const path = pathOf(error.instancePath);
  const parent = error.parentSchema as SchemaNode;
  switch (error.keyword) {
    case 'additionalProperties':
      return describeUnknownKey([...path, error.params.additionalProperty], parent, document);
    case 'required':
      return describeMissingKey([...path, error.params.missingProperty], parent, document);
    case 'uniqueItems':
      return describeRepetition(path, error, document);
    case 'minProperties':
    case 'maxProperties':
      return describeKeyCount(path, error, document);
    default:
      return describeValue(path, error, document);
  }
}

function describeUnknownKey(path: ValuePath, parent: SchemaNode, document: YamlDocument): Problem {
  const key = String(path.at(-1));
  const where = document.locateKey(path);
  const allowed = keysOf(parent);
  const near = nearestName(key, allowed);
  if (near !== undefined) return { what: `unknown key \`${key}\`; did you mean \`${near}\`?`, where };
  const homes = findHomes(key, schema as SchemaNode, []);
  const place = path.length === 1 ? 'at the top' : `in \`${renderPath(path.slice(0, -1))}\``;
  const fix = homes.length > 0 ? `it belongs in ${homes.join(' or ')}` : `allowed keys: ${allowed.join(', ')}`;
  return { what: `unknown key \`${key}\` ${place}`, where, fix };
}

/** The sections that have a key of this name: wrong indentation is the commonest slip in YAML. */
function findHomes(key: string, node: SchemaNode, path: ValuePath): readonly string[] {
  const here = Object.hasOwn(node.properties ?? {}, key)
    ? [path.length === 0 ? 'the top level' : `\`${renderPath(path)}\``]
    : [];
  const below = Object.entries(node.properties ?? {}).flatMap(([name, child]) =>
    findHomes(key, child, [...path, name]),
  );
  return [...here, ...below];
}

function describeMissingKey(path: ValuePath, parent: SchemaNode, document: YamlDocument): Problem {
  const key = String(path.at(-1));
  const about = parent.properties?.[key];
  return {
    what: `\`${renderPath(path)}\` is missing, expected ${describeExpected(about ?? {})}`,
    where: document.locateKey(path),
    fix: `add \`${key}\`: ${about?.description ?? ''}`,
  };
}

function describeRepetition(path: ValuePath, { params, data }: ErrorObject, document: YamlDocument): Problem {
  const later = Math.max(params.i, params.j);
  const found = describeFound((data as readonly unknown[])[later]);
  const where = document.locate([...path, later]);
  return {
    what: `\`${renderPath(path)}\` has ${found} twice, expected no repetition`,
    where,
    fix: 'remove one of them',
  };
}

function describeKeyCount(path: ValuePath, { parentSchema, data }: ErrorObject, document: YamlDocument): Problem {
  const keys = Object.keys(data as object);
  const found = keys.length === 0 ? 'is empty' : `has ${keys.join(' and ')}`;
  const expected = keysOf(parentSchema as SchemaNode).join(' or ');
  return { what: `\`${renderPath(path)}\` ${found}, expected either ${expected}`, where: document.locateKey(path) };
}

function describeValue(path: ValuePath, { parentSchema, data }: ErrorObject, document: YamlDocument): Problem {
  const subject = path.length === 0 ? 'the config' : `\`${renderPath(path)}\``;
  const parent = parentSchema as SchemaNode;
  const near = typeof data === 'string' ? nearestName(data, (parent.enum ?? []).map(String)) : undefined;
  const suggestion = near === undefined ? '' : `; did you mean ${near}?`;
  const what = `${subject} is ${describeFound(data)}, expected ${describeExpected(parent)}${suggestion}`;
  return { what, where: document.locate(path) };
}

function keysOf(node: SchemaNode): readonly string[] {
  return Object.keys(node.properties ?? {});
}
