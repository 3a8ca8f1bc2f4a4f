/** The reference of the config as Markdown, one table per section, in the words that error messages use. */
import { stringify } from 'yaml';
import { type SchemaNode as DescribedNode, describeExpected } from '../src/schema-words.ts';
import { replaceGenerated } from './replace-generated.ts';

/** What of JSON Schema (draft 2020-12) the reference is made from. */
export type SchemaNode = DescribedNode & {
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly anyOf?: readonly DescribedNode[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
};

const BEGIN = '<!-- made by `npm run docs` from schemas/config.v1.schema.json: edit the schema, not this part -->';

/** The page with its reference made anew. @throws Error if one of its marks is missing */
export function renderConfigDocs(page: string, schema: SchemaNode): string {
  const sections = listSections(schema, 'the top level').map(renderSection);
  return replaceGenerated(page, BEGIN, sections.join('\n'));
}

type Section = { readonly title: string; readonly node: SchemaNode };

/** A map with keys of its own, then those in it; of a list of maps, such a map. */
function listSections(node: SchemaNode, title: string): Section[] {
  const below = Object.entries(node.properties ?? {}).filter(([, child]) => isSection(child));
  const children = below.flatMap(([key, child]) => listSections(child, pathOf(title, key)));
  return [{ title, node: node.items === undefined ? node : { ...node, ...node.items } }, ...children];
}

function isSection({ properties, items }: SchemaNode): boolean {
  return (properties ?? items?.properties) !== undefined;
}

function pathOf(title: string, key: string): string {
  return title === 'the top level' ? key : `${title}.${key}`;
}

function renderSection({ title, node }: Section): string {
  const heading = title === 'the top level' ? 'At the top level' : `\`${title}\``;
  const rows = Object.entries(node.properties ?? {}).map(([key, child]) => renderRow(title, key, child, node));
  const table = ['| Key | Value | Default | Meaning |', '|---|---|---|---|', ...rows];
  return `### ${heading}\n\n${node.description}\n\n${table.join('\n')}\n`;
}

function renderRow(title: string, key: string, node: SchemaNode, parent: SchemaNode): string {
  const cells = [
    `\`${key}\``,
    isSection(node)
      ? `[${node.items === undefined ? 'a map' : 'a list of maps'}](#${anchorOf(pathOf(title, key))})`
      : renderValue(node),
    renderDefault(node, parent.required?.includes(key) ?? false),
    `${node.description}${renderExamples(node)}`,
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function renderValue(node: SchemaNode): string {
  return alternatives(node).map(describeExpected).join(', or ');
}

/** A title stands for all of them. */
function alternatives({ anyOf, ...node }: SchemaNode): readonly DescribedNode[] {
  if (anyOf !== undefined) return anyOf;
  if (node.title !== undefined || !Array.isArray(node.type)) return [node];
  return node.type.map((type) => ({ ...node, type }));
}

/** Of a map the defaults are those of its keys. */
function renderDefault(node: SchemaNode, isRequired: boolean): string {
  if (isRequired) return 'required';
  return node.default === undefined || isSection(node) ? '–' : inline(node.default);
}

/** Examples that the words beside them do not name already. */
function renderExamples({ examples = [], title, description, ...node }: SchemaNode): string {
  const words = `${title} ${description}`;
  const shown = isSection(node) ? [] : examples.filter((example) => !words.includes(String(example)));
  return shown.length === 0 ? '' : ` For example ${shown.map(inline).join(' or ')}.`;
}

/** YAML on one line, as code. */
function inline(value: unknown): string {
  const options = { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false } as const;
  return `\`${stringify(value, options).trim()}\``;
}

/** The anchor that GitHub gives a heading: its letters and digits. */
function anchorOf(title: string): string {
  return title.toLowerCase().replace(/[^a-z0-9-]/g, '');
}
