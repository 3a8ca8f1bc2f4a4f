/** A YAML text with the place of every value in it: YAML 1.2, one document, every key a text. */
import { type Document, isAlias, isMap, isSeq, LineCounter, type Node, type Pair, parseDocument, visit } from 'yaml';
import { type SourceLocation, UserError } from '../errors.ts';
import { findYamlProblems, type LocateRange, rangeOf, type TextRange, toLocation } from './yaml-problems.ts';

/** Keys and indices from the top of a document down to a value. */
export type ValuePath = readonly (string | number)[];

/** What a YAML text says, and where it says it. */
export type YamlDocument = {
  /** Maps as objects, lists as arrays; null for an empty text. */
  readonly value: unknown;
  /** Where the value at `path` stands; its key when it is empty; its nearest holder when it does not exist. */
  locate(path: ValuePath): SourceLocation;
  /** Where the key of the entry at `path` stands, or of its nearest holder; the start of the text for the whole. */
  locateKey(path: ValuePath): SourceLocation;
  /** The keys of the map at `path` in the order in which they were written; none when there is no map. */
  keysAt(path: ValuePath): readonly string[];
};

/** Config files need no more; a larger file is another kind of file. */
export const MAX_TEXT_BYTES = 256_000;

/** An alias may repeat a value; more repetitions than this only make a small text expand without end. */
const MAX_ALIAS_COUNT = 100;

/**
 * Parses one YAML document. Locations name `file`.
 *
 * @throws UserError with every syntax error, duplicate key, unknown tag and unusable alias
 */
export function parseYaml(text: string, file: string): YamlDocument {
  refuseLargeText(text, file);
  const lines = new LineCounter();
  const locateRange: LocateRange = (range) => toLocation(range, text, file, lines);
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const problems = findYamlProblems(document, text, locateRange);
  if (problems.length > 0) throw new UserError(problems);
  return {
    value: toPlainValue(document, locateRange),
    locate: (path) => locateRange(valueRangeOf(walk(document, path), text)),
    locateKey: (path) => locateRange(keyRangeOf(walk(document, path), text)),
    keysAt: (path) => keysOf(walk(document, path), path, document),
  };
}

function refuseLargeText(text: string, file: string): void {
  const byteCount = Buffer.byteLength(text);
  if (byteCount <= MAX_TEXT_BYTES) return;
  throw new UserError({
    what: `the config has ${byteCount} bytes, expected at most ${MAX_TEXT_BYTES}`,
    where: file,
    fix: 'name the config, not a model or data file',
  });
}

function toPlainValue(document: Document, locateRange: LocateRange): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIAS_COUNT });
  } catch (cause) {
    if (!(cause instanceof ReferenceError)) throw cause;
    const what = `aliases expand to more than ${MAX_ALIAS_COUNT} values`;
    const where = locateRange(firstAliasRange(document));
    throw new UserError({ what, where, fix: 'write the values themselves' }, { cause });
  }
}

function firstAliasRange(document: Document): TextRange {
  let range: TextRange = [0, 0];
  visit(document, {
    Alias(_, alias) {
      range = rangeOf(alias);
      return visit.BREAK;
    },
  });
  return range;
}

/** How far a path leads: the last node on it that exists, and the map entry that holds that node. */
type Found = { readonly node: Node | null; readonly pair?: Pair; readonly depth: number };

function walk(document: Document, path: ValuePath): Found {
  let found: Found = { node: document.contents, depth: 0 };
  for (const step of path) {
    const child = childOf(isAlias(found.node) ? found.node.resolve(document) : found.node, step);
    if (child === undefined) break;
    found = { ...child, depth: found.depth + 1 };
  }
  return found;
}

function childOf(node: unknown, step: string | number): Omit<Found, 'depth'> | undefined {
  if (isSeq(node)) {
    const item = node.items[Number(step)] as Node | undefined;
    return item && { node: item };
  }
  const pair = isMap(node) ? node.items.find(({ key }) => keyText(key) === String(step)) : undefined;
  return pair && { node: pair.value as Node | null, pair };
}

function valueRangeOf({ node, pair }: Found, text: string): TextRange {
  const range = rangeOf(node);
  const isEmpty = text.slice(...range).trim() === '';
  return isEmpty && pair ? rangeOf(pair.key as Node) : range;
}

function keyRangeOf(found: Found, text: string): TextRange {
  if (found.pair) return rangeOf(found.pair.key as Node);
  const [start, end] = valueRangeOf(found, text);
  return found.depth === 0 ? [start, start] : [start, end];
}

function keysOf({ node, depth }: Found, path: ValuePath, document: Document): readonly string[] {
  const target = isAlias(node) ? node.resolve(document) : node;
  return depth === path.length && isMap(target) ? target.items.map(({ key }) => keyText(key)) : [];
}

/** `stringKeys` makes every key a scalar that holds a text. */
function keyText(key: unknown): string {
  return String((key as { readonly value: unknown }).value);
}
