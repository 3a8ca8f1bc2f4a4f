/** The width of every layer as a file (schemas/allocation.v1.schema.json), or as the result of an earlier run has it. */
import schema from '../../schemas/allocation.v1.schema.json' with { type: 'json' };
import { UserError } from '../errors.ts';
import { createChecker, parseJson } from '../json-document.ts';
import type { OfferedWidth } from './offered-widths.ts';

/** An allocation that was made elsewhere. */
export type AllocationFile = {
  /** For messages. */
  readonly path: string;
  /** SHA-256 of the model that it is for, where it says so. */
  readonly modelSha256?: string;
  /** By the layer's name. */
  readonly widths: ReadonlyMap<string, OfferedWidth>;
};

type AllocationDocument = {
  readonly modelSha256?: string;
  readonly layers: Readonly<Record<string, OfferedWidth>>;
};

const SCHEMA_FIX = 'schemas/allocation.v1.schema.json describes the format';

const findProblem = createChecker(schema);

/** @throws UserError if the text is neither an allocation nor a result */
export function parseAllocationFile(text: string, path: string): AllocationFile {
  const document = parseJson(text, path, 'the allocation');
  const isResult = isResultOfRun(document);
  const what = isResult ? findResultProblem(document) : findProblem(document);
  if (what !== undefined) throw new UserError({ what, where: path, fix: SCHEMA_FIX });
  if (isResult) return { path, ...ofResult(document as ResultPart) };
  const { modelSha256, layers } = document as AllocationDocument;
  return { path, ...(modelSha256 && { modelSha256 }), widths: new Map(Object.entries(layers)) };
}

function isResultOfRun(document: unknown): boolean {
  return typeof document === 'object' && document !== null && 'schemaVersion' in document;
}

/** What an allocation needs of a result. */
type ResultPart = {
  readonly model: { readonly sha256: string };
  readonly allocation: readonly { readonly layer: string; readonly bits: number }[];
};

/** Bits of a layer that a result leaves in float. */
const FLOAT_BITS = [16, 32];

const findResultProblem = createChecker({
  type: 'object',
  required: ['model', 'allocation'],
  properties: {
    model: { type: 'object', required: ['sha256'], properties: { sha256: { type: 'string' } } },
    allocation: {
      type: 'array',
      items: {
        type: 'object',
        required: ['layer', 'bits'],
        properties: { layer: { type: 'string' }, bits: { enum: [2, 3, 4, 5, 6, 7, 8, ...FLOAT_BITS] } },
      },
    },
  },
});

function ofResult({ model, allocation }: ResultPart): Omit<AllocationFile, 'path'> {
  const widths = allocation.map(({ layer, bits }) => [layer, FLOAT_BITS.includes(bits) ? 'float' : bits] as const);
  return { modelSha256: model.sha256, widths: new Map(widths) };
}
