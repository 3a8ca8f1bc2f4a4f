import { describe, expect, it } from 'vitest';
import { encodeRecord } from '../../src/cache/measurement-record.ts';
import { describeRejections, encodeRecordLines, parseRecordLines } from '../../src/cache/record-lines.ts';
import { seededRandom } from '../../src/random.ts';
import { KEY, OTHER_KEY, record } from './records.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text);

describe('parseRecordLines', () => {
  it('parseRecordLines: gives back what encodeRecordLines wrote, in any order', () => {
    const records = ['c', 'a', 'b'].map((unit) => record(unit));
    const text = encodeRecordLines(records);
    expect(text).toBe(encodeRecordLines([...records].reverse()));
    expect([...parseRecordLines(bytesOf(text), KEY).records]).toEqual(
      ['a', 'b', 'c'].map((unit) => [unit, record(unit)]),
    );
  });

  it('parseRecordLines: unusable lines are counted by reason, the others are read', () => {
    const lines = [encodeRecord(record('a')), '', 'x', encodeRecord(record('b', { key: OTHER_KEY })), 'y'];
    const { records, rejections } = parseRecordLines(
      bytesOf(`${lines.join('\n')}\n${encodeRecord(record('c')).slice(9)}`),
      KEY,
    );
    expect([...records.keys()]).toEqual(['a']);
    expect(describeRejections(rejections, 'in the cache')).toEqual([
      '4 kept measurements are unusable in the cache, and measured anew if needed: no JSON (3), of another measurement set (1)',
    ]);
    expect(describeRejections(new Map(), 'in the cache')).toEqual([]);
  });

  it('parseRecordLines: of two records of a unit the earlier counts, whatever their order', () => {
    const early = record('a', { measuredAt: '2026-10-31T00:00:00.000Z', losses: { a: 2 } });
    const late = record('a', { losses: { a: 1 } });
    const twin = record('a', { losses: { a: 3 } });
    for (const order of [
      [early, late, twin],
      [twin, late, early],
    ]) {
      const text = order.map((each) => `${encodeRecord(each)}\n`).join('');
      expect(parseRecordLines(bytesOf(text), KEY).records.get('a')).toEqual(early);
    }
    const inOrder = parseRecordLines(bytesOf(`${encodeRecord(late)}\n${encodeRecord(twin)}`), KEY).records.get('a');
    const reversed = parseRecordLines(bytesOf(`${encodeRecord(twin)}\n${encodeRecord(late)}`), KEY).records.get('a');
    expect(inOrder).toEqual(reversed);
  });

  it('parseRecordLines: a byte order mark, and bytes that are no UTF-8, make a line unusable', () => {
    const line = bytesOf(encodeRecord(record('a')));
    const marked = Uint8Array.of(0xef, 0xbb, 0xbf, ...line);
    const broken = Uint8Array.from(line, (byte, index) => (index === 20 ? 0xff : byte));
    for (const bytes of [marked, broken]) expect(parseRecordLines(bytes, KEY).records.size).toBe(0);
  });

  it('parseRecordLines: random bytes, and lines without number or end, do no harm', () => {
    const random = seededRandom(3);
    const noise = Uint8Array.from({ length: 100_000 }, () => random() * 256);
    expect(parseRecordLines(noise, KEY).records.size).toBe(0);
    const many = parseRecordLines(bytesOf('1\n'.repeat(100_005)), KEY);
    expect(many.rejections).toEqual(
      new Map([
        ['the record must be object', 100_000],
        ['the rest, beyond 100000 lines', 1],
      ]),
    );
    const long = parseRecordLines(new Uint8Array(8 * 2 ** 20).fill(0x41), KEY);
    expect(long.rejections).toEqual(new Map([['longer than 1048576 characters', 1]]));
  });
});
