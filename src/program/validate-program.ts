/** Checks a program once, at its border, so that every later stage may trust it. */
import { UserError } from '../errors.ts';
import type { LinearConstraint, QuadraticProgram } from './quadratic-program.ts';
import { variableOffsets } from './variables.ts';

/** Two halves of a matrix that were summed in a different order differ by rounding only. */
const SYMMETRY_TOLERANCE = 1e-9;

/**
 * Throw unless the program can be solved as it stands.
 *
 * @throws RangeError if shapes disagree, which is a fault of the caller
 * @throws UserError if a number cannot be used (not finite, not symmetric): such numbers come from measured or supplied
 * sensitivities and costs
 */
export function validateProgram(program: QuadraticProgram): void {
  assertShapes(program);
  for (const constraint of program.constraints) checkConstraint(program, constraint);
  checkQuadratic(program);
}

function assertShapes({ groupSizes, quadratic, constraints }: QuadraticProgram): void {
  if (groupSizes.length === 0) throw new RangeError('the program has no groups');
  for (const [group, size] of groupSizes.entries()) {
    if (!Number.isInteger(size) || size < 1) {
      throw new RangeError(`group ${group} has ${size} variables, expected a whole number of at least 1`);
    }
  }
  const count = groupSizes.reduce((sum, size) => sum + size, 0);
  if (quadratic.length !== count * count) {
    throw new RangeError(`the quadratic matrix has ${quadratic.length} entries, expected ${count} × ${count}`);
  }
  for (const { name, costs } of constraints) {
    if (costs.length !== count) {
      throw new RangeError(
        `constraint '${name}' has ${costs.length} costs, expected one for each of ${count} variables`,
      );
    }
  }
}

function checkConstraint(program: QuadraticProgram, { name, costs, limit }: LinearConstraint): void {
  if (Number.isNaN(limit) || limit === Number.NEGATIVE_INFINITY) {
    throw new UserError({ what: `the limit of '${name}' is ${limit}, expected a number`, fix: 'give a finite limit' });
  }
  const variable = costs.findIndex((cost) => !Number.isFinite(cost));
  if (variable < 0) return;
  throw new UserError({
    what: `the cost of ${placeOf(program, variable)} in '${name}' is ${costs[variable]}, expected a finite number`,
    fix: `correct the costs of '${name}'`,
  });
}

function checkQuadratic(program: QuadraticProgram): void {
  const { quadratic } = program;
  const count = Math.sqrt(quadratic.length);
  const scale = quadratic.reduce((most, entry) => Math.max(most, Math.abs(entry)), 0);
  for (let row = 0; row < count; row++) {
    for (let column = 0; column <= row; column++) {
      const [lower, upper] = [quadratic[row * count + column]!, quadratic[column * count + row]!];
      if (!Number.isFinite(lower) || !Number.isFinite(upper)) throw notFinite(program, row, column);
      if (Math.abs(lower - upper) > SYMMETRY_TOLERANCE * scale) throw notSymmetric(program, row, column);
    }
  }
}

function notFinite(program: QuadraticProgram, row: number, column: number): UserError {
  return new UserError({
    what: `the sensitivity of ${pairOf(program, row, column)} is not a finite number`,
    fix: 'measure the sensitivities again, or correct the file they come from',
  });
}

function notSymmetric(program: QuadraticProgram, row: number, column: number): UserError {
  const count = Math.sqrt(program.quadratic.length);
  const [lower, upper] = [program.quadratic[row * count + column], program.quadratic[column * count + row]];
  return new UserError({
    what: `the sensitivity of ${pairOf(program, row, column)} is ${lower} in one order and ${upper} in the other`,
    fix: 'a pair of candidates has one sensitivity: make the matrix symmetric',
  });
}

function pairOf(program: QuadraticProgram, row: number, column: number): string {
  const first = placeOf(program, column);
  return row === column ? first : `${first} with ${placeOf(program, row)}`;
}

/** "layer 3 candidate 1", both counted from 0. */
function placeOf({ groupSizes }: QuadraticProgram, variable: number): string {
  const offsets = variableOffsets(groupSizes);
  const group = groupSizes.findIndex((_, index) => variable < offsets[index + 1]!);
  return `layer ${group} candidate ${variable - offsets[group]!}`;
}
