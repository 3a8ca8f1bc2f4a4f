import { describe, expect, it } from 'vitest';
import { explainKey, type FactName, measurementKey } from '../../src/cache/measurement-key.ts';
import { FACTS } from './records.ts';

describe('measurementKey', () => {
  it('measurementKey: is a sha256 in hex that does not depend on the order of the facts', () => {
    const backwards = Object.fromEntries(Object.entries(FACTS).reverse()) as typeof FACTS;
    expect(measurementKey(FACTS)).toMatch(/^[0-9a-f]{64}$/);
    expect(measurementKey(backwards)).toBe(measurementKey(FACTS));
  });

  it('measurementKey: stays what it was, or every cache in the world is lost', () => {
    expect(measurementKey(FACTS)).toBe('9ad0cd94b6a307b8b560f5246081a11c9ce110afadccfff5eedb00924b7a4478');
  });

  it.each(Object.keys(FACTS) as FactName[])('measurementKey: another %s is another key', (name) => {
    expect(measurementKey({ ...FACTS, [name]: 'changed' })).not.toBe(measurementKey(FACTS));
  });

  it('measurementKey: a number and its text, and text that moves from one fact to the next, are told apart', () => {
    expect(measurementKey({ ...FACTS, algorithm: '1' })).not.toBe(measurementKey({ ...FACTS, algorithm: 1 }));
    expect(measurementKey({ ...FACTS, loss: 'k', preprocess: 'l' })).not.toBe(
      measurementKey({ ...FACTS, loss: '', preprocess: 'kl' }),
    );
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('measurementKey: %s is refused', (value) => {
    expect(() => measurementKey({ ...FACTS, algorithm: value })).toThrow(
      new RangeError(`the fact algorithm is ${value}`),
    );
  });
});

describe('explainKey', () => {
  it('explainKey: has a row for every fact, and names what is not in the key', () => {
    const table = explainKey();
    for (const name of Object.keys(FACTS)) expect(table).toContain(`\n| ${name} | `);
    expect(table).toContain(
      'Not in the key, so that changing them measures nothing again: `budget`, `constraints`, `gate`',
    );
  });
});
