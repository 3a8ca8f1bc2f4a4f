import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.ts';
import type { QuadraticProgram } from '../../src/program/quadratic-program.ts';
import { validateProgram } from '../../src/program/validate-program.ts';

function programWith(changes: Partial<QuadraticProgram>): QuadraticProgram {
  return {
    groupSizes: [1, 2],
    quadratic: Float64Array.of(1, 2, 3, 2, 4, 0, 3, 0, 5),
    constraints: [{ name: 'size', costs: Float64Array.of(1, 2, 3), limit: 4 }],
    ...changes,
  };
}

describe('validateProgram', () => {
  it('validateProgram: accepts a sound program, also with an infinite limit and rounded symmetry', () => {
    expect(() => validateProgram(programWith({}))).not.toThrow();
    const constraints = [{ name: 'size', costs: Float64Array.of(1, 2, 3), limit: Number.POSITIVE_INFINITY }];
    const quadratic = Float64Array.of(1, 2 + 1e-12, 3, 2, 4, 0, 3, 0, 5);
    expect(() => validateProgram(programWith({ constraints, quadratic }))).not.toThrow();
  });

  it.each([
    [{ groupSizes: [] }, 'the program has no groups'],
    [{ groupSizes: [0, 3] }, 'group 0 has 0 variables, expected a whole number of at least 1'],
    [{ groupSizes: [1.5, 1.5] }, 'group 0 has 1.5 variables, expected a whole number of at least 1'],
    [{ quadratic: new Float64Array(8) }, 'the quadratic matrix has 8 entries, expected 3 × 3'],
    [
      { constraints: [{ name: 'size', costs: new Float64Array(2), limit: 1 }] },
      "constraint 'size' has 2 costs, expected one for each of 3 variables",
    ],
  ])('validateProgram: a wrong shape is a fault of the caller: %j', (changes, message) => {
    expect(() => validateProgram(programWith(changes))).toThrow(new RangeError(message));
  });

  it.each([
    {
      changes: { quadratic: Float64Array.of(1, 2, 3, 2, Number.NaN, 0, 3, 0, 5) },
      what: 'the sensitivity of layer 1 candidate 0 is not a finite number',
      fix: 'measure the sensitivities again, or correct the file they come from',
    },
    {
      changes: { quadratic: Float64Array.of(1, 2, Number.NaN, 2, 4, 0, 3, 0, 5) },
      what: 'the sensitivity of layer 0 candidate 0 with layer 1 candidate 1 is not a finite number',
      fix: 'measure the sensitivities again, or correct the file they come from',
    },
    {
      changes: { quadratic: Float64Array.of(1, 2, 3, 2, Number.POSITIVE_INFINITY, 0, 3, 0, 5) },
      what: 'the sensitivity of layer 1 candidate 0 is not a finite number',
      fix: 'measure the sensitivities again, or correct the file they come from',
    },
    {
      changes: { quadratic: Float64Array.of(1, 2, 3, 2, 4, 0, 3.5, 0, 5) },
      what: 'the sensitivity of layer 0 candidate 0 with layer 1 candidate 1 is 3.5 in one order and 3 in the other',
      fix: 'a pair of candidates has one sensitivity: make the matrix symmetric',
    },
    {
      changes: { constraints: [{ name: 'latency', costs: Float64Array.of(1, Number.NaN, 3), limit: 4 }] },
      what: "the cost of layer 1 candidate 0 in 'latency' is NaN, expected a finite number",
      fix: "correct the costs of 'latency'",
    },
    {
      changes: { constraints: [{ name: 'size', costs: Float64Array.of(1, 2, 3), limit: Number.NaN }] },
      what: "the limit of 'size' is NaN, expected a number",
      fix: 'give a finite limit',
    },
  ])('validateProgram: $what', ({ changes, what, fix }) => {
    const validate = () => validateProgram(programWith(changes));
    expect(validate).toThrow(UserError);
    expect(validate).toThrow(`${what}\n  fix: ${fix}`);
  });
});
