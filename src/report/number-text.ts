/** Numbers as people read them; `result.json` has them in full. */

/** `123,456`, the same in every place. */
export function countText(count: number): string {
  if (!Number.isFinite(count)) return strange(count);
  return String(Math.round(count)).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

export function bytesText(bytes: number): string {
  return `${countText(bytes)} ${bytes === 1 ? 'byte' : 'bytes'}`;
}

/** Memory, rounded up: `95 MB`, `1.2 GB`. */
export function memoryText(bytes: number): string {
  if (!Number.isFinite(bytes)) return strange(bytes);
  const megabytes = Math.ceil(bytes / 1e6);
  return megabytes < 1000 ? `${megabytes} MB` : `${(Math.ceil(megabytes / 100) / 10).toFixed(1)} GB`;
}

/** `4,194,304`, `12.5 ms`, `0.125`; part numbers in six digits. */
export function amountText(amount: number, unit?: string): string {
  const number = Number.isInteger(amount) ? countText(amount) : realText(amount, 6);
  return unit === undefined ? number : `${number} ${unit}`;
}

/** A share as `91.3 %`. */
export function percentText(ratio: number, decimals = 1): string {
  return Number.isFinite(ratio) ? `${decimalText(100 * ratio, decimals)} %` : strange(ratio);
}

/** Never `-0.00`. */
export function decimalText(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return strange(value);
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? text.replace('-', '') : text;
}

/** Three significant digits: `0.0123`, `4.56e-7`. */
export function realText(value: number, digits = 3): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(digits))) : strange(value);
}

/** `0.4 s`, `92 s`, `12 min 5 s`, `2 h 3 min`. */
export function durationText(seconds: number): string {
  if (!Number.isFinite(seconds)) return strange(seconds);
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 120) return `${whole} s`;
  if (whole < 7_200) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} min`;
}

function strange(value: number): string {
  if (Number.isNaN(value)) return 'not a number';
  return value > 0 ? 'infinite' : 'minus infinite';
}
