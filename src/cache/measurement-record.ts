/** The losses of one unit as a line of JSON (schemas/measurement-record.v1.schema.json), and its distrustful reader. */
import { createHash } from 'node:crypto';
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import schema from '../../schemas/measurement-record.v1.schema.json' with { type: 'json' };

/** What one unit of measuring gave: a base and the branches over it, run in one session. */
export type MeasurementRecord = Measurement & {
  readonly schemaVersion: 1;
  /** The measurement set that it belongs to (measurementKey). */
  readonly key: string;
  /** When it was finished, as `Date.toISOString` writes it. */
  readonly measuredAt: string;
  /** The machine and the software that measured, for people. */
  readonly environment: string;
};

export type Measurement = {
  /** Canonical text of what was run, such as "base=3:2|branches=4:2,4:4". */
  readonly unit: string;
  /** Mean losses over the samples, minus the float model's, by the names of the perturbations. */
  readonly losses: Readonly<Record<string, number>>;
  readonly sampleCount: number;
  /** Work in forwards of the float model over all samples. */
  readonly forwardEquivalents: number;
  readonly seconds: number;
};

export type ParsedRecord =
  | { readonly kind: 'accepted'; readonly record: MeasurementRecord }
  | { readonly kind: 'rejected'; readonly reason: string };

/** Characters. A record of 10,000 losses has a quarter of it; a longer line is not even looked into. */
export const MAX_RECORD_LENGTH = 2 ** 20;

// A test holds the schema against its own; at every start that would take a tenth of a second.
const ajv = new Ajv2020({ validateSchema: false });
const validate = ajv.compile<MeasurementRecord & { readonly checksum: string }>(schema);

/**
 * One line, without its end, that `parseRecord` accepts.
 *
 * @throws RangeError if it would not: a loss that is not finite or beyond belief must not come back as a measurement
 */
export function encodeRecord(record: MeasurementRecord): string {
  const line = writeLine(record);
  const parsed = parseRecord(line, record.key);
  if (parsed.kind === 'rejected') throw new RangeError(`the measurement cannot be kept: ${parsed.reason}`);
  return line;
}

/**
 * Reads a line that may come from anywhere. It is accepted only when it is, character for character, what `encodeRecord`
 * writes for its content. The checksum finds damage; against malice it is no help, see `verifyRecords`.
 *
 * @param key the measurement set that is asked for
 * @returns a reason that quotes nothing of the line, because it is printed in logs
 */
export function parseRecord(line: string, key: string): ParsedRecord {
  if (line.length > MAX_RECORD_LENGTH) return rejected(`longer than ${MAX_RECORD_LENGTH} characters`);
  if (isNested(line)) return rejected('nested deeper than a record is');
  const value = parseJson(line);
  if (value === undefined) return rejected('no JSON');
  if (!validate(value)) return rejected(describe(validate.errors?.[0]));
  if (value.key !== key) return rejected('of another measurement set');
  if (!isDate(value.measuredAt)) return rejected('measuredAt is no date');
  const { checksum: _, ...record } = value;
  return writeLine(record) === line
    ? { kind: 'accepted', record }
    : rejected('damaged: its text does not match its checksum');
}

/** Fields in one order, so that equal records are equal lines. */
function writeLine(record: MeasurementRecord): string {
  const { schemaVersion, key, unit, losses, sampleCount, forwardEquivalents, seconds, measuredAt, environment } =
    record;
  const content = JSON.stringify({
    schemaVersion,
    key,
    unit,
    losses,
    sampleCount,
    forwardEquivalents,
    seconds,
    measuredAt,
    environment,
  });
  const checksum = createHash('sha256').update(content).digest('hex').slice(0, 16);
  return `${content.slice(0, -1)},"checksum":"${checksum}"}`;
}

/** Texts in a record have no brackets, and a line of nothing else takes JSON.parse seconds. */
function isNested(line: string): boolean {
  const losses = line.indexOf('{', 1);
  return line.includes('[') || (losses !== -1 && line.includes('{', losses + 1));
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Only the outermost name of the path: those below are the line's own. */
function describe(error: ErrorObject | undefined): string {
  const [, field = 'the record'] = (error?.instancePath ?? '').split('/');
  return `${field} ${error?.message ?? 'is not as the schema has it'}`;
}

function isDate(text: string): boolean {
  const milliseconds = Date.parse(text);
  return !Number.isNaN(milliseconds) && new Date(milliseconds).toISOString() === text;
}

function rejected(reason: string): ParsedRecord {
  return { kind: 'rejected', reason };
}
