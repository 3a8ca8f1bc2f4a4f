/** Bit operations as people write them: a number, a text with a decimal prefix, or a share of the float model's. */
import { parsePercent } from './byte-size.ts';

export type BitOperationsLimit =
  | { readonly kind: 'operations'; readonly count: number }
  /** Of the float model, in (0, 1]. */
  | { readonly kind: 'ratio'; readonly ratio: number };

/** Decimal prefixes of the SI. */
const FACTORS: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15 };

/**
 * Parses `2500000000`, `"2.5 G"` or `"10%"`.
 *
 * @returns undefined when the text is no such limit, or none above 0
 */
export function parseBitOperations(limit: number | string): BitOperationsLimit | undefined {
  const ratio = parsePercent(limit);
  if (ratio !== undefined) return { kind: 'ratio', ratio };
  const [, amount, prefix] = /^([0-9]+(?:\.[0-9]+)?) ?([kMGTP]?)$/.exec(String(limit)) ?? [];
  const count = typeof limit === 'number' ? limit : Number(amount) * FACTORS[prefix ?? '']!;
  return count > 0 && Number.isFinite(count) ? { kind: 'operations', count } : undefined;
}
