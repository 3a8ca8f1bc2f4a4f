/** A check in words, the same in every form of the report. */
import type { Check, Interval, Outcome } from '../gate/verdict.ts';
import { countText, decimalText, percentText, realText } from './number-text.ts';

export type CheckText = {
  readonly measured: string;
  /** `at least 90.00 %`, or `warns below 90.00 %`. */
  readonly limit: string;
  /** The use of a budget, the interval, and what would settle an inconclusive check. */
  readonly notes: readonly string[];
};

export const OUTCOME_WORD: Readonly<Record<Outcome, string>> = {
  pass: 'passed',
  warn: 'warning',
  fail: 'failed',
  inconclusive: 'inconclusive',
};

export function checkText(check: Check): CheckText {
  const [measured, limit] = numbersThatTell(check, [check.measured, check.limit]);
  const unit = unitOf(check);
  return {
    measured: Number.isFinite(check.measured) ? `${measured}${unit}` : measured!,
    limit: `${boundText(check)} ${limit}${unit}`,
    notes: [
      ...(check.unit === 'bytes' ? [`${percentText(check.measured / check.limit)} of it used`] : []),
      ...(check.interval === undefined ? [] : [intervalText(check, check.interval)]),
      ...(check.outcome === 'inconclusive' ? [settleText(check)] : []),
    ],
  };
}

/** One sentence for an annotation or a log. */
export function describeCheck(check: Check): string {
  const { measured, limit, notes } = checkText(check);
  const subject = isWarning(check) ? 'it' : 'the limit is';
  return [`${check.name} is ${measured}, ${subject} ${limit}`, ...notes].join('; ');
}

function boundText(check: Check): string {
  if (isWarning(check)) return check.bound === 'at-least' ? 'warns below' : 'warns above';
  return check.bound === 'at-least' ? 'at least' : 'at most';
}

function isWarning({ limitName }: Check): boolean {
  return limitName?.startsWith('warn.') ?? false;
}

/** Whether the value is a difference of shares, which are told in percentage points. */
function isDrop({ name }: Pick<Check, 'name'>): boolean {
  return name.endsWith('drop');
}

type Quantity = Pick<Check, 'name' | 'unit'>;

/** With the space before it. */
function unitOf(quantity: Quantity): string {
  if (quantity.unit === 'none') return '';
  if (quantity.unit !== 'ratio') return ` ${quantity.unit}`;
  return isDrop(quantity) ? ' points' : ' %';
}

/** Without its unit; `digits` are decimals for shares, significant digits beyond the first for other reals. */
function numberOf({ unit }: Quantity, value: number, digits: number): string {
  if (unit === 'bytes' || unit === 'samples') return countText(value);
  if (unit === 'ratio') return decimalText(100 * value, digits);
  return realText(value, digits + (unit === 'none' ? 2 : 1));
}

/** Enough digits that values which differ do not read the same: 89.996 % is not at least 90.00 %. */
function numbersThatTell(quantity: Quantity, values: readonly number[]): readonly string[] {
  const differing = new Set(values).size;
  for (let digits = 2; ; digits++) {
    const texts = values.map((value) => numberOf(quantity, value, digits));
    if (new Set(texts).size === differing || digits === MAX_DIGITS) return texts;
  }
}

/** A double has no more. */
const MAX_DIGITS = 15;

/** `95 % interval 89.05 to 92.87 %`. */
function intervalText(quantity: Quantity, { lower, upper, confidence }: Interval): string {
  const [low, high] = numbersThatTell(quantity, [lower, upper]);
  return `${Number((100 * confidence).toFixed(2))} % interval ${low} to ${high}${unitOf(quantity)}`;
}

function settleText({ samplesToSettle, interval }: Check): string {
  if (samplesToSettle !== undefined) {
    return `about ${countText(roundUp(samplesToSettle))} samples like these would settle it (an estimate)`;
  }
  return interval !== undefined && Number.isFinite(interval.upper - interval.lower)
    ? 'no number of samples would settle it: the measured value is the limit itself'
    : 'there are too few samples for an interval';
}

/** To two digits: an estimate has no more. */
function roundUp(count: number): number {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(count)) - 1);
  return Math.ceil(count / step) * step;
}
