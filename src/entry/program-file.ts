/** A bare program as a file (schemas/program.v1.schema.json): what `bitgate solve --program` and the benchmarks read. */
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import schema from '../../schemas/program.v1.schema.json' with { type: 'json' };
import { renderPath } from '../config/schema-problems.ts';
import { describeExpected, describeFound, type SchemaNode } from '../config/schema-words.ts';
import { type Problem, UserError } from '../errors.ts';
import { nearestName } from '../nearest-name.ts';
import type { LinearConstraint, QuadraticProgram } from '../program/quadratic-program.ts';
import { validateProgram } from '../program/validate-program.ts';

export type ProgramFile = {
  /** Bit-widths that every layer may take. */
  readonly bits: readonly number[];
  /** Weights of each layer, shape [layerCount]. */
  readonly weights: readonly number[];
  /** The program without its budget. */
  readonly program: QuadraticProgram;
  /** Best objectives known, by bits per weight. */
  readonly bestKnown: Readonly<Record<string, { readonly objective: number }>>;
};

/** A file with the budget as the first constraint. */
export type BudgetedProgram = { readonly program: QuadraticProgram; readonly limitBytes: number };

export type ProgramBudget =
  | { readonly kind: 'bytes'; readonly sizeBytes: number }
  | { readonly kind: 'bits-per-weight'; readonly bitsPerWeight: number };

type ProgramDocument = {
  readonly bits: readonly number[];
  readonly weights: readonly number[];
  readonly G: readonly (readonly number[])[];
  readonly constraints?: readonly { name: string; costs: readonly (readonly number[])[]; limit: number }[];
  readonly bestKnown?: ProgramFile['bestKnown'];
};

const SCHEMA_FIX = 'schemas/program.v1.schema.json describes the format';
const BITS_PER_BYTE = 8;

/** One error is enough: a matrix of texts would have a hundred thousand. */
const validate = new Ajv2020({ verbose: true, validateSchema: false }).compile<ProgramDocument>(schema);

/**
 * @param path for messages
 * @throws UserError if the text is no program, or a number in it cannot be used
 */
export function parseProgramFile(text: string, path: string): ProgramFile {
  const document = parseJson(text, path);
  const problem =
    findMisspelling(document) ?? findSchemaProblem(document) ?? findShapeProblem(document as ProgramDocument);
  if (problem !== undefined) throw new UserError({ fix: SCHEMA_FIX, ...problem, where: path });
  const { bits, weights, G, constraints = [], bestKnown = {} } = document as ProgramDocument;
  const program = {
    groupSizes: weights.map(() => bits.length),
    quadratic: Float64Array.from(G.flat()),
    constraints: constraints.map(({ name, costs, limit }) => ({ name, limit, costs: Float64Array.from(costs.flat()) })),
  };
  validateNumbers(program, path);
  return { bits, weights, program, bestKnown };
}

/** Add the budget: Σ weights·bits / 8 ≤ its bytes. */
export function withinBudget({ bits, weights, program }: ProgramFile, budget: ProgramBudget): BudgetedProgram {
  const limitBytes =
    budget.kind === 'bytes' ? budget.sizeBytes : (totalWeights({ weights }) * budget.bitsPerWeight) / BITS_PER_BYTE;
  const costs = weights.flatMap((count) => bits.map((width) => (count * width) / BITS_PER_BYTE));
  const size: LinearConstraint = { name: 'size in bytes', costs: Float64Array.from(costs), limit: limitBytes };
  return { program: { ...program, constraints: [size, ...program.constraints] }, limitBytes };
}

export function totalWeights({ weights }: Pick<ProgramFile, 'weights'>): number {
  return weights.reduce((sum, count) => sum + count, 0);
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const fix = 'write the program as JSON, which has no NaN and no Infinity';
    throw new UserError({ what: `no JSON: ${(cause as Error).message}`, where: path, fix }, { cause });
  }
}

/** Unknown keys are notes, unless they look like a known one that is missing. */
function findMisspelling(document: unknown): Problem | undefined {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) return undefined;
  const missing = Object.keys(schema.properties).filter((key) => !Object.hasOwn(document, key));
  for (const key of Object.keys(document)) {
    if (Object.hasOwn(schema.properties, key)) continue;
    const near = nearestName(key, missing);
    if (near !== undefined) return { what: `unknown key \`${key}\`; did you mean \`${near}\`?` };
  }
  return undefined;
}

function findSchemaProblem(document: unknown): Problem | undefined {
  if (validate(document)) return undefined;
  return { what: describeError(validate.errors![0]!) };
}

function describeError({ keyword, instancePath, params, parentSchema, data }: ErrorObject): string {
  const path = instancePath.split('/').slice(1);
  const node = parentSchema as SchemaNode;
  if (keyword === 'required') {
    const key = params.missingProperty as string;
    return `\`${renderPath([...path, key])}\` is missing, expected ${describeExpected(node.properties?.[key] ?? {})}`;
  }
  if (keyword === 'additionalProperties') {
    const keys = Object.keys(node.properties ?? {}).join(', ');
    return `unknown key \`${renderPath([...path, params.additionalProperty as string])}\`, expected one of ${keys}`;
  }
  const subject = path.length === 0 ? 'the file' : `\`${renderPath(path)}\``;
  return `${subject} is ${describeFound(data)}, expected ${describeExpected(node)}`;
}

function findShapeProblem({ bits, weights, G, constraints = [] }: ProgramDocument): Problem | undefined {
  const count = weights.length * bits.length;
  const because = `${weights.length} layers times ${bits.length} bit-widths`;
  if (G.length !== count) return { what: `\`G\` has ${G.length} rows, expected ${count}: ${because}` };
  const row = G.findIndex(({ length }) => length !== count);
  if (row >= 0) return { what: `\`G[${row}]\` has ${G[row]!.length} numbers, expected ${count}: ${because}` };
  for (const [index, { costs }] of constraints.entries()) {
    const place = `constraints[${index}].costs`;
    if (costs.length !== weights.length) {
      return { what: `\`${place}\` has ${costs.length} lists, expected one for each of ${weights.length} layers` };
    }
    const layer = costs.findIndex(({ length }) => length !== bits.length);
    if (layer >= 0) {
      const found = costs[layer]!.length;
      return {
        what: `\`${place}[${layer}]\` has ${found} numbers, expected one for each of ${bits.length} bit-widths`,
      };
    }
  }
  return undefined;
}

/** The checks that every program has to pass, with the file's name. */
function validateNumbers(program: QuadraticProgram, path: string): void {
  try {
    validateProgram(program);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const problems = error.problems.map((problem) => ({ ...problem, where: path }));
    throw new UserError(problems, { cause: error });
  }
}
