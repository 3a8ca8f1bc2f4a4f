/** Sizes as people write them: a number of bytes, or a text with a decimal (KB) or binary (KiB) unit. */

/** Bytes per unit: IEC 80000-13 binary units, and decimal ones as SI has them. */
const BYTES_PER_UNIT: Readonly<Record<string, bigint>> = {
  B: 1n,
  kB: 1_000n,
  KB: 1_000n,
  MB: 1_000_000n,
  GB: 1_000_000_000n,
  KiB: 1_024n,
  MiB: 1_048_576n,
  GiB: 1_073_741_824n,
};

/** Digits alone are bytes; only a unit makes a fraction meaningful. */
const SIZE = /^([0-9]+)(?:(?:\.([0-9]+))? ?([A-Za-z]+))?$/;

/**
 * Parses `125000`, `"125000"`, `"125 KB"` or `"1.5 MiB"` exactly; part bytes are rounded down, because a size is a limit.
 *
 * @returns bytes, at least 1; undefined when the text is no size, is less than a byte or exceeds 2⁵³ − 1
 */
export function parseByteSize(size: number | string): number | undefined {
  const [, whole, fraction = '', unit = 'B'] = SIZE.exec(String(size)) ?? [];
  const bytesPerUnit = BYTES_PER_UNIT[unit];
  if (whole === undefined || bytesPerUnit === undefined) return undefined;
  const sizeBytes = Number((BigInt(whole + fraction) * bytesPerUnit) / 10n ** BigInt(fraction.length));
  return sizeBytes >= 1 && Number.isSafeInteger(sizeBytes) ? sizeBytes : undefined;
}

const PERCENT = /^([0-9]+(?:\.[0-9]+)?) ?%$/;

/** Parses `"25%"` to a ratio in (0, 1]; undefined when the text is no such share. */
export function parsePercent(text: number | string): number | undefined {
  const percent = Number(PERCENT.exec(String(text))?.[1] ?? Number.NaN);
  return percent > 0 && percent <= 100 ? percent / 100 : undefined;
}
