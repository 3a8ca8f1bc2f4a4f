/** Trust in kept measurements: some of them, at random, are measured again. */
import { seededRandom } from '../random.ts';
import type { MeasurementRecord } from './measurement-record.ts';

export type VerifyOptions = {
  /** How many units are measured again; all when there are fewer. */
  readonly count: number;
  /** Chooses the units. Who writes the cache must not know it beforehand. */
  readonly seed: number;
  /** Measures a unit now, as if nothing were kept. */
  measure(unit: string): Promise<Readonly<Record<string, number>>>;
};

export type Verification = {
  /** drop: at least one loss is not what is measured now, so none of the kept ones is to be believed. */
  readonly verdict: 'keep' | 'drop';
  /** In the order in which they were measured; the first mismatch ends it. */
  readonly checkedUnits: readonly string[];
  readonly mismatch?: Mismatch;
};

/** NaN stands for a loss that one of the two sides does not have. */
export type Mismatch = {
  readonly unit: string;
  readonly loss: string;
  readonly kept: number;
  readonly measured: number;
};

/**
 * Rounding of float32 sums. ResNet-20 on the CPU, with fused and with separate kernels: 3e-5 of a loss of 2e-5, less of
 * larger ones, none between thread counts. GPUs choose kernels more freely, and who wants to move a choice of bit-widths
 * has to move losses by far more than this.
 */
const RELATIVE_TOLERANCE = 1e-2;
const ABSOLUTE_TOLERANCE = 1e-8;

export async function verifyRecords(
  known: ReadonlyMap<string, MeasurementRecord>,
  { count, seed, measure }: VerifyOptions,
): Promise<Verification> {
  const checkedUnits: string[] = [];
  for (const unit of sample([...known.keys()].sort(), count, seed)) {
    const measured = await measure(unit);
    checkedUnits.push(unit);
    const mismatch = findMismatch(unit, known.get(unit)!.losses, measured);
    if (mismatch !== undefined) return { verdict: 'drop', checkedUnits, mismatch };
  }
  return { verdict: 'keep', checkedUnits };
}

/** Fisher-Yates from the front, as far as it is needed. */
function sample(items: readonly string[], count: number, seed: number): string[] {
  const random = seededRandom(seed);
  const shuffled = [...items];
  for (let at = 0; at < Math.min(count, items.length); at++) {
    const from = at + Math.floor(random() * (items.length - at));
    [shuffled[at], shuffled[from]] = [shuffled[from]!, shuffled[at]!];
  }
  return shuffled.slice(0, count);
}

function findMismatch(
  unit: string,
  kept: Readonly<Record<string, number>>,
  measured: Readonly<Record<string, number>>,
): Mismatch | undefined {
  const names = new Set([...Object.keys(kept), ...Object.keys(measured)]);
  for (const loss of names) {
    const [before, now] = [kept[loss] ?? Number.NaN, measured[loss] ?? Number.NaN];
    if (!isClose(before, now)) return { unit, loss, kept: before, measured: now };
  }
  return undefined;
}

/** False for NaN on either side. */
function isClose(a: number, b: number): boolean {
  return Math.abs(a - b) <= ABSOLUTE_TOLERANCE + RELATIVE_TOLERANCE * Math.max(Math.abs(a), Math.abs(b));
}
