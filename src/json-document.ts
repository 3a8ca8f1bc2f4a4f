/** JSON that a person wrote, or another tool: what does not fit its schema, in plain words with the place in the file. */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { UserError } from './errors.ts';
import { describeExpected, describeFound, renderPath, type SchemaNode } from './schema-words.ts';

/**
 * @param subject what the file holds, for the message: `the program`
 * @throws UserError if it is no JSON
 */
export function parseJson(text: string, path: string, subject: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const fix = `write ${subject} as JSON, which has no NaN and no Infinity`;
    throw new UserError({ what: `no JSON: ${(cause as Error).message}`, where: path, fix }, { cause });
  }
}

/** One error is enough: a matrix of texts would have a hundred thousand. */
const OPTIONS = { verbose: true, validateSchema: false };

/**
 * @param whole how messages name the document itself
 * @returns says the first thing in a document that the schema does not allow; compiled for the first document
 */
export function createChecker(schema: object, whole = 'the file'): (document: unknown) => string | undefined {
  let validate: ValidateFunction | undefined;
  return (document) => {
    validate ??= new Ajv2020(OPTIONS).compile(schema);
    return validate(document) ? undefined : describeError(validate.errors![0]!, whole);
  };
}

function describeError({ keyword, instancePath, params, parentSchema, data }: ErrorObject, whole: string): string {
  const path = pathOf(instancePath);
  const node = parentSchema as SchemaNode;
  if (keyword === 'required') {
    const key = params.missingProperty as string;
    return `\`${renderPath([...path, key])}\` is missing, expected ${describeExpected(node.properties?.[key] ?? {})}`;
  }
  if (keyword === 'additionalProperties') {
    const keys = Object.keys(node.properties ?? {}).join(', ');
    return `unknown key \`${renderPath([...path, params.additionalProperty as string])}\`, expected one of ${keys}`;
  }
  const subject = path.length === 0 ? whole : `\`${renderPath(path)}\``;
  return `${subject} is ${describeFound(data)}, expected ${describeExpected(node)}`;
}

/** A JSON Pointer (RFC 6901) as keys and indices. */
export function pathOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}
