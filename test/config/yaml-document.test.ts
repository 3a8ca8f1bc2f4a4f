import { describe, expect, it } from 'vitest';
import { parseYaml } from '../../src/config/yaml-document.ts';
import { UserError } from '../../src/errors.ts';

const TEXT = `a: 1
b:
  "1.0": x
  12: y
  2: z
empty:
list: [1,
  2]
`;

function messageOf(text: string): string {
  try {
    parseYaml(text, 'f.yml');
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as UserError).message;
  }
  throw new Error('nothing was thrown');
}

describe('parseYaml', () => {
  it('parseYaml: locations are the lines and columns of values, from 1, the end exclusive', () => {
    const document = parseYaml(TEXT, 'f.yml');
    expect(document.locate(['a'])).toEqual({ file: 'f.yml', line: 1, column: 4, endLine: 1, endColumn: 5 });
    expect(document.locate(['b'])).toEqual({ file: 'f.yml', line: 3, column: 3, endLine: 5, endColumn: 7 });
    expect(document.locate(['b', '12'])).toEqual({ file: 'f.yml', line: 4, column: 7, endLine: 4, endColumn: 8 });
    expect(document.locate(['list', 1])).toEqual({ file: 'f.yml', line: 8, column: 3, endLine: 8, endColumn: 4 });
  });

  it('parseYaml: an empty value stands at its key, a missing one at its nearest holder', () => {
    const document = parseYaml(TEXT, 'f.yml');
    expect(document.locate(['empty'])).toEqual({ file: 'f.yml', line: 6, column: 1, endLine: 6, endColumn: 6 });
    expect(document.locateKey(['b', 'none'])).toEqual({ file: 'f.yml', line: 2, column: 1, endLine: 2, endColumn: 2 });
    expect(document.locateKey(['none'])).toEqual({ file: 'f.yml', line: 1, column: 1, endLine: 1, endColumn: 1 });
  });

  it('parseYaml: keys keep their text and their order, also where they look like numbers', () => {
    expect(parseYaml(TEXT, 'f.yml').keysAt(['b'])).toEqual(['1.0', '12', '2']);
    expect(parseYaml('1.0: x\n0x10: y\n', 'f.yml').keysAt([])).toEqual(['1.0', '0x10']);
  });

  it('parseYaml: an alias repeats a value, and its keys are found through it', () => {
    const document = parseYaml('a: &x {k: 1, 3: 2}\nb: *x\n', 'f.yml');
    expect(document.value).toEqual({ a: { k: 1, 3: 2 }, b: { k: 1, 3: 2 } });
    expect(document.keysAt(['b'])).toEqual(['k', '3']);
    expect(document.locate(['b', 'k'])).toMatchObject({ line: 1, column: 11 });
  });

  it('parseYaml: windows line ends count as one line end', () => {
    expect(parseYaml('a: 1\r\nb: 2\r\n', 'f.yml').locate(['b'])).toMatchObject({ line: 2, column: 4, endColumn: 5 });
  });

  it('parseYaml: a key called __proto__ is a key like any other', () => {
    const { value } = parseYaml('__proto__: {a: 1}\n', 'f.yml');
    expect(Object.keys(value as object)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  it.each([
    ['a: b: c\n', 'f.yml:1:4: not valid YAML: Nested mappings are not allowed in compact mappings'],
    ['a:\n\tb: 1\n', 'f.yml:2:1: not valid YAML: Tabs are not allowed as indentation'],
    ['a: "abc\n', 'f.yml:2:1: not valid YAML: Missing closing "quote'],
    ['a: !foo 1\n', 'f.yml:1:4: not valid YAML: Unresolved tag: !foo'],
    ['a: 1\nb: 2\na: 3\n', 'f.yml:3:1: duplicate key `a`\n  fix: keep one of the two'],
    ['? [q]\n: 1\n', 'f.yml:1:3: a key is a list or a map, expected a text'],
    ['a: 1\n---\nb: 2\n', 'f.yml:2:1: a second document starts here, expected one\n  fix: remove `---`'],
    ['a: *x\nb: &x 1\n', 'f.yml:1:4: alias `*x` has no anchor before it\n  fix: write the value itself'],
    [
      'a: &x {b: {c: *x}}\n',
      'f.yml:1:15: alias `*x` stands inside the value that it repeats\n  fix: write the value itself',
    ],
  ])('parseYaml: %j is refused with its place', (text, message) => {
    expect(messageOf(text)).toBe(message);
  });

  it('parseYaml: every syntax error is reported at once', () => {
    expect(messageOf('a: 1\na: 2\nb: !foo 1\n')).toBe(
      'f.yml:2:1: duplicate key `a`\n  fix: keep one of the two\nf.yml:3:4: not valid YAML: Unresolved tag: !foo',
    );
  });

  it('parseYaml: aliases that multiply without end are refused', () => {
    const level = (name: string, of: string) => `${name}: &${name} [${Array(10).fill(`*${of}`).join(', ')}]\n`;
    const bomb = `a: &a [x]\n${level('b', 'a')}${level('c', 'b')}${level('d', 'c')}${level('e', 'd')}`;
    expect(messageOf(bomb)).toBe(
      'f.yml:2:8: aliases expand to more than 100 values\n  fix: write the values themselves',
    );
  });

  it.each([60, 700, 20_000])('parseYaml: %d nested lists are refused without exhausting the stack', (depth) => {
    expect(messageOf('['.repeat(depth) + ']'.repeat(depth))).toBe(
      'f.yml:1:1: values are nested more than 50 levels deep\n  fix: see `bitgate init` for the shape of a config',
    );
  });

  it('parseYaml: a text of more than 256000 bytes is refused unread', () => {
    expect(messageOf('é'.repeat(128_001))).toBe(
      'f.yml: the config has 256002 bytes, expected at most 256000\n  fix: name the config, not a model or data file',
    );
  });
});
