/** The relaxation's parts: the linear program over the polytope, the convex one, and the shift that makes it convex. */
import { describe, expect, it } from 'vitest';
import type { MixedIntegerProgram } from '../../src/program/mixed-integer-program.ts';
import { seededRandom } from '../../src/random.ts';
import { ChoicePolytope } from '../../src/solver/choice-polytope.ts';
import { minimiseRelaxation } from '../../src/solver/convex-relaxation.ts';
import { type ConvexObjective, convexify } from '../../src/solver/convexify.ts';
import { type IndexedProgram, indexProgram, objectiveOfChoice } from '../../src/solver/indexed-program.ts';
import { negativeDiagonal } from '../../src/solver/negative-diagonal.ts';
import { assignments, randomProgram, smallShapes } from './random-programs.ts';
import { solveMilpHere } from './small-programs.ts';

const never = () => false;
const PROGRAMS = smallShapes()
  .slice(0, 60)
  .map((shape) => ({ ...shape, program: indexProgram(randomProgram(shape)) }));

function everything({ variableCount }: IndexedProgram): Uint8Array {
  return new Uint8Array(variableCount).fill(1);
}

/** All variables but some, at least one left per group. */
function someAllowed({ groupCount, offsets, variableCount }: IndexedProgram, random: () => number): Uint8Array {
  const allowed = Uint8Array.from({ length: variableCount }, () => (random() < 0.6 ? 1 : 0));
  for (let group = 0; group < groupCount; group++) {
    allowed[offsets[group]! + Math.floor(random() * (offsets[group + 1]! - offsets[group]!))] = 1;
  }
  return allowed;
}

/** The same linear program for HiGHS: no binaries, forbidden variables by a row that holds them at zero. */
function linearProgram(program: IndexedProgram, allowed: Uint8Array, costs: Float64Array): MixedIntegerProgram {
  const groups = Array.from({ length: program.groupCount }, (_, group) =>
    Float64Array.from(program.groupOf, (owner) => (owner === group ? 1 : 0)),
  );
  const rows = [...groups, ...program.rows.map((row) => row.costs), Float64Array.from(allowed, (bit) => 1 - bit)];
  const free = Number.NEGATIVE_INFINITY;
  return {
    columnCount: program.variableCount,
    rowCount: rows.length,
    binaryCount: 0,
    columnCosts: costs,
    rowLower: Float64Array.from([...groups.map(() => 1), ...program.rows.map(() => free), free]),
    rowUpper: Float64Array.from([...groups.map(() => 1), ...program.rows.map(({ limit }) => limit), 0]),
    matrix: {
      rowStarts: Int32Array.from({ length: rows.length + 1 }, (_, row) => row * program.variableCount),
      columns: Int32Array.from(rows.flatMap((row) => [...row.keys()])),
      values: Float64Array.from(rows.flatMap((row) => [...row])),
    },
  };
}

describe('ChoicePolytope', () => {
  it.each(PROGRAMS)(
    'minimise: the linear optimum of HiGHS, seed $seed ($constraintCount limits)',
    ({ program, seed }) => {
      const random = seededRandom(seed);
      const allowed = someAllowed(program, random);
      const polytope = new ChoicePolytope(program, allowed);
      for (let round = 0; round < 3; round++) {
        const costs = Float64Array.from({ length: program.variableCount }, () => random() * 2 - 1);
        const found = polytope.minimise(costs);
        const limits = { timeLimitSeconds: 10, relativeGap: 0, stop: never, reportBound: () => {} };
        const oracle = solveMilpHere(linearProgram(program, allowed, costs), undefined, limits);
        expect(found === undefined).toBe(oracle.status === 'infeasible');
        if (found === undefined || oracle.status === 'infeasible') continue;
        const optimum = oracle.columns!.reduce((sum, x, variable) => sum + x * costs[variable]!, 0);
        expect(found.bound).toBeCloseTo(optimum, 6);
        expect(found.multipliers.every((multiplier) => multiplier >= 0)).toBe(true);
        expectInside(program, allowed, found.point);
        const value = [...found.point.indices].reduce((sum, v, at) => sum + costs[v]! * found.point.values[at]!, 0);
        expect(value).toBeCloseTo(optimum, 6);
      }
    },
  );
});

function expectInside(
  program: IndexedProgram,
  allowed: Uint8Array,
  point: { indices: Int32Array; values: Float64Array },
) {
  const x = new Float64Array(program.variableCount);
  point.indices.forEach((variable, at) => {
    x[variable] = point.values[at]!;
  });
  for (let group = 0; group < program.groupCount; group++) {
    const share = x.subarray(program.offsets[group], program.offsets[group + 1]).reduce((sum, value) => sum + value, 0);
    expect(share).toBeCloseTo(1, 9);
  }
  expect(x.every((value, variable) => value >= 0 && (allowed[variable] === 1 || value === 0))).toBe(true);
  for (const { costs, limit } of program.rows) {
    expect(x.reduce((sum, value, variable) => sum + value * costs[variable]!, 0)).toBeLessThanOrEqual(limit + 1e-9);
  }
}

function valueAt({ quadratic, linear }: ConvexObjective, x: Float64Array): number {
  let sum = 0;
  for (let row = 0; row < x.length; row++) {
    sum += linear[row]! * x[row]!;
    for (let column = 0; column < x.length; column++) {
      sum += (x[row]! * quadratic[row * x.length + column]! * x[column]!) / 2;
    }
  }
  return sum;
}

function randomMixture(program: IndexedProgram, allowed: Uint8Array, random: () => number): Float64Array {
  const x = Float64Array.from(allowed, (bit) => bit * random() ** 3);
  for (let group = 0; group < program.groupCount; group++) {
    const part = x.subarray(program.offsets[group], program.offsets[group + 1]);
    const total = part.reduce((sum, value) => sum + value, 0);
    part.forEach((value, at) => {
      part[at] = value / total;
    });
  }
  return x;
}

describe('convexify', () => {
  it.each(PROGRAMS)(
    'convexify: equals the objective at every allowed choice, seed $seed, $kind',
    ({ program, seed }) => {
      const allowed = someAllowed(program, seededRandom(seed));
      const { objective } = convexify(program).objectiveWithin(allowed);
      for (const assignment of assignments(program.source.groupSizes)) {
        const chosen = assignment.map((choice, group) => program.offsets[group]! + choice);
        if (chosen.some((variable) => allowed[variable] === 0)) continue;
        const x = new Float64Array(program.variableCount);
        for (const variable of chosen) x[variable] = 1;
        expect(valueAt(objective, x)).toBeCloseTo(objectiveOfChoice(program, chosen), 6);
      }
    },
  );

  it.each(PROGRAMS)(
    'convexify: no chord of the allowed mixtures lies below the objective, seed $seed, $kind',
    ({ program, seed }) => {
      const random = seededRandom(seed);
      const allowed = someAllowed(program, random);
      const { objective } = convexify(program).objectiveWithin(allowed);
      for (let round = 0; round < 20; round++) {
        const [a, b] = [randomMixture(program, allowed, random), randomMixture(program, allowed, random)];
        const middle = valueAt(
          objective,
          a.map((value, variable) => (value + b[variable]!) / 2),
        );
        expect(middle).toBeLessThanOrEqual((valueAt(objective, a) + valueAt(objective, b)) / 2 + 1e-9 * program.scale);
      }
    },
  );

  it('convexify: exact for convex and separable programs, not for the others', () => {
    const kinds = PROGRAMS.map(({ kind, program }) => [kind, convexify(program).isExact] as const);
    expect(kinds.filter(([kind, isExact]) => kind !== 'indefinite' && !isExact)).toEqual([]);
    expect(kinds.some(([kind, isExact]) => kind === 'indefinite' && !isExact)).toBe(true);
  });

  it('convexify: fewer allowed variables need no larger factor, also from the factor of more', () => {
    for (const { program, seed } of PROGRAMS) {
      const convexification = convexify(program);
      const { factor } = convexification.objectiveWithin(everything(program));
      const within = convexification.objectiveWithin(someAllowed(program, seededRandom(seed)), factor);
      expect(within.factor).toBeLessThanOrEqual(factor);
    }
  });

  it('negativeDiagonal: of a matrix with the eigenvalues 3 and −1', () => {
    // Eigenvectors (1, 1)/√2 and (1, −1)/√2: N is ½·[1 −1; −1 1].
    const diagonal = negativeDiagonal(Float64Array.of(1, 2, 2, 1), 2);
    expect(diagonal[0]).toBeCloseTo(0.5, 12);
    expect(diagonal[1]).toBeCloseTo(0.5, 12);
    expect(negativeDiagonal(Float64Array.of(2, 0, 0, 3), 2)).toEqual(Float64Array.of(0, 0));
  });
});

describe('minimiseRelaxation', () => {
  it('minimiseRelaxation: the nearest point of an interval, by hand', () => {
    // (x − 3y)² over x + y = 1 with x ≤ 0.5: the least is 1 at x = y = 0.5; without the limit 0 at x = 0.75.
    const quadratic = Float64Array.of(2, -6, -6, 18);
    const constraint = { name: 'x', costs: Float64Array.of(1, 0), limit: 0.5 };
    const solve = (constraints: readonly (typeof constraint)[]) => {
      const program = indexProgram({ groupSizes: [2], quadratic, constraints });
      const objective = { quadratic, linear: new Float64Array(2) };
      const polytope = new ChoicePolytope(program, everything(program));
      return minimiseRelaxation(objective, polytope, [], { cutoff: -1, stop: never });
    };
    expect(solve([constraint]).bound).toBeCloseTo(1, 9);
    expect(solve([constraint]).minimum!.point[0]).toBeCloseTo(0.5, 9);
    expect(solve([]).bound).toBeCloseTo(0, 9);
    expect(solve([]).minimum!.point[0]).toBeCloseTo(0.75, 5);
  });

  it.each(PROGRAMS)('minimiseRelaxation: bounds every allowed choice, seed $seed, $kind', ({ program, seed }) => {
    const allowed = someAllowed(program, seededRandom(seed));
    const { objective } = convexify(program).objectiveWithin(allowed);
    for (const cutoff of [Number.POSITIVE_INFINITY, 0, -1e6]) {
      const polytope = new ChoicePolytope(program, allowed);
      const { bound, minimum } = minimiseRelaxation(objective, polytope, [], { cutoff, stop: never });
      const tolerance = 1e-9 * program.scale;
      if (minimum !== undefined) expect(bound).toBeLessThanOrEqual(minimum.value + tolerance);
      for (const assignment of assignments(program.source.groupSizes)) {
        const chosen = assignment.map((choice, group) => program.offsets[group]! + choice);
        const isInside = chosen.every((variable) => allowed[variable] === 1);
        if (!isInside || program.rows.some(({ costs, limit }) => chosen.reduce((sum, v) => sum + costs[v]!, 0) > limit))
          continue;
        expect(bound).toBeLessThanOrEqual(objectiveOfChoice(program, chosen) + tolerance);
      }
    }
  });

  it('minimiseRelaxation: an empty polytope is bounded by +∞', () => {
    const source = {
      groupSizes: [1, 1],
      quadratic: new Float64Array(4),
      constraints: [{ name: 'size', costs: Float64Array.of(1, 1), limit: 1 }],
    };
    const program = indexProgram(source);
    const polytope = new ChoicePolytope(program, everything(program));
    const objective = { quadratic: source.quadratic, linear: new Float64Array(2) };
    const limits = { cutoff: 0, stop: never };
    expect(minimiseRelaxation(objective, polytope, [], limits)).toEqual({ bound: Number.POSITIVE_INFINITY });
  });
});
