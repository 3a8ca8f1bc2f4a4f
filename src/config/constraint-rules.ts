/** What a schema cannot say of further limits: which keys go together, and that each has a name of its own. */
import type { Problem } from '../errors.ts';
import { describeFound, renderPath } from '../schema-words.ts';
import { parseBitOperations } from './bit-operations.ts';
import type { YamlDocument } from './yaml-document.ts';

/** Names of the limits that are not given one. */
const RESERVED_NAMES = ['size', 'bops'];

const COST_KEYS: readonly string[] = ['name', 'costs', 'limit'];

const KNOWN_KEYS: readonly string[] = [...COST_KEYS, 'bops', 'unit'];

const BOTH_FORMS = 'write either `bops` alone, or `name`, `costs` and `limit`';

/** @param value of `constraints`; what has the wrong type is passed over */
export function findConstraintProblems(document: YamlDocument, value: unknown): readonly Problem[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item, index) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return [];
    // A key that is misspelt is said once, by the schema.
    if (Object.keys(item).some((key) => !KNOWN_KEYS.includes(key))) return [];
    const earlier = value.slice(0, index);
    const problem = 'bops' in item ? describeBops(item, earlier) : describeCosts(item, earlier);
    if (problem === undefined) return [];
    const { key, ...words } = problem;
    const path = ['constraints', index, ...(key === undefined ? [] : [key])];
    return [{ ...words, what: `\`${renderPath(path)}\` ${words.what}`, where: document.locate(path) }];
  });
}

/** `key`: of the item, if the problem is with one. */
type ItemProblem = Problem & { readonly key?: string };

function describeBops(item: object, earlier: readonly unknown[]): ItemProblem | undefined {
  const others = Object.keys(item).filter((key) => key !== 'bops');
  if (others.length > 0) return { what: `has \`bops\` and ${listKeys(others)}`, fix: BOTH_FORMS };
  if (earlier.some((other) => typeof other === 'object' && other !== null && 'bops' in other)) {
    return { what: 'is a second limit on bit operations', fix: 'keep one of the two' };
  }
  const { bops } = item as { readonly bops: unknown };
  if (typeof bops !== 'string' || parseBitOperations(bops) !== undefined) return undefined;
  return { key: 'bops', what: `is ${describeFound(bops)}, expected more than 0 and at most 100%` };
}

function describeCosts(item: object, earlier: readonly unknown[]): ItemProblem | undefined {
  const missing = COST_KEYS.filter((key) => !(key in item));
  if (missing.length > 0) return { what: `lacks ${listKeys(missing)}`, fix: BOTH_FORMS };
  const name = nameOf(item);
  if (typeof name !== 'string') return undefined;
  if (RESERVED_NAMES.includes(name)) {
    return { key: 'name', what: `is ${name}, which another limit is called`, fix: 'choose another name' };
  }
  if (!earlier.some((other) => nameOf(other) === name)) return undefined;
  return { key: 'name', what: `is ${describeFound(name)}, as an earlier one is`, fix: 'give each limit its own name' };
}

function nameOf(item: unknown): unknown {
  return typeof item === 'object' && item !== null && 'name' in item ? item.name : undefined;
}

function listKeys(keys: readonly string[]): string {
  return keys.map((key) => `\`${key}\``).join(' and ');
}
