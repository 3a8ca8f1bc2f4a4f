import { describe, expect, it } from 'vitest';
import { costsOfLayers, parseCostTable } from '../../src/allocate/cost-table.ts';
import type { OfferedWidth } from '../../src/allocate/offered-widths.ts';

const NAMES = ['stem', 'head'];
const OFFERED: readonly (readonly OfferedWidth[])[] = [[2, 4], ['float']];

function costsOf(costs: object) {
  return costsOfLayers(parseCostTable(JSON.stringify({ version: 1, costs }), 't.json'), NAMES, OFFERED);
}

describe('parseCostTable', () => {
  it.each([
    ['{', /^t\.json: no JSON: .*\n {2}fix: write the costs as JSON, which has no NaN and no Infinity$/],
    ['[]', 't.json: the file is an empty list, expected a map with the keys $schema, version, unit, costs'],
    ['{"costs": {}}', 't.json: `version` is missing, expected 1'],
    ['{"version": 2, "costs": {}}', 't.json: `version` is 2, expected 1'],
    ['{"version": 1}', 't.json: `costs` is missing, expected a map from names to a map'],
    ['{"version": 1, "costs": {"stem": 3}}', 't.json: `costs.stem` is 3, expected a map with the keys 2, 3, 4'],
    [
      '{"version": 1, "costs": {"stem": {"16": 1}}}',
      't.json: unknown key `costs.stem[16]`, expected one of 2, 3, 4, 5, 6, 7, 8, float',
    ],
    [
      '{"version": 1, "costs": {"stem": {"2": -1}}}',
      't.json: `costs.stem[2]` is -1, expected a number, at least 0\n  fix: schemas/costs.v1.schema.json describes the format',
    ],
    ['{"version": 1, "costs": {"stem": {"2": "1"}}}', 't.json: `costs.stem[2]` is "1", expected a number, at least 0'],
    ['{"version": 1, "costs": {"stem": {"2": 1e999}}}', 't.json: `costs.stem[2]` is Infinity, expected a number'],
  ])('parseCostTable: refuses %s', (text, message) => {
    expect(() => parseCostTable(text, 't.json')).toThrow(message);
  });

  it('parseCostTable: takes the unit, and names that an object has by itself', () => {
    const text = '{"version": 1, "unit": "ms", "costs": {"__proto__": {"2": 1}, "constructor": {"float": 0}}}';
    const { unit, costs } = parseCostTable(text, 't.json');
    expect([unit, [...costs.keys()], costs.get('__proto__')?.get('2')]).toEqual([
      'ms',
      ['__proto__', 'constructor'],
      1,
    ]);
  });
});

describe('costsOfLayers', () => {
  it('costsOfLayers: every layer at its widths; widths that are not offered may have costs too', () => {
    const costs = costsOf({ head: { float: 0, 8: 7 }, stem: { 2: 0.5, 3: 0.6, 4: 0.75 } });
    expect(costs.map((row) => [...row])).toEqual([
      [
        [2, 0.5],
        [4, 0.75],
      ],
      [['float', 0]],
    ]);
  });

  it('costsOfLayers: names all that is missing, and what is no layer, with the nearest one', () => {
    expect(() => costsOf({ stem: { 2: 1 }, heat: { float: 1 }, other: {} })).toThrow(
      [
        "t.json: no cost for 'stem' at 4; 'head' at float",
        '  fix: add a cost for each, 0 where a layer costs nothing',
        "t.json: costs of what is no layer of the model: 'heat' (did you mean 'head'?), 'other'",
        '  fix: correct or remove them',
      ].join('\n'),
    );
  });

  it('costsOfLayers: of many that are missing, the first and how many more', () => {
    const names = Array.from({ length: 30 }, (_, index) => `layer${index}`);
    const table = parseCostTable('{"version": 1, "costs": {}}', 't.json');
    const offered = names.map(() => [2, 4]);
    expect(() => costsOfLayers(table, names, offered)).toThrow("'layer19' at 2, 4; and 10 more\n");
  });
});
