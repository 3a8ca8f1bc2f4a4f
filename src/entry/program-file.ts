/** A bare program as a file (schemas/program.v1.schema.json): what `bitgate solve --program` and the benchmarks read. */
import schema from '../../schemas/program.v1.schema.json' with { type: 'json' };
import { UserError } from '../errors.ts';
import { createChecker, parseJson } from '../json-document.ts';
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

const findSchemaProblem = createChecker(schema);

/**
 * @param path for messages
 * @throws UserError if the text is no program, or a number in it cannot be used
 */
export function parseProgramFile(text: string, path: string): ProgramFile {
  const document = parseJson(text, path, 'the program');
  const what =
    findMisspelling(document) ?? findSchemaProblem(document) ?? findShapeProblem(document as ProgramDocument);
  if (what !== undefined) throw new UserError({ what, where: path, fix: SCHEMA_FIX });
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

/** Unknown keys are notes, unless they look like a known one that is missing. */
function findMisspelling(document: unknown): string | undefined {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) return undefined;
  const missing = Object.keys(schema.properties).filter((key) => !Object.hasOwn(document, key));
  for (const key of Object.keys(document)) {
    if (Object.hasOwn(schema.properties, key)) continue;
    const near = nearestName(key, missing);
    if (near !== undefined) return `unknown key \`${key}\`; did you mean \`${near}\`?`;
  }
  return undefined;
}

function findShapeProblem({ bits, weights, G, constraints = [] }: ProgramDocument): string | undefined {
  const count = weights.length * bits.length;
  const because = `${weights.length} layers times ${bits.length} bit-widths`;
  if (G.length !== count) return `\`G\` has ${G.length} rows, expected ${count}: ${because}`;
  const row = G.findIndex(({ length }) => length !== count);
  if (row >= 0) return `\`G[${row}]\` has ${G[row]!.length} numbers, expected ${count}: ${because}`;
  for (const [index, { costs }] of constraints.entries()) {
    const place = `constraints[${index}].costs`;
    if (costs.length !== weights.length) {
      return `\`${place}\` has ${costs.length} lists, expected one for each of ${weights.length} layers`;
    }
    const layer = costs.findIndex(({ length }) => length !== bits.length);
    if (layer >= 0) {
      const found = costs[layer]!.length;
      return `\`${place}[${layer}]\` has ${found} numbers, expected one for each of ${bits.length} bit-widths`;
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
