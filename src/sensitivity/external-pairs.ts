/** The pairs of a file of sensitivities, put where their variables have them. */
import { UserError } from '../errors.ts';
import type { Sensitivities } from './sensitivities.ts';
import { type DocumentPair, SCHEMA_FIX } from './sensitivity-file.ts';

export type ExternalVariable = {
  /** Its name. */
  readonly layer: string;
  readonly width: number | 'float';
  /** What it does alone, if the file says so. */
  readonly single: number | undefined;
};

/**
 * @param path of the file, for messages
 * @returns no pairs where the file has none; those at widths that are not offered count for nothing
 * @throws UserError if a pair is there twice, is of one layer, or lacks what one of its layers does alone
 */
export function externalPairs(
  listed: readonly DocumentPair[] | undefined,
  path: string,
  variables: readonly ExternalVariable[],
): Pick<Sensitivities, 'pairs' | 'pairCount'> {
  if (listed === undefined) return { pairCount: 0 };
  const count = variables.length;
  const pairs = new Float64Array(count * count).fill(Number.NaN);
  const variableOf = new Map(variables.map(({ layer, width }, variable) => [keyOf(layer, width), variable]));
  let pairCount = 0;
  for (const [index, { layers, widths, value }] of listed.entries()) {
    const refuse = (what: string) =>
      new UserError({ what: `\`pairs[${index}]\` ${what}`, where: path, fix: SCHEMA_FIX });
    if (layers[0] === layers[1]) throw refuse(`pairs '${layers[0]}' with itself, expected two layers`);
    const first = variableOf.get(keyOf(layers[0], widths[0]));
    const second = variableOf.get(keyOf(layers[1], widths[1]));
    if (first === undefined || second === undefined) continue;
    const lone = [first, second].map((variable) => variables[variable]!).find(({ single }) => single === undefined);
    if (lone !== undefined) {
      throw refuse(`needs beside it what '${lone.layer}' does alone at ${lone.width} bits, which \`singles\` lacks`);
    }
    if (!Number.isNaN(pairs[first * count + second]!)) throw refuse('is there twice');
    pairs[first * count + second] = value;
    pairs[second * count + first] = value;
    pairCount += 1;
  }
  return { pairs, pairCount };
}

function keyOf(layer: string, width: number | 'float'): string {
  return `${width} ${layer}`;
}
