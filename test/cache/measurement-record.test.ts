import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  encodeRecord,
  MAX_RECORD_LENGTH,
  type MeasurementRecord,
  parseRecord,
} from '../../src/cache/measurement-record.ts';
import { seededRandom } from '../../src/random.ts';
import { KEY, OTHER_KEY, record } from './records.ts';

const SAMPLE = record('base=3:2|branches=4:2,4:4', {
  losses: { '3:2': 0.1, '3:2+4:2': 1.5e-7, '3:2+4:4': -2.5e-9, '3:2+5:8': 123456.78125 },
});

/** A line whose checksum is right, whatever its content: what a mutation with luck, or a hand, would write. */
function withChecksum(content: object): string {
  const text = JSON.stringify(content);
  const checksum = createHash('sha256').update(text).digest('hex').slice(0, 16);
  return `${text.slice(0, -1)},"checksum":"${checksum}"}`;
}

function reasonOf(line: string, key = KEY): string {
  const parsed = parseRecord(line, key);
  return parsed.kind === 'rejected' ? parsed.reason : 'accepted';
}

describe('encodeRecord', () => {
  it('encodeRecord: is one line of JSON that parses back to the same', () => {
    const line = encodeRecord(SAMPLE);
    expect(line).not.toContain('\n');
    expect(parseRecord(line, KEY)).toEqual({ kind: 'accepted', record: SAMPLE });
  });

  it('encodeRecord: numbers come back bit for bit', () => {
    const random = seededRandom(7);
    const bits = new DataView(new ArrayBuffer(8));
    for (let round = 0; round < 200; round++) {
      bits.setUint32(0, random() * 2 ** 32);
      bits.setUint32(4, random() * 2 ** 32);
      const loss = bits.getFloat64(0);
      if (!(loss >= -1000 && loss <= 1e12)) continue;
      const parsed = parseRecord(encodeRecord(record('u', { losses: { a: loss } })), KEY);
      expect(parsed.kind === 'accepted' && parsed.record.losses.a, `${loss}`).toBe(loss);
    }
  });

  it.each([
    ['NaN', { losses: { a: Number.NaN } }, 'losses must be number'],
    ['an infinite loss', { losses: { a: Number.POSITIVE_INFINITY } }, 'losses must be number'],
    ['a loss beyond belief', { losses: { a: 1e13 } }, 'losses must be <= 1000000000000'],
    ['no loss', { losses: {} }, 'losses must NOT have fewer than 1 properties'],
    ['no sample', { sampleCount: 0 }, 'sampleCount must be >= 1'],
    ['a unit with a line end', { unit: 'a\nb' }, 'unit must match pattern "^[!-Z^-z|~]+$"'],
    ['a unit with brackets', { unit: 'a[1]' }, 'nested deeper than a record is'],
    ['a date that is none', { measuredAt: '2026-02-30T00:00:00.000Z' }, 'measuredAt is no date'],
  ] as const)('encodeRecord: %s cannot be kept', (_, changes, reason) => {
    expect(() => encodeRecord(record('u', changes as Partial<MeasurementRecord>))).toThrow(
      new RangeError(`the measurement cannot be kept: ${reason}`),
    );
  });
});

describe('parseRecord', () => {
  const { key, ...others } = SAMPLE;
  it.each([
    ['nothing', '', 'no JSON'],
    ['half a line', encodeRecord(SAMPLE).slice(0, 100), 'no JSON'],
    ['NaN', encodeRecord(SAMPLE).replace('0.1', 'NaN'), 'no JSON'],
    ['a number too large for a double', encodeRecord(SAMPLE).replace('0.1', '1e999'), 'losses must be number'],
    ['null', 'null', 'the record must be object'],
    ['a list', `[${encodeRecord(SAMPLE)}]`, 'nested deeper than a record is'],
    ['an object in the losses', withChecksum({ ...SAMPLE, losses: { a: {} } }), 'nested deeper than a record is'],
    ['no key', withChecksum(others), "the record must have required property 'key'"],
    ['a field more', withChecksum({ ...SAMPLE, more: 1 }), 'the record must NOT have additional properties'],
    ['a text for a number', withChecksum({ ...SAMPLE, seconds: '1' }), 'seconds must be number'],
    ['a list for the losses', withChecksum({ ...SAMPLE, losses: 1 }), 'losses must be object'],
    ['a null among the losses', withChecksum({ ...SAMPLE, losses: { a: null } }), 'losses must be number'],
    [
      'a name that is no name',
      withChecksum({ ...SAMPLE, losses: { '<b>': 1 } }),
      'losses must match pattern "^[0-9A-Za-z][!-Z^-z|~]*$"',
    ],
    [
      'a prototype',
      encodeRecord(SAMPLE).replace('"3:2"', '"__proto__"'),
      'losses must match pattern "^[0-9A-Za-z][!-Z^-z|~]*$"',
    ],
    ['a later version', withChecksum({ ...SAMPLE, schemaVersion: 2 }), 'schemaVersion must be equal to constant'],
    ['another set', encodeRecord({ ...SAMPLE, key: OTHER_KEY }), 'of another measurement set'],
    ['a changed digit', encodeRecord(SAMPLE).replace('0.1', '0.2'), 'damaged: its text does not match its checksum'],
    ['another spelling', encodeRecord(SAMPLE).replace('0.1', '0.10'), 'damaged: its text does not match its checksum'],
    ['a space', encodeRecord(SAMPLE).replace(',', ', '), 'damaged: its text does not match its checksum'],
    [
      'a field twice',
      encodeRecord(SAMPLE).replace('"seconds":2.25', '"seconds":2.25,"seconds":2.25'),
      'damaged: its text does not match its checksum',
    ],
    ['a line too long', ' '.repeat(MAX_RECORD_LENGTH + 1), `longer than ${MAX_RECORD_LENGTH} characters`],
    ['brackets without end', '['.repeat(MAX_RECORD_LENGTH), 'nested deeper than a record is'],
    ['braces without end', '{"a":'.repeat(MAX_RECORD_LENGTH / 5), 'nested deeper than a record is'],
  ])('parseRecord: %s is rejected with its reason', (_, line, reason) => {
    expect(reasonOf(line)).toBe(reason);
  });

  it('parseRecord: a field in another order is rejected, though JSON has no order', () => {
    expect(reasonOf(withChecksum({ key, ...others }))).toBe('damaged: its text does not match its checksum');
    expect(reasonOf(withChecksum(SAMPLE))).toBe('accepted');
  });

  it('parseRecord: of 1,000 mutated records none is accepted and none crashes', () => {
    const original = encodeRecord(SAMPLE);
    const random = seededRandom(20261125);
    const below = (limit: number) => Math.floor(random() * limit);
    const counts = new Map<string, number>();
    for (let round = 0; round < 1000; round++) {
      const mutation = MUTATIONS[round % MUTATIONS.length]!;
      const line = mutation(original, below);
      const reason = reasonOf(line);
      if (line !== original) expect(reason, `round ${round}: ${line}`).not.toBe('accepted');
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
    }
    // The mutations reach every stage of the reader, not only the first.
    expect(counts.get('no JSON')).toBeGreaterThan(50);
    expect(counts.get('damaged: its text does not match its checksum')).toBeGreaterThan(50);
    expect(counts.get('of another measurement set')).toBeGreaterThan(50);
    expect(counts.get('losses must be number')).toBeGreaterThan(20);
  });
});

/** Ways that a record gets broken; those that write whole records also write their checksum, as a forger would. */
type Below = (limit: number) => number;
const MUTATIONS: readonly ((line: string, below: Below) => string)[] = [
  flipBit,
  truncate,
  changeDigit,
  (line, below) => splice(line, below, String.fromCharCode(below(0x3000))),
  withWrongType,
  (line, below) => withLoss(line, below, pick(['NaN', '1e999', '-1e999', '1e13', '-1e4', 'null', '"0"'], below)),
  (line, below) => encodeRecord({ ...recordIn(line), key: below(2) === 0 ? OTHER_KEY : hexDigits(below) }),
  (line, below) => line.slice(0, below(line.length)) + line.slice(below(line.length)),
];

function flipBit(line: string, below: Below): string {
  const bytes = new TextEncoder().encode(line);
  bytes[below(bytes.length)]! ^= 1 << below(8);
  return new TextDecoder().decode(bytes);
}

function truncate(line: string, below: Below): string {
  return line.slice(0, below(line.length));
}

/** One digit behind the key; in the key it would only make a foreign record. */
function changeDigit(line: string, below: Below): string {
  const places = [...line.matchAll(/\d/g)].map(({ index }) => index).filter((index) => index > line.indexOf('"unit"'));
  const at = pick(places, below);
  return line.slice(0, at) + ((Number(line[at]) + 1 + below(9)) % 10) + line.slice(at + 1);
}

function splice(line: string, below: Below, text: string): string {
  const at = below(line.length);
  return line.slice(0, at) + text + line.slice(at + below(2));
}

/** A field of another type than it should have; texts are not replaced by texts, which would be as good. */
function withWrongType(line: string, below: Below): string {
  const content = recordIn(line);
  const field = pick(Object.keys(content) as (keyof MeasurementRecord)[], below);
  const texts = typeof content[field] === 'string' ? [] : ['1', 'NaN', ''];
  return withChecksum({ ...content, [field]: pick([null, true, [], {}, -1, ...texts], below) });
}

function withLoss(line: string, below: Below, number: string): string {
  const content = recordIn(line);
  const name = pick(Object.keys(content.losses), below);
  const text = JSON.stringify(content).replace(
    `${JSON.stringify(name)}:${content.losses[name]}`,
    `"${name}":${number}`,
  );
  const checksum = createHash('sha256').update(text).digest('hex').slice(0, 16);
  return `${text.slice(0, -1)},"checksum":"${checksum}"}`;
}

function recordIn(line: string): MeasurementRecord {
  const { checksum: _, ...content } = JSON.parse(line);
  return content;
}

function pick<Item>(items: readonly Item[], below: Below): Item {
  return items[below(items.length)]!;
}

function hexDigits(below: Below): string {
  return Array.from({ length: 64 }, () => below(16).toString(16)).join('');
}
