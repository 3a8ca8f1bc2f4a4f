/** What one shard measured, as a file that travels: a header in JSON, and a line per record. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { MeasurementRecord } from './measurement-record.ts';
import { parseShard, renderShard, type Shard } from './plan-shards.ts';
import { encodeRecordLines, listRejections, parseRecordLines } from './record-lines.ts';

export type Share = {
  /** The measurement set (measurementKey). */
  readonly key: string;
  readonly shard: Shard;
  /** Of the plan that it is a part of. */
  readonly planToken: string;
  readonly planId: string;
  readonly records: ReadonlyMap<string, MeasurementRecord>;
};

export type DecodedShare =
  | { readonly kind: 'accepted'; readonly share: Share }
  | { readonly kind: 'rejected'; readonly reason: string };

const LINE_FEED = 10;
const MAX_HEADER_BYTES = 2 ** 20;

const isHeader = new Ajv2020({ validateSchema: false }).compile<{
  readonly key: string;
  readonly shard: string;
  readonly planToken: string;
  readonly planId: string;
  readonly recordCount: number;
}>({
  type: 'object',
  required: ['bitgateShare', 'key', 'shard', 'planToken', 'planId', 'recordCount'],
  additionalProperties: false,
  properties: {
    bitgateShare: { const: 1 },
    key: { type: 'string', pattern: '^[0-9a-f]{64}$' },
    shard: { type: 'string', pattern: '^[1-9][0-9]{0,2}/[1-9][0-9]{0,2}$' },
    planToken: { type: 'string', pattern: '^[0-9:,-]+$' },
    planId: { type: 'string', pattern: '^[0-9a-f]{16}$' },
    recordCount: { type: 'integer', minimum: 0 },
  },
});

/** A name for the file, different for every shard of every set: "share-0123456789abcdef-2of4.jsonl". */
export function shareFileName({ key, shard }: Pick<Share, 'key' | 'shard'>): string {
  return `share-${key.slice(0, 16)}-${shard.number}of${shard.count}.jsonl`;
}

export function encodeShare({ key, shard, planToken, planId, records }: Share): string {
  const header = {
    bitgateShare: 1,
    key,
    shard: renderShard(shard),
    planToken,
    planId,
    recordCount: records.size,
  };
  return `${JSON.stringify(header)}\n${encodeRecordLines(records.values())}`;
}

/** Reads a file that may come from anywhere. One unusable record, or one missing, makes the share unusable. */
export function decodeShare(bytes: Uint8Array): DecodedShare {
  const end = bytes.indexOf(LINE_FEED);
  const header = end === -1 || end > MAX_HEADER_BYTES ? undefined : parseJson(bytes.subarray(0, end));
  if (!isHeader(header)) return { kind: 'rejected', reason: 'is no share of bitgate' };
  const { key, planToken, planId, recordCount } = header;
  const shard = readShard(header.shard);
  if (shard === undefined || !planToken.startsWith(`${shard.count}:`))
    return { kind: 'rejected', reason: 'is no share of bitgate' };
  const { records, rejections } = parseRecordLines(bytes.subarray(end + 1), key);
  if (rejections.size > 0) return { kind: 'rejected', reason: `has unusable records: ${listRejections(rejections)}` };
  if (records.size !== recordCount) {
    return { kind: 'rejected', reason: `is damaged: it has ${records.size} records, expected ${recordCount}` };
  }
  return { kind: 'accepted', share: { key, shard, planToken, planId, records } };
}

function readShard(text: string): Shard | undefined {
  try {
    return parseShard(text);
  } catch {
    return undefined;
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
