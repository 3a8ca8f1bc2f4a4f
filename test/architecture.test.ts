import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/** What a folder of src/ may import from others: `calls` their functions, `names` only their types. */
type Permissions = { readonly calls: readonly string[]; readonly names: readonly string[] };

/**
 * The architecture, from the bottom up. Besides this, everyone may import the leaves (the files of src/ itself, see LEAVES)
 * and the types of `config`. A stage never calls a later one, and no stage reaches the outside world: what runs models,
 * solves programs or touches files is handed to it.
 */
const TABLE: Readonly<Record<string, Permissions>> = {
  // Leaves of their domain.
  wire: { calls: [], names: [] },
  quantize: { calls: [], names: [] },
  program: { calls: [], names: [] },
  dataset: { calls: [], names: [] },
  config: { calls: [], names: [] },
  // Models, and what runs them. Every stage that builds a graph makes messages of `wire`.
  onnx: { calls: ['wire'], names: [] },
  runtime: { calls: [], names: ['onnx'] },
  // The stages, as the pipeline calls them.
  calibrate: { calls: ['wire', 'onnx', 'quantize'], names: ['runtime', 'dataset'] },
  sensitivity: { calls: ['wire', 'onnx', 'quantize'], names: ['runtime', 'dataset', 'calibrate', 'cache'] },
  solver: { calls: ['program'], names: [] },
  allocate: { calls: ['program'], names: ['solver', 'sensitivity'] },
  correct: { calls: ['wire', 'onnx', 'quantize'], names: ['runtime', 'dataset', 'calibrate', 'sensitivity'] },
  select: { calls: [], names: ['sensitivity', 'program', 'solver', 'allocate', 'correct'] },
  artifact: { calls: ['wire', 'onnx', 'quantize'], names: ['calibrate'] },
  evaluate: { calls: [], names: ['runtime', 'dataset', 'onnx'] },
  gate: { calls: [], names: ['evaluate'] },
  report: { calls: [], names: ['evaluate', 'gate'] },
  cache: { calls: [], names: ['sensitivity'] },
  // The story: pipeline.ts and inspect.ts, and their steps. It calls every stage, and knows the world by its types.
  pipeline: {
    calls: [
      'wire',
      'onnx',
      'quantize',
      'dataset',
      'calibrate',
      'sensitivity',
      'program',
      'allocate',
      'correct',
      'select',
      'artifact',
      'evaluate',
      'gate',
      'report',
      'cache',
    ],
    names: ['runtime', 'solver', 'entry'],
  },
  // The faces: the only folder that puts the world and the story together.
  entry: {
    calls: ['config', 'onnx', 'runtime', 'program', 'solver', 'dataset', 'cache', 'report', 'pipeline'],
    names: ['gate', 'evaluate', 'sensitivity'],
  },
};

const STORY = ['pipeline.ts', 'inspect.ts', 'shards.ts', 'solve-kept.ts', 'pareto.ts', 'evaluate-model.ts'];
const LEAVES = [
  'distribution.ts',
  'errors.ts',
  'float16.ts',
  'json-document.ts',
  'nearest-name.ts',
  'progress.ts',
  'random.ts',
  'schema-words.ts',
  'shell-line.ts',
  'tensor.ts',
  'unknown-layer.ts',
  'version.ts',
];

/** Who alone may mention a package or a part of Node, be it in an import or as the text that a `require` gets. */
const OWNERS: Readonly<Record<string, string>> = {
  'onnxruntime-node': 'runtime',
  highs: 'solver',
  '@actions/': 'entry',
  'node:fs': 'entry',
  'node:child_process': 'entry',
  '@bufbuild/protobuf': 'wire',
};

const SOURCE = join(dirname(fileURLToPath(import.meta.url)), '../src');

type Import = { readonly from: string; readonly to: string; readonly isType: boolean };

/** The folder of a path inside src/, `pipeline` for the files that tell the story, or `leaf`. */
function folderOf(path: string): string {
  if (path.includes('/')) return path.split('/')[0]!;
  return STORY.includes(path) ? 'pipeline' : LEAVES.includes(path) ? 'leaf' : `unknown file ${path}`;
}

/** Relative imports between folders. An import is of a type only where the keyword says it, because only then it is erased. */
function importsBetweenFolders(path: string, text: string): Import[] {
  const statements = text.matchAll(/^(?:import|export)\b(\s+type\b)?(?:[^;'"]*?\bfrom)?\s*['"](\.[^'"]+)['"]/gm);
  const expressions = text.matchAll(/(\btypeof\s+)?\b(?:import|require)\(\s*['"](\.[^'"]+)['"]/g);
  return [...statements, ...expressions]
    .map(([, type, specifier]) => ({ isType: type !== undefined, target: posix.join(posix.dirname(path), specifier!) }))
    .filter(({ target }) => !target.startsWith('..'))
    .map(({ isType, target }) => ({ from: folderOf(path), to: folderOf(target), isType }))
    .filter(({ from, to }) => from !== to && to !== 'leaf');
}

function isAllowed({ from, to, isType }: Import): boolean {
  const { calls, names } = TABLE[from] ?? { calls: [], names: [] };
  return calls.includes(to) || (isType && (names.includes(to) || to === 'config'));
}

/** Breaches of the table and of the owners in one file, in words. */
function breaches(path: string, text: string): string[] {
  const imports = importsBetweenFolders(path, text).filter((found) => !isAllowed(found));
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const worlds = Object.keys(OWNERS).filter((world) => mentions(code, world) && OWNERS[world] !== folderOf(path));
  return [
    ...imports.map(({ to, isType }) => `${path} ${isType ? 'names' : 'calls'} ${to}`),
    ...worlds.map((world) => `${path} mentions ${world}`),
  ];
}

/** Whether the code has a text that is the package, or a path in it. */
function mentions(code: string, world: string): boolean {
  return [...code.matchAll(/['"]([^'"\s]+)['"]/g)].some(
    ([, word]) => word === world || word!.startsWith(world.replace(/\/?$/, '/')),
  );
}

const FILES = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
  .map((path) => ({ path, text: readFileSync(join(SOURCE, path), 'utf8') }));

describe('architecture', () => {
  it('architecture: every file keeps to the table of imports, and to the one owner of each outside world', () => {
    expect(FILES.flatMap(({ path, text }) => breaches(path, text))).toEqual([]);
  });

  it('architecture: every folder is in the table, and every leaf imports leaves only', () => {
    const folders = new Set(FILES.map(({ path }) => folderOf(path)));
    expect([...folders].filter((folder) => folder !== 'leaf' && !(folder in TABLE))).toEqual([]);
    const leaves = FILES.filter(({ path }) => folderOf(path) === 'leaf');
    expect(leaves.map(({ path }) => path).sort()).toEqual(LEAVES);
    expect(leaves.flatMap(({ path, text }) => importsBetweenFolders(path, text))).toEqual([]);
  });

  it('architecture: each outside world has its importer', () => {
    const mentioned = Object.entries(OWNERS).filter(([world, owner]) =>
      FILES.some(({ path, text }) => folderOf(path) === owner && mentions(text, world)),
    );
    expect(mentioned.map(([world]) => world)).toEqual(
      expect.arrayContaining(['onnxruntime-node', 'highs', '@actions/', 'node:fs', '@bufbuild/protobuf']),
    );
  });

  it('architecture: in the table nobody calls, directly or not, who calls him', () => {
    const reached = (folder: string): string[] =>
      TABLE[folder]!.calls.flatMap((callee) => [callee, ...reached(callee)]);
    for (const folder of Object.keys(TABLE)) expect(reached(folder)).not.toContain(folder);
  });

  it.each([
    ['gate/decide.ts', "import { evaluateModels } from '../evaluate/evaluate.ts';", ['gate/decide.ts calls evaluate']],
    ['gate/decide.ts', "import type { Measurements } from '../evaluate/measurements.ts';", []],
    ['gate/decide.ts', "import {\n  type A,\n  type B,\n} from '../evaluate/a.ts';", ['gate/decide.ts calls evaluate']],
    ['quantize/rtn.ts', "export type { Model } from '../onnx/model.ts';", ['quantize/rtn.ts names onnx']],
    ['allocate/a.ts', "const { b } = await import('../onnx/b.ts');", ['allocate/a.ts calls onnx']],
    ['onnx/rewrites/a.ts', "import '../../entry/cli.ts';", ['onnx/rewrites/a.ts calls entry']],
    ['onnx/rewrites/a.ts', "import { UserError } from '../../errors.ts';\nimport { b } from '../b.ts';", []],
    ['report/a.ts', "import type { Config } from '../config/config.ts';", []],
    ['report/a.ts', "import { parseConfig } from '../config/parse-config.ts';", ['report/a.ts calls config']],
    ['pipeline.ts', "import { open } from './runtime/onnxruntime.ts';", ['pipeline.ts calls runtime']],
    ['evaluate/a.ts', "const name = 'onnxruntime-node';", ['evaluate/a.ts mentions onnxruntime-node']],
    ['cache/a.ts', "import { open } from 'node:fs/promises';", ['cache/a.ts mentions node:fs']],
    ['report/a.ts', "import { summary } from '@actions/core';", ['report/a.ts mentions @actions/']],
    ['report/a.ts', "/** As 'highs' says. */\nconst word = 'highs of the day';", []],
  ])('architecture: the check sees what %s does with %j', (path, text, expected) => {
    expect(breaches(path, text)).toEqual(expected);
  });
});
