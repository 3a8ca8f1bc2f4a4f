/** Many records in one text: a line each, the unusable ones counted and left out. */
import { encodeRecord, MAX_RECORD_LENGTH, type MeasurementRecord, parseRecord } from './measurement-record.ts';

export type ReadRecords = {
  readonly records: ReadonlyMap<string, MeasurementRecord>;
  readonly rejections: Rejections;
};

/** How many lines were unusable, by reason. */
export type Rejections = ReadonlyMap<string, number>;

/** A network of 200 layers at five widths, all pairs, has a thousand bases; this leaves room and bounds the time. */
const MAX_LINES = 100_000;

/** Larger texts are not read at all. */
export const MAX_RECORDS_BYTES = 64 * 2 ** 20;

const LINE_FEED = 10;

/** Records by their units, each the first of its unit (`isBefore`); never throws, whatever the bytes are. */
export function parseRecordLines(bytes: Uint8Array, key: string): ReadRecords {
  const rejections = new Map<string, number>();
  const reject = (reason: string) => rejections.set(reason, (rejections.get(reason) ?? 0) + 1);
  const accepted: MeasurementRecord[] = [];
  let lineCount = 0;
  for (const line of linesOf(bytes)) {
    lineCount += 1;
    if (lineCount > MAX_LINES) {
      reject(`the rest, beyond ${MAX_LINES} lines`);
      break;
    }
    const parsed = parseRecord(line, key);
    if (parsed.kind === 'accepted') accepted.push(parsed.record);
    else reject(parsed.reason);
  }
  return { records: firstOfEachUnit(accepted), rejections };
}

/** Records in the order of their units, so that equal sets are equal texts. */
export function encodeRecordLines(records: Iterable<MeasurementRecord>): string {
  const sorted = [...records].sort((a, b) => (a.unit < b.unit ? -1 : 1));
  return sorted.map((record) => `${encodeRecord(record)}\n`).join('');
}

/** One record per unit where several processes measured the same: the earliest, whatever the order they are read in. */
export function firstOfEachUnit(records: Iterable<MeasurementRecord>): Map<string, MeasurementRecord> {
  const first = new Map<string, MeasurementRecord>();
  for (const record of records) {
    const other = first.get(record.unit);
    if (other === undefined || isBefore(record, other)) first.set(record.unit, record);
  }
  return first;
}

/** "2 kept measurements are unusable <place>, and measured anew if needed: no JSON (2)"; nothing to say of none. */
export function describeRejections(rejections: Rejections, place: string): readonly string[] {
  if (rejections.size === 0) return [];
  const total = [...rejections.values()].reduce((sum, count) => sum + count, 0);
  const subject = total === 1 ? '1 kept measurement is' : `${total} kept measurements are`;
  return [`${subject} unusable ${place}, and measured anew if needed: ${listRejections(rejections)}`];
}

/** "no JSON (1), of another measurement set (2)". */
export function listRejections(rejections: Rejections): string {
  return [...rejections].map(([reason, count]) => `${reason} (${count})`).join(', ');
}

export function addRejections(all: readonly Rejections[]): Rejections {
  const sum = new Map<string, number>();
  for (const [reason, count] of all.flatMap((rejections) => [...rejections])) {
    sum.set(reason, (sum.get(reason) ?? 0) + count);
  }
  return sum;
}

function isBefore(record: MeasurementRecord, other: MeasurementRecord): boolean {
  if (record.measuredAt !== other.measuredAt) return record.measuredAt < other.measuredAt;
  return encodeRecord(record) < encodeRecord(other);
}

/** Lines that are not empty; of one that is too long, a little more than the reader takes. */
function* linesOf(bytes: Uint8Array): Generator<string> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(LINE_FEED, start);
    const end = found === -1 ? bytes.length : found;
    // A character has at most three bytes of UTF-8 for each of its units of UTF-16.
    const line = decoder.decode(bytes.subarray(start, Math.min(end, start + 3 * (MAX_RECORD_LENGTH + 1))));
    if (line !== '') yield line;
    start = end + 1;
  }
}
