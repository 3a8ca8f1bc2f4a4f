import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import schema from '../../schemas/sensitivities.v1.schema.json' with { type: 'json' };
import type { SensitivityDocument } from '../../src/sensitivity/sensitivity-file.ts';
import { bitgate } from './bitgate.ts';
import { errorText, refusal } from './refusal.ts';
import {
  createFolder,
  EXAMPLE,
  filesIn,
  newFolder,
  readResult,
  removeFolder,
  type Settings,
  writeConfig,
  writeTo,
} from './workspace.ts';

/** Twelve layers at two widths, one pinned and one left in float, in pairs. */
const PAIRS: Settings = { quantize: { bits: [2, 4], pin: { stem: 'float', head: 4 } }, gate: { min: 0 } };

const EXTERNAL: Settings = { ...PAIRS, sensitivity: { method: 'external', path: 'sens.json' } };

/** What a measured run left, and what it chose. */
let measured: { readonly text: string; readonly document: SensitivityDocument; readonly allocation: unknown };

let folder: string;

beforeAll(async () => {
  folder = createFolder();
  writeConfig(folder, { ...PAIRS, sensitivity: { method: 'pairwise' } });
  expect((await bitgate(['run'], folder)).exitCode).toBe(0);
  const text = readFileSync(join(folder, 'report/sensitivities.json'), 'utf8');
  measured = { text, document: JSON.parse(text), allocation: readResult(folder).allocation };
});

afterAll(() => removeFolder(folder));

/** A folder with a config that reads sensitivities, and the file that it reads. */
function withFile(document: unknown, changes: Settings = {}): string {
  const place = newFolder();
  writeConfig(place, { ...EXTERNAL, ...changes });
  writeTo(place, 'sens.json', typeof document === 'string' ? document : JSON.stringify(document));
  return place;
}

/** What a run left, without some layers. */
function without(...names: readonly string[]): SensitivityDocument {
  const { document } = measured;
  const singles = Object.entries(document.singles!).filter(([name]) => !names.includes(name));
  const pairs = document.pairs!.filter(({ layers }) => !layers.some((name) => names.includes(name)));
  return { ...document, singles: Object.fromEntries(singles), pairs };
}

describe('the file that a run leaves', () => {
  it('run: sensitivities.json satisfies its schema, and has every layer that is not left in float, and every pair', () => {
    const validate = new Ajv2020({ allErrors: true }).compile(schema);
    validate(measured.document);
    expect(validate.errors).toBeNull();
    const { modelSha256, loss, singles, pairs } = measured.document;
    const model = readFileSync(join(EXAMPLE, 'glyphs.onnx'));
    expect(modelSha256).toBe(createHash('sha256').update(model).digest('hex'));
    expect(loss).toBe('kl');
    expect(Object.keys(singles!)).not.toContain('stem');
    expect(Object.keys(singles!.head!)).toEqual(['4']);
    const { sensitivity } = readResult(folder);
    expect(Object.values(singles!).flatMap((terms) => Object.values(terms))).toHaveLength(sensitivity.singles);
    expect(pairs).toHaveLength(sensitivity.pairs);
  });

  it.each([['pairwise'], ['diagonal'], ['local']])(
    'external: from the file of a %s run it proposes what that run chose, number for number, and measures nothing',
    async (method) => {
      const place = newFolder();
      writeConfig(place, { ...PAIRS, sensitivity: { method } });
      expect((await bitgate(['run'], place)).exitCode).toBe(0);
      const before = readResult(place);
      writeConfig(place, {
        ...EXTERNAL,
        report: 'second',
        sensitivity: { method: 'external', path: 'report/sensitivities.json' },
      });
      expect((await bitgate(['run'], place)).exitCode).toBe(0);
      const after = readResult(place, 'second');
      expect(after.allocation).toEqual(before.allocation);
      expect(after.solver.objective).toBe(before.solver.objective);
      expect(after.sensitivity).toMatchObject({
        method: 'external',
        source: { path: join(place, 'report/sensitivities.json') },
        singles: 21,
        pairs: before.sensitivity.pairs,
        forwardEquivalents: 0,
        cache: 'off',
      });
      expect(filesIn(place)).not.toContain('second/sensitivities.json');
    },
  );

  it('pareto: it leaves the file as well', async () => {
    const place = newFolder();
    writeConfig(place, PAIRS);
    expect((await bitgate(['pareto', '--budgets', '3'], place)).exitCode).toBe(0);
    expect(JSON.parse(readFileSync(join(place, 'report/sensitivities.json'), 'utf8')).singles.head).toEqual({
      4: expect.any(Number),
    });
  });
});

describe('sensitivities from a file', () => {
  it('external: the report says where they are from, and opens no cache', async () => {
    const place = withFile(measured.text);
    const { exitCode, stdout } = await bitgate(['run'], place);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /sensitivities +external, kl: 21 singles and 200 pairs from \S+sens\.json, nothing was measured/,
    );
    const sha256 = createHash('sha256').update(measured.text).digest('hex');
    expect(readResult(place).sensitivity.source).toEqual({
      path: join(place, 'sens.json'),
      sizeBytes: Buffer.byteLength(measured.text),
      sha256,
    });
    expect(filesIn(place)).toEqual([
      'bitgate.yml',
      'out/quantized.onnx',
      'report/report.html',
      'report/result.json',
      'report/summary.md',
      'sens.json',
    ]);
    await expect(bitgate(['cache', 'list'], place)).resolves.toMatchObject({
      stdout: expect.not.stringContaining('glyphs'),
    });
  });

  it('external: the artifact says what it was made of by the content of the file, not by its place', async () => {
    const bytesOf = async (place: string) => {
      expect((await bitgate(['run'], place)).exitCode).toBe(0);
      return readFileSync(join(place, 'out/quantized.onnx'));
    };
    const first = await bytesOf(withFile(measured.text));
    expect((await bytesOf(withFile(measured.text))).equals(first)).toBe(true);
    expect((await bytesOf(withFile(`${measured.text}\n`))).equals(first)).toBe(false);
  });

  it('external: what the file says decides, be it the opposite of the truth', async () => {
    const layers = Object.keys(measured.document.singles!);
    // One layer is said to suffer from two bits, the others to be happy with them.
    const singles = Object.fromEntries(layers.map((name) => [name, { 2: name === layers[3] ? 1 : 1e-6, 4: 0 }]));
    const place = withFile({ version: 1, singles }, { budget: { bits: 2.6 } });
    expect((await bitgate(['run'], place)).exitCode).toBe(0);
    expect(readResult(place).allocation.find(({ layer }) => layer === layers[3])).toMatchObject({ bits: 4 });
    expect(readResult(place).sensitivity.loss).toBe('not named');
  });

  it('external: importances weigh the squared error of the weights, so that the important layer gets the bits', async () => {
    const layers = Object.keys(measured.document.singles!);
    for (const important of [layers[2]!, layers[6]!]) {
      const importances = Object.fromEntries(layers.map((name) => [name, name === important ? 1e4 : 1]));
      const place = withFile({ version: 1, importances }, { budget: { bits: 2.6 } });
      expect((await bitgate(['run'], place)).exitCode).toBe(0);
      expect(readResult(place).allocation.find(({ layer }) => layer === important)).toMatchObject({ bits: 4 });
    }
  });

  it('external: with time for a choice, proposals are measured, and moves mend what the file has wrong', async () => {
    const layers = Object.keys(measured.document.singles!);
    // The large robust layer is said to be the only fragile one.
    const singles = Object.fromEntries(layers.map((name) => [name, { 2: name === 'block3.conv1' ? 1 : 0, 4: 0 }]));
    const document = { version: 1, singles };
    const place = withFile(document, { budget: { bits: 3 }, search: { 'time-limit': 20 } });
    expect((await bitgate(['run'], place)).exitCode).toBe(0);
    const { candidates } = readResult(place).selection!;
    expect(candidates[0]!.name).toMatch(/^external/);
    expect(candidates.find(({ chosen }) => chosen)!.name).toMatch(/^round \d: /);
  });

  it('external: tied layers and pinned ones are kept, and widths that are not offered count for nothing', async () => {
    const changes = {
      quantize: { bits: [4], pin: { stem: 'float', head: 8 }, tie: [['block1.*']] },
      budget: { bits: 8 },
    };
    // Nothing of head at 8 bits is in the file, and nothing has to be.
    const place = withFile(without('head'), changes);
    expect((await bitgate(['run'], place)).exitCode).toBe(0);
    const bits = new Map(readResult(place).allocation.map(({ layer, bits: width }) => [layer, width]));
    expect(bits.get('head')).toBe(8);
    expect([...bits.values()].filter((width) => width === 4)).toHaveLength(bits.size - 2);
  });

  it('solve: from a file it answers as a run, with no session and nothing kept', async () => {
    const place = withFile(measured.text);
    const { exitCode, stdout, sessionCount } = await bitgate(['solve', '--json'], place);
    expect({ exitCode, sessionCount }).toEqual({ exitCode: 0, sessionCount: 0 });
    const { method, source, answers } = JSON.parse(stdout);
    expect({ method, path: source.path }).toEqual({ method: 'external', path: join(place, 'sens.json') });
    expect(answers[0].allocation).toEqual(measured.allocation);
    const text = await bitgate(['solve'], place);
    expect(text.stdout).toMatch(/glyphs\.onnx: external sensitivities from \S+sens\.json, kl; nothing was measured\n/);
  });

  it('inspect: it says that nothing is measured, and refuses what a run refuses', async () => {
    const place = withFile(measured.text);
    const { exitCode, stdout } = await bitgate(['inspect'], place);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('\nnothing is measured: the sensitivities come from a file\n');
    const { message } = await refusal(withFile(without('head'), { quantize: { bits: [2, 4] } }), ['inspect']);
    expect(message).toContain("the sensitivities lack 'stem', 'head'");
  });

  it.each(['plan', 'measure', 'decide'])('run --mode %s: there is nothing that machines could share', async (mode) => {
    const place = withFile(measured.text);
    const options = { plan: ['--shards', '2'], measure: ['--shard', '1/2'], decide: [] }[mode]!;
    const { message, sessionCount } = await refusal(place, ['run', '--mode', mode, ...options]);
    expect(sessionCount).toBe(0);
    expect(message).toContain('`sensitivity.method` is external, which leaves nothing to measure\n');
  });
});

describe('a file that cannot be used is refused before any session', () => {
  const SCHEMA = 'schemas/sensitivities.v1.schema.json describes the format';
  const NO_JSON = 'write the sensitivities as JSON, which has no NaN and no Infinity';
  const single = (value: string) => `{"version": 1, "singles": {"stem": {"2": ${value}}}}`;
  const pair = (text: string) => `{"version": 1, "singles": {}, "pairs": [${text}]}`;

  it.each([
    ['NaN', single('NaN'), /no JSON: .*NaN/, NO_JSON],
    ['"NaN"', single('"NaN"'), '`singles.stem[2]` is "NaN", expected a number from -1e+100 to 1e+100', SCHEMA],
    ['null', single('null'), '`singles.stem[2]` is empty, expected a number from -1e+100 to 1e+100', SCHEMA],
    ['1e999', single('1e999'), '`singles.stem[2]` is Infinity, expected a number from -1e+100 to 1e+100', SCHEMA],
    ['-1e999', single('-1e999'), '`singles.stem[2]` is -Infinity, expected a number from -1e+100 to 1e+100', SCHEMA],
    [
      'a width that is none',
      '{"version": 1, "singles": {"stem": {"9": 1}}}',
      'unknown key `singles.stem[9]`, expected one of 2, 3, 4, 5, 6, 7, 8',
      SCHEMA,
    ],
    ['1e200', single('1e200'), '`singles.stem[2]` is 1e+200, expected a number from -1e+100 to 1e+100', SCHEMA],
    ['another version', '{"version": 2}', '`version` is 2, expected 1', SCHEMA],
    [
      'a key that is none',
      '{"version": 1, "single": {}}',
      'unknown key `single`, expected one of version, modelSha256, loss, singles, pairs, importances',
      SCHEMA,
    ],
    [
      'a list',
      '[]',
      'the file is an empty list, expected a map with the keys version, modelSha256, loss, singles, pairs, importances',
      SCHEMA,
    ],
    ['nothing to read', '{"version": 1}', 'expected `singles` or `importances`', SCHEMA],
    [
      'both forms',
      '{"version": 1, "singles": {}, "importances": {}}',
      '`singles` and `importances` both say what a layer does, expected one of them',
      SCHEMA,
    ],
    [
      'pairs beside importances',
      '{"version": 1, "pairs": [], "importances": {}}',
      '`pairs` are the harm of two layers beside `singles`, not `importances`',
      SCHEMA,
    ],
    [
      'an importance below zero',
      '{"version": 1, "importances": {"stem": -1}}',
      '`importances.stem` is -1, expected a number from 0 to 1e+100',
      SCHEMA,
    ],
    [
      'a hash that is none',
      '{"version": 1, "singles": {}, "modelSha256": "abc"}',
      '`modelSha256` is "abc", expected a SHA-256 in 64 hexadecimal digits',
      SCHEMA,
    ],
    [
      'a pair of three',
      pair('{"layers": ["stem", "head", "x"], "widths": [2, 2], "value": 1}'),
      '`pairs[0].layers` is a list of 3, expected a list of two names of layers',
      SCHEMA,
    ],
    [
      'a pair with NaN',
      pair('{"layers": ["stem", "head"], "widths": [2, 2], "value": "NaN"}'),
      '`pairs[0].value` is "NaN", expected a number from -1e+100 to 1e+100',
      SCHEMA,
    ],
    ['no JSON', 'singles: {}', /no JSON: Unexpected token/, NO_JSON],
    ['an empty file', '', /no JSON: Unexpected end of JSON input/, NO_JSON],
  ])('external: %s', async (_, text, what, fix) => {
    const { message, sessionCount } = await refusal(withFile(text));
    expect(sessionCount).toBe(0);
    if (typeof what === 'string') expect(message).toBe(errorText([`<folder>/sens.json: ${what}`, fix]));
    else expect(message).toMatch(what);
    expect(message).toContain(`  fix: ${fix}\n`);
  });

  it('external: a file of another model, by its hash', async () => {
    const { modelSha256 } = measured.document;
    const other = '0'.repeat(64);
    const { message, sessionCount } = await refusal(withFile({ ...measured.document, modelSha256: other }));
    expect(sessionCount).toBe(0);
    expect(message).toBe(
      errorText([
        `<folder>/sens.json: the file is of another model: <example>/glyphs.onnx has the SHA-256 ${modelSha256}, and the file is for ${other}`,
        'make the file anew for this model',
      ]),
    );
  });

  it('external: a file of another model, by the names of its layers, the nearest one named', async () => {
    const { singles } = measured.document;
    const document = { version: 1, singles: { ...singles, heat: { 2: 1 }, 'layer9.conv': { 2: 1 } } };
    const { message, sessionCount } = await refusal(withFile(document));
    expect(sessionCount).toBe(0);
    const fix = 'see `bitgate inspect` for the names of the layers';
    expect(message).toBe(
      errorText(
        ["<folder>/sens.json: the sensitivities name 'heat', but no layer is called so; did you mean 'head'?", fix],
        ["<folder>/sens.json: the sensitivities name 'layer9.conv', but no layer is called so", fix],
      ),
    );
  });

  it('external: layers and widths that have a choice and are not in the file', async () => {
    const fix =
      'add them, offer only widths that the file has under quantize.bits, or pin those layers under quantize.pin';
    const lacking = await refusal(withFile(without('block1.conv1', 'constructor')));
    expect(lacking).toEqual({
      sessionCount: 0,
      message: errorText(["<folder>/sens.json: the sensitivities lack 'block1.conv1'", fix]),
    });
    const narrow = await refusal(
      withFile(measured.document, { quantize: { bits: [2, 3, 4], pin: { stem: 'float', head: 4 } } }),
    );
    expect(narrow.message).toMatch(/the sensitivities lack '[^']+' at 3 bits, .*, and 2 more\n/);
  });

  it.each([
    [
      'of one layer',
      { layers: ['head', 'head'], widths: [2, 4] },
      "`pairs[0]` pairs 'head' with itself, expected two layers",
    ],
    [
      'of layers that are none',
      { layers: ['head', 'stam'], widths: [2, 4] },
      "the sensitivities name 'stam', but no layer is called so; did you mean 'stem'?",
    ],
  ])('external: a pair %s', async (_, pairParts, what) => {
    const document = { ...measured.document, pairs: [{ ...pairParts, value: 1 }] };
    expect((await refusal(withFile(document))).message).toContain(`<folder>/sens.json: ${what}\n`);
  });

  it('external: a pair twice, in whatever order, and one of a layer whose own harm is not there', async () => {
    const [first] = measured.document.pairs!;
    const turned = { layers: first!.layers.toReversed(), widths: first!.widths.toReversed(), value: 2 };
    const twice = await refusal(withFile({ ...measured.document, pairs: [first, turned] }));
    expect(twice.message).toContain('<folder>/sens.json: `pairs[1]` is there twice\n');
    const { head: _, ...singles } = measured.document.singles!;
    const lone = { layers: ['block1.conv1', 'head'], widths: [2, 4], value: 1 };
    const { message } = await refusal(withFile({ version: 1, singles, pairs: [lone] }));
    expect(message).toContain("`pairs[0]` needs beside it what 'head' does alone at 4 bits, which `singles` lacks\n");
  });

  it('external: a file that is missing, or outside of the config', async () => {
    const place = newFolder();
    writeConfig(place, EXTERNAL);
    expect((await refusal(place)).message).toBe(
      errorText([
        '<folder>/sens.json: the file of sensitivities is missing',
        'check the path, which is relative to the config',
      ]),
    );
  });
});
