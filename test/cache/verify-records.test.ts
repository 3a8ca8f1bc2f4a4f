import { describe, expect, it } from 'vitest';
import type { MeasurementRecord } from '../../src/cache/measurement-record.ts';
import { verifyRecords } from '../../src/cache/verify-records.ts';
import { record } from './records.ts';

const UNITS = Array.from({ length: 20 }, (_, index) => `u${index}`);
const KNOWN = new Map(UNITS.map((unit, index) => [unit, record(unit, { losses: { a: index, b: 1e-9 } })]));

const truth = (unit: string) => ({ ...(KNOWN.get(unit) as MeasurementRecord).losses });

describe('verifyRecords', () => {
  it('verifyRecords: measures as many units as asked, each once, and keeps what it finds again', async () => {
    const { verdict, checkedUnits, mismatch } = await verifyRecords(KNOWN, {
      count: 5,
      seed: 1,
      measure: async (unit) => truth(unit),
    });
    expect({ verdict, mismatch }).toEqual({ verdict: 'keep', mismatch: undefined });
    expect(new Set(checkedUnits).size).toBe(5);
    expect(UNITS).toEqual(expect.arrayContaining([...checkedUnits]));
  });

  it('verifyRecords: the seed alone chooses the units, and every unit can be chosen', async () => {
    const chosen = async (seed: number) =>
      (await verifyRecords(KNOWN, { count: 3, seed, measure: async (unit) => truth(unit) })).checkedUnits;
    expect(await chosen(4)).toEqual(await chosen(4));
    const all = new Set((await Promise.all(Array.from({ length: 60 }, (_, seed) => chosen(seed)))).flat());
    expect(all.size).toBe(UNITS.length);
  });

  it('verifyRecords: more than there are is all of them, none is none', async () => {
    const check = (count: number) => verifyRecords(KNOWN, { count, seed: 2, measure: async (unit) => truth(unit) });
    expect([...(await check(99)).checkedUnits].sort()).toEqual([...UNITS].sort());
    expect(await check(0)).toEqual({ verdict: 'keep', checkedUnits: [] });
  });

  it.each([
    ['a loss that moved', { a: 10.2, b: 1e-9 }, { loss: 'a', kept: 10, measured: 10.2 }],
    ['NaN', { a: 10, b: Number.NaN }, { loss: 'b', kept: 1e-9, measured: Number.NaN }],
    ['a loss that is not measured', { a: 10 }, { loss: 'b', kept: 1e-9, measured: Number.NaN }],
    ['a loss that was not kept', { a: 10, b: 1e-9, c: 3 }, { loss: 'c', kept: Number.NaN, measured: 3 }],
  ])('verifyRecords: %s drops everything', async (_, measured, mismatch) => {
    const known = new Map([['u10', record('u10', { losses: { a: 10, b: 1e-9 } })]]);
    expect(await verifyRecords(known, { count: 1, seed: 0, measure: async () => measured })).toEqual({
      verdict: 'drop',
      checkedUnits: ['u10'],
      mismatch: { unit: 'u10', ...mismatch },
    });
  });

  it('verifyRecords: rounding is no mismatch', async () => {
    const rounded = async (unit: string) => ({ a: truth(unit).a! * (1 + 1e-4), b: -3e-9 });
    expect((await verifyRecords(KNOWN, { count: 20, seed: 0, measure: rounded })).verdict).toBe('keep');
  });
});
