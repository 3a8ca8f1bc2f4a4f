import { describe, expect, it } from 'vitest';
import { parseProgramFile, withinBudget } from '../../src/entry/program-file.ts';
import { UserError } from '../../src/errors.ts';

const PROGRAM = {
  source: 'by hand',
  bits: [2, 8],
  weights: [40, 80],
  G: [
    [4, 0.5, 1, 0],
    [0.5, 0, 0, 0],
    [1, 0, 2, 0.25],
    [0, 0, 0.25, 0],
  ],
  bestKnown: { '4': { objective: 1, bits: [8, 2], provenRelativeGap: 0.0001 } },
};

const CONSTRAINT = {
  name: 'latency',
  costs: [
    [1, 2],
    [3, 4],
  ],
  limit: 5,
};

function messageOf(text: string): string {
  try {
    parseProgramFile(text, 'p.json');
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as UserError).message;
  }
  throw new Error('nothing was thrown');
}

const withChanges = (changes: object) => JSON.stringify({ ...PROGRAM, ...changes });

describe('parseProgramFile', () => {
  it('parseProgramFile: groups, matrix and further limits, layer by layer', () => {
    expect(parseProgramFile(withChanges({ constraints: [CONSTRAINT] }), 'p.json')).toEqual({
      bits: [2, 8],
      weights: [40, 80],
      program: {
        groupSizes: [2, 2],
        quadratic: Float64Array.from(PROGRAM.G.flat()),
        constraints: [{ name: 'latency', costs: Float64Array.of(1, 2, 3, 4), limit: 5 }],
      },
      bestKnown: PROGRAM.bestKnown,
    });
  });

  it('parseProgramFile: only bits, weights and G are needed; other keys are notes', () => {
    const { bits, weights, G } = PROGRAM;
    const file = parseProgramFile(JSON.stringify({ bits, weights, G, layers: ['conv1', 'fc'] }), 'p.json');
    expect(file.program.constraints).toEqual([]);
    expect(file.bestKnown).toEqual({});
  });

  it.each([
    [
      '{"bits": [2, NaN]}',
      /^p\.json: no JSON: Unexpected token .*\n {2}fix: write the program as JSON, which has no NaN and no Infinity$/,
    ],
    ['{"bits": [2,', /^p\.json: no JSON: /],
    ['', /^p\.json: no JSON: /],
    [
      '[]',
      'the file is an empty list, expected a map with the keys source, objective, budget, bits, weights, G, constraints, bestKnown',
    ],
    [
      withChanges({ G: undefined }),
      '`G` is missing, expected a list that is not empty, each item a list, each item a number',
    ],
    [withChanges({ G: undefined, g: PROGRAM.G }), 'unknown key `g`; did you mean `G`?'],
    [withChanges({ constraint: [CONSTRAINT] }), 'unknown key `constraint`; did you mean `constraints`?'],
    [
      withChanges({ bits: [] }),
      '`bits` is an empty list, expected a list that is not empty, each item a number, above 0 and at most 64',
    ],
    [withChanges({ bits: [2, '8'] }), '`bits[1]` is "8", expected a number, above 0 and at most 64'],
    [withChanges({ weights: [40, 0.5] }), '`weights[1]` is 0.5, expected a whole number, at least 1'],
    [withChanges({ G: [[1, null]] }), '`G[0][1]` is empty, expected a number'],
    [withChanges({ weights: [40] }), '`G` has 4 rows, expected 2: 1 layers times 2 bit-widths'],
    [withChanges({ G: PROGRAM.G.with(2, [1, 0, 2]) }), '`G[2]` has 3 numbers, expected 4: 2 layers times 2 bit-widths'],
    [
      withChanges({ constraints: [{ ...CONSTRAINT, limits: 3 }] }),
      'unknown key `constraints[0].limits`, expected one of name, costs, limit',
    ],
    [
      withChanges({ constraints: [{ ...CONSTRAINT, costs: [[1, 2]] }] }),
      '`constraints[0].costs` has 1 lists, expected one for each of 2 layers',
    ],
    [
      withChanges({ constraints: [{ ...CONSTRAINT, costs: [[1, 2], [3]] }] }),
      '`constraints[0].costs[1]` has 1 numbers, expected one for each of 2 bit-widths',
    ],
  ])('parseProgramFile: %s', (text, message) => {
    const expected =
      typeof message === 'string'
        ? `p.json: ${message}\n  fix: schemas/program.v1.schema.json describes the format`
        : message;
    if (typeof expected === 'string') expect(messageOf(text)).toBe(expected);
    else expect(messageOf(text)).toMatch(expected);
  });

  it('parseProgramFile: numbers that cannot be used are named with the file', () => {
    expect(messageOf(withChanges({ G: PROGRAM.G.with(2, [1.5, 0, 2, 0.25]) }))).toBe(
      'p.json: the sensitivity of layer 0 candidate 0 with layer 1 candidate 0 is 1.5 in one order and 1 in the other\n' +
        '  fix: a pair of candidates has one sensitivity: make the matrix symmetric',
    );
    expect(messageOf(withChanges({}).replace('[4,', '[1e999,'))).toBe(
      'p.json: `G[0][0]` is Infinity, expected a number\n  fix: schemas/program.v1.schema.json describes the format',
    );
  });
});

describe('withinBudget', () => {
  const file = parseProgramFile(withChanges({ constraints: [CONSTRAINT] }), 'p.json');

  it('withinBudget: bits per weight limit the bytes of all weights together', () => {
    const { program, limitBytes } = withinBudget(file, { kind: 'bits-per-weight', bitsPerWeight: 3.5 });
    expect(limitBytes).toBe(52.5);
    expect(program.constraints.map(({ name }) => name)).toEqual(['size in bytes', 'latency']);
    expect(program.constraints[0]).toEqual({
      name: 'size in bytes',
      costs: Float64Array.of(10, 40, 20, 80),
      limit: 52.5,
    });
  });

  it('withinBudget: a size limits the same', () => {
    expect(withinBudget(file, { kind: 'bytes', sizeBytes: 60 }).program.constraints[0]!.limit).toBe(60);
  });
});
