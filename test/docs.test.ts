/** What the documents say, held against what the code takes. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import schema from '../schemas/config.v1.schema.json' with { type: 'json' };
import { renderCachingDocs } from '../scripts/render-caching-docs.ts';
import { renderConfigDocs, type SchemaNode } from '../scripts/render-config-docs.ts';
import { parseAllocationFile } from '../src/allocate/allocation-file.ts';
import { parseConfig } from '../src/config/parse-config.ts';
import { parseSensitivityFile } from '../src/sensitivity/sensitivity-file.ts';

const ROOT = resolve(import.meta.dirname, '..');

type Page = { readonly path: string; readonly text: string };

/** Every document of the repository, but for what installs and builds put there. */
const pages: readonly Page[] = ['.', 'docs', 'docs/adr', 'examples/glyphs'].flatMap((folder) =>
  readdirSync(resolve(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => ({ path: `${folder}/${name}`, text: readFileSync(resolve(ROOT, folder, name), 'utf8') })),
);

function blocksOf({ path, text }: Page, language: string): { readonly place: string; readonly text: string }[] {
  return [...text.matchAll(/^( *)```(\w+)\n(.*?)\n *```$/gms)].flatMap(([, indent = '', found, body = ''], index) =>
    found === language
      ? [{ place: `${path}, code block ${index + 1}`, text: body.replaceAll(new RegExp(`^${indent}`, 'gm'), '') }]
      : [],
  );
}

/** A config that is complete, for examples that show a part of one. */
const WHOLE = {
  version: 1,
  model: 'model.onnx',
  output: 'quantized.onnx',
  budget: { bits: 4 },
  data: { calibration: { path: 'calibration.npz' }, evaluation: { path: 'test.npz' } },
};

const ACTION = parse(readFileSync(resolve(ROOT, 'action.yml'), 'utf8')) as { readonly inputs: Record<string, unknown> };

/** Keys that only workflows have. */
const WORKFLOW_KEYS = ['on', 'jobs', 'steps', 'runs-on', 'uses'];

function kindOf(value: unknown): 'config' | 'workflow' | 'neither' {
  if (Array.isArray(value)) return value.every((step) => kindOf(step) === 'workflow') ? 'workflow' : 'neither';
  const keys = Object.keys((value ?? {}) as object);
  if (keys.some((key) => WORKFLOW_KEYS.includes(key))) return 'workflow';
  return keys.some((key) => Object.hasOwn(schema.properties, key)) ? 'config' : 'neither';
}

type Step = { readonly with?: Readonly<Record<string, unknown>> };

/** Every step in a workflow, or part of one, that uses the action. */
function stepsWithAction(value: unknown): Step[] {
  if (typeof value !== 'object' || value === null) return [];
  const isStep = 'uses' in value && typeof value.uses === 'string' && /(^|\/)bitgate@|^\.\/$/.test(value.uses);
  return [...(isStep ? [value as Step] : []), ...Object.values(value).flatMap(stepsWithAction)];
}

const examples = pages
  .flatMap((page) => [...blocksOf(page, 'yaml'), ...blocksOf(page, 'yml')])
  .map(({ place, text }) => ({ place, text, value: parse(text) as unknown }));

describe('examples in the documents', () => {
  it('are found', () => {
    expect(examples.filter(({ place }) => place.includes('README.md')).length).toBeGreaterThan(1);
    expect(examples.filter(({ place }) => place.includes('configuration.md')).length).toBeGreaterThan(3);
  });

  it.each(examples)('$place: is a config, a part of one, or a workflow', ({ value }) => {
    expect(kindOf(value)).not.toBe('neither');
  });

  it.each(examples.filter(({ value }) => kindOf(value) === 'config'))('$place: is taken as a config', (example) => {
    const isWhole = Object.hasOwn(example.value as object, 'version');
    const text = isWhole ? example.text : stringify({ ...WHOLE, ...(example.value as object) });
    expect(parseConfig(text, 'bitgate.yml').path).toContain('bitgate.yml');
  });

  it.each(examples.filter(({ value }) => stepsWithAction(value).length > 0))(
    '$place: gives the action inputs that it has',
    ({ value }) => {
      const given = stepsWithAction(value).flatMap((step) => Object.keys(step.with ?? {}));
      expect(given.filter((name) => !Object.hasOwn(ACTION.inputs, name))).toEqual([]);
    },
  );

  it('a misspelt key, value or input would be noticed', () => {
    expect(kindOf(parse('quantise: { format: qdq }'))).toBe('neither');
    expect(() => parseConfig(stringify({ ...WHOLE, quantize: { format: 'qqd' } }), 'x')).toThrow('did you mean qdq?');
    expect(stepsWithAction(parse('steps: [{ uses: a/bitgate@v1, with: { confg: x } }]'))).toEqual([
      { uses: 'a/bitgate@v1', with: { confg: 'x' } },
    ]);
  });
});

describe('files in docs/external.md', () => {
  const page = pages.find(({ path }) => path === 'docs/external.md')!;

  it.each(blocksOf(page, 'json'))('$place: is taken as sensitivities, or as an allocation', ({ text }) => {
    const parse = text.includes('"layers": {') ? parseAllocationFile : parseSensitivityFile;
    expect(parse(text, 'x.json')).toBeDefined();
  });
});

describe('links in the documents', () => {
  const links = pages.flatMap(({ path, text }) =>
    [...text.replaceAll(/^```.*?^```$/gms, '').matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !/^[a-z]+:/.test(target))
      .map((target) => ({ path, target })),
  );

  it('lead to files that are there, and to headings that they have', () => {
    const isDead = ({ path, target }: { path: string; target: string }) => {
      const [file = '', anchor] = target.split('#');
      const found = file === '' ? resolve(ROOT, path) : resolve(ROOT, dirname(path), file);
      return !existsSync(found) || (anchor !== undefined && !anchorsOf(readFileSync(found, 'utf8')).includes(anchor));
    };
    expect(links.length).toBeGreaterThan(10);
    expect(links.filter(isDead)).toEqual([]);
  });
});

/** As GitHub makes them: lower case, spaces to hyphens, other signs dropped. */
function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe('docs/configuration.md', () => {
  const page = readFileSync(resolve(ROOT, 'docs/configuration.md'), 'utf8');

  it('is what `npm run docs` makes of the schema', () => {
    expect(renderConfigDocs(page, schema as SchemaNode), 'run `npm run docs`').toBe(page);
  });

  it('says of every key what it is, and of a key in a section what its default is', () => {
    const example: SchemaNode = {
      description: 'The whole.',
      required: ['a'],
      properties: {
        a: { description: 'One | two.', enum: ['x', 'y'] },
        b: {
          description: 'A section.',
          properties: {
            c: {
              description: 'Some.',
              type: ['number', 'array'],
              items: { type: 'number' },
              default: [1],
              examples: [[2, 3]],
            },
          },
        },
      },
    };
    const marks = page.match(/^<!-- .* -->$/gm)!;
    expect(renderConfigDocs(`Before.\n\n${marks[0]}old${marks[1]}\nBehind.\n`, example)).toBe(`Before.

${marks[0]}

### At the top level

The whole.

| Key | Value | Default | Meaning |
|---|---|---|---|
| \`a\` | one of x, y | required | One \\| two. |
| \`b\` | [a map](#b) | – | A section. |

### \`b\`

A section.

| Key | Value | Default | Meaning |
|---|---|---|---|
| \`c\` | a number, or a list, each item a number | \`[1]\` | Some. For example \`[2, 3]\`. |

${marks[1]}
Behind.
`);
  });

  it('without its marks is refused', () => {
    expect(() => renderConfigDocs('Nothing.', schema as SchemaNode)).toThrow('the page has no lines');
  });
});

describe('docs/caching.md', () => {
  it('is what `npm run docs` makes of the parts of the key', () => {
    const page = readFileSync(resolve(ROOT, 'docs/caching.md'), 'utf8');
    expect(page).toContain('| loss | the calibration loss | `sensitivity.loss` |');
    expect(renderCachingDocs(page), 'run `npm run docs`').toBe(page);
  });
});

describe('schemas/config.v1.schema.json', () => {
  const ajv = new Ajv2020({ strict: false });
  const nodes = (node: SchemaNode, path: string): { path: string; node: SchemaNode }[] => [
    { path, node },
    ...Object.entries(node.properties ?? {}).flatMap(([key, child]) => nodes(child, `${path}${path && '.'}${key}`)),
  ];
  const stated = nodes(schema as SchemaNode, '').flatMap(({ path, node }) =>
    [...(node.examples ?? []), ...('default' in node ? [node.default] : [])].map((value) => ({ path, node, value })),
  );

  it('allows every example and default that it states', () => {
    expect(stated.length).toBeGreaterThan(40);
    const refused = stated.filter(({ node, value }) => !ajv.validate(node, value)).map(({ path }) => path);
    expect(refused).toEqual([]);
  });
});
