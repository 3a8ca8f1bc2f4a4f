/** Sensitivities as a file (schemas/sensitivities.v1.schema.json): what runs leave, and what other tools may write. */
import schema from '../../schemas/sensitivities.v1.schema.json' with { type: 'json' };
import { UserError } from '../errors.ts';
import { createChecker, parseJson } from '../json-document.ts';
import type { Candidate } from './candidates.ts';
import type { Sensitivities } from './sensitivities.ts';

/** The content of a file that satisfies the schema, which describes every property. */
export type SensitivityDocument = {
  readonly version: 1;
  readonly modelSha256?: string;
  readonly loss?: string;
  readonly singles?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly pairs?: readonly DocumentPair[];
  readonly importances?: Readonly<Record<string, number>>;
};

export type DocumentPair = {
  readonly layers: readonly [string, string];
  readonly widths: readonly [number, number];
  readonly value: number;
};

export const SCHEMA_FIX = 'schemas/sensitivities.v1.schema.json describes the format';

const findSchemaProblem = createChecker(schema);

/**
 * @param path for messages
 * @throws UserError if the text is no such file; the schema takes no number that is not finite
 */
export function parseSensitivityFile(text: string, path: string): SensitivityDocument {
  const document = parseJson(text, path, 'the sensitivities');
  const what = findSchemaProblem(document) ?? findTwoForms(document as SensitivityDocument);
  if (what !== undefined) throw new UserError({ what, where: path, fix: SCHEMA_FIX });
  return document as SensitivityDocument;
}

function findTwoForms({ singles, pairs, importances }: SensitivityDocument): string | undefined {
  if (singles === undefined && importances === undefined) return 'expected `singles` or `importances`';
  if (importances === undefined) return undefined;
  if (singles !== undefined) return '`singles` and `importances` both say what a layer does, expected one of them';
  return pairs === undefined ? undefined : '`pairs` are the harm of two layers beside `singles`, not `importances`';
}

export type RenderInput = {
  readonly sensitivities: Sensitivities;
  /** The variables of the sensitivities. */
  readonly candidates: readonly Candidate[];
  /** Shape [layerCount]. */
  readonly layerNames: readonly string[];
  readonly modelSha256: string;
};

/**
 * The file that gives back these sensitivities, number for number; a line per layer and per pair. What is no finite number
 * is left out: JSON has no word for it.
 */
export function renderSensitivityFile(input: RenderInput): string {
  const { sensitivities, modelSha256 } = input;
  const pairs = listPairs(input).map((pair) => `    ${JSON.stringify(pair)}`);
  return [
    '{',
    '  "version": 1,',
    `  "modelSha256": "${modelSha256}",`,
    `  "loss": ${JSON.stringify(sensitivities.loss)},`,
    '  "singles": {',
    listSingles(input).join(',\n'),
    ...(pairs.length === 0 ? ['  }'] : ['  },', '  "pairs": [', pairs.join(',\n'), '  ]']),
    '}\n',
  ].join('\n');
}

/** A layer in float does no harm, and is left out. */
function listSingles({ sensitivities, candidates, layerNames }: RenderInput): string[] {
  return layerNames.flatMap((name, layer) => {
    const variables = quantizedVariables(candidates).filter((variable) => candidates[variable]!.layerIndex === layer);
    const terms = variables
      .map((variable) => [candidates[variable]!.bitWidth, sensitivities.singles[variable]!] as const)
      .filter(([, loss]) => Number.isFinite(loss));
    return terms.length === 0 ? [] : [`    ${JSON.stringify(name)}: ${JSON.stringify(Object.fromEntries(terms))}`];
  });
}

function listPairs({ sensitivities: { pairs }, candidates, layerNames }: RenderInput): DocumentPair[] {
  if (pairs === undefined) return [];
  const variables = quantizedVariables(candidates);
  return variables.flatMap((first) =>
    variables.flatMap((second) => {
      const value = pairs[first * candidates.length + second]!;
      if (second <= first || !Number.isFinite(value)) return [];
      const [a, b] = [candidates[first]!, candidates[second]!];
      const layers = [layerNames[a.layerIndex]!, layerNames[b.layerIndex]!] as const;
      return [{ layers, widths: [a.bitWidth, b.bitWidth] as const, value }];
    }),
  );
}

function quantizedVariables(candidates: readonly Candidate[]): number[] {
  return [...candidates.keys()].filter((variable) => candidates[variable]!.content !== 'float');
}
