/** What is wrong with a YAML text as such: syntax, duplicate keys, unknown tags, aliases, depth. */
import {
  type Alias,
  type Document,
  isMap,
  isSeq,
  type LineCounter,
  type Node,
  visit,
  type YAMLParseError,
  type YAMLWarning,
} from 'yaml';
import type { Problem, SourceLocation } from '../errors.ts';

/** Offsets in a text, the end exclusive. */
export type TextRange = readonly [start: number, end: number];

export type LocateRange = (range: TextRange) => SourceLocation;

/** Config files have 5 levels; the parser itself gives up after a few hundred. */
const MAX_DEPTH = 50;

/** Finds every fault of the text, or only its depth when it is nested too deeply to be walked. */
export function findYamlProblems(document: Document, text: string, locate: LocateRange): readonly Problem[] {
  const faults = [...document.errors, ...document.warnings];
  // The parser recurses once per level, and an exhausted stack becomes one error among thousands.
  if (isTooDeep(document) || faults.some(({ message }) => message.includes('call stack'))) {
    const what = `values are nested more than ${MAX_DEPTH} levels deep`;
    return [{ what, where: locate([0, 0]), fix: 'see `bitgate init` for the shape of a config' }];
  }
  return [...faults.map((fault) => describeFault(fault, text, locate)), ...findAliasProblems(document, locate)];
}

/** Walks without recursion, so that everything after it may recurse. */
function isTooDeep(document: Document): boolean {
  let level: readonly (Node | null)[] = [document.contents];
  for (let depth = 0; depth <= MAX_DEPTH && level.length > 0; depth++) level = level.flatMap(childrenOf);
  return level.length > 0;
}

function childrenOf(node: Node | null): readonly (Node | null)[] {
  if (isMap(node)) return node.items.map(({ value }) => value as Node | null);
  return isSeq(node) ? (node.items as Node[]) : [];
}

type Fault = Pick<YAMLParseError | YAMLWarning, 'code' | 'message' | 'pos'>;

function describeFault({ code, message, pos }: Fault, text: string, locate: LocateRange): Problem {
  const where = locate(pos);
  if (code === 'NON_STRING_KEY') return { what: 'a key is a list or a map, expected a text', where };
  if (code === 'MULTIPLE_DOCS') {
    return { what: 'a second document starts here, expected one', where, fix: 'remove `---`' };
  }
  if (code !== 'DUPLICATE_KEY') return { what: `not valid YAML: ${message}`, where };
  const key = text.slice(pos[0]).match(/^[^:\r\n]*[^:\s]/)?.[0] ?? '';
  const keyRange: TextRange = [pos[0], pos[0] + key.length];
  return { what: `duplicate key \`${key}\``, where: locate(keyRange), fix: 'keep one of the two' };
}

function findAliasProblems(document: Document, locate: LocateRange): readonly Problem[] {
  const problems: Problem[] = [];
  visit(document, {
    Alias(_, alias) {
      const what = describeAliasFault(alias, document);
      if (what !== undefined) problems.push({ what, where: locate(rangeOf(alias)), fix: 'write the value itself' });
    },
  });
  return problems;
}

function describeAliasFault(alias: Alias, document: Document): string | undefined {
  const target = alias.resolve(document);
  if (target === undefined) return `alias \`*${alias.source}\` has no anchor before it`;
  const [start, end] = rangeOf(target);
  const [aliasStart] = rangeOf(alias);
  const isCircular = start <= aliasStart && aliasStart < end;
  return isCircular ? `alias \`*${alias.source}\` stands inside the value that it repeats` : undefined;
}

/** Where a node stands, without the white space and comments after it; the start of the text for no node. */
export function rangeOf(node: Node | null): TextRange {
  const range = node?.range;
  return range ? [range[0], range[1]] : [0, 0];
}

/** Lines and columns from 1; `endColumn` is one past the last character. */
export function toLocation([start, end]: TextRange, text: string, file: string, lines: LineCounter): SourceLocation {
  const trimmedEnd = start + text.slice(start, end).trimEnd().length;
  const from = lines.linePos(start);
  const to = lines.linePos(trimmedEnd);
  return { file, line: from.line, column: from.col, endLine: to.line, endColumn: to.col };
}
