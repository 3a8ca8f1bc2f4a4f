/** The small parts of the search, each by hand or against the obvious. */
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/random.ts';
import { type IndexedProgram, indexProgram, loadOf, objectiveOfChoice } from '../../src/solver/indexed-program.ts';
import { choiceIfFeasible, descendFrom, searchLocally } from '../../src/solver/local-search.ts';
import { PriorityQueue } from '../../src/solver/priority-queue.ts';
import { cutoffFor, relativeGapOf } from '../../src/solver/relative-gap.ts';
import { forbidUnaffordable, forbidUnprofitable, splitNode } from '../../src/solver/search-node.ts';
import { applyMove, changeOfMove, createSearchState, objectiveOfState } from '../../src/solver/search-state.ts';
import { balanceWeights } from '../../src/solver/simplex-weights.ts';
import { solveLinearSystem } from '../../src/solver/small-linear-system.ts';
import { termwiseBound } from '../../src/solver/termwise-bound.ts';
import { assignments, enumerate, randomProgram, smallShapes } from './random-programs.ts';

const never = () => false;
const PROGRAMS = smallShapes()
  .slice(0, 50)
  .map((shape) => ({ ...shape, program: indexProgram(randomProgram(shape)) }));

function choices({ source, offsets }: IndexedProgram): Int32Array[] {
  const list: Int32Array[] = [];
  for (const assignment of assignments(source.groupSizes)) {
    list.push(Int32Array.from(assignment, (choice, group) => offsets[group]! + choice));
  }
  return list;
}

describe('PriorityQueue', () => {
  it('PriorityQueue: entries come out in the order of their keys, ties included', () => {
    const random = seededRandom(1);
    const keys = Array.from({ length: 300 }, () => Math.floor(random() * 50));
    const queue = new PriorityQueue<number>((key) => key);
    const seen: number[] = [];
    for (const [index, key] of keys.entries()) {
      queue.push(key);
      if (index % 3 === 2) seen.push(queue.pop()!);
    }
    expect(queue.size).toBe(200);
    const rest = Array.from({ length: 200 }, () => [queue.leastKey, queue.pop()!]);
    expect(rest.map(([least]) => least)).toEqual(rest.map(([, popped]) => popped));
    expect(rest.map(([, popped]) => popped)).toEqual(rest.map(([, popped]) => popped!).toSorted((a, b) => a - b));
    expect([...seen, ...rest.map(([, popped]) => popped!)].toSorted((a, b) => a - b)).toEqual(
      keys.toSorted((a, b) => a - b),
    );
    expect([queue.size, queue.leastKey, queue.pop()]).toEqual([0, Number.POSITIVE_INFINITY, undefined]);
  });
});

describe('relative gap', () => {
  it.each([
    [10, 9, 0.1],
    [-10, -11, 0.1],
    [10, 11, 0],
    [0, -1e-12, 1],
    [0, 0, 0],
    [5, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  ])('relativeGapOf: objective %d and bound %d are %d apart', (objective, bound, gap) => {
    expect(relativeGapOf(objective, bound)).toBeCloseTo(gap, 12);
  });

  it.each([
    [100, 1e-4],
    [-0.03, 1e-4],
    [1e-9, 1e-3],
    [0, 1e-4],
    [7, 0],
  ])('cutoffFor: a bound at the cutoff of %d is within the gap %d', (objective, gap) => {
    const cutoff = cutoffFor(objective, gap);
    expect(relativeGapOf(objective, cutoff)).toBeLessThanOrEqual(gap);
    expect(relativeGapOf(objective, cutoff)).toBeGreaterThanOrEqual(gap * 0.999999 - 1e-15);
    expect(cutoffFor(undefined, gap)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('solveLinearSystem', () => {
  it('solveLinearSystem: needs a row exchange', () => {
    // y = 2, x + y = 5.
    expect([
      ...solveLinearSystem(
        [
          [0, 1],
          [1, 1],
        ],
        [2, 5],
      )!,
    ]).toEqual([3, 2]);
  });

  it('solveLinearSystem: a singular matrix has no answer', () => {
    expect(
      solveLinearSystem(
        [
          [1, 2],
          [2, 4],
        ],
        [1, 2],
      ),
    ).toBeUndefined();
  });
});

describe('balanceWeights', () => {
  it('balanceWeights: the nearest point of a segment to the origin', () => {
    // (4, 1) and (1, −3): |p|² is least 16/25 of the way from the first to the second.
    const points = [
      [4, 1],
      [1, -3],
    ] as const;
    const gram = points.map((a) => Float64Array.from(points, (b) => a[0] * b[0] + a[1] * b[1]));
    const weights = Float64Array.of(1, 0);
    balanceWeights(gram, [0, 0], weights, 1e-12);
    expect(weights[0]).toBeCloseTo(9 / 25, 9);
    expect(weights[1]).toBeCloseTo(16 / 25, 9);
  });

  it('balanceWeights: no exchange of weight gains at the end', () => {
    const random = seededRandom(2);
    for (let round = 0; round < 20; round++) {
      const points = Array.from({ length: 6 }, () => Array.from({ length: 4 }, () => random() * 2 - 1));
      const gram = points.map((a) => Float64Array.from(points, (b) => a.reduce((sum, x, k) => sum + x * b[k]!, 0)));
      const linear = points.map(() => random() - 0.5);
      const weights = Float64Array.of(1, 0, 0, 0, 0, 0);
      balanceWeights(gram, linear, weights, 1e-10);
      const slopes = linear.map((slope, row) => weights.reduce((sum, w, k) => sum + w * gram[row]![k]!, slope));
      expect(weights.reduce((sum, weight) => sum + weight)).toBeCloseTo(1, 12);
      const worst = Math.max(...slopes.filter((_, index) => weights[index]! > 0));
      expect(worst - Math.min(...slopes)).toBeLessThanOrEqual(1e-9);
    }
  });
});

describe('search state', () => {
  it('applyMove: changes the objective by what changeOfMove said, and keeps the loads exact', () => {
    const random = seededRandom(3);
    for (const { program } of PROGRAMS) {
      const state = createSearchState(program, program.offsets.subarray(0, program.groupCount));
      for (let step = 0; step < 20; step++) {
        const variable = Math.floor(random() * program.variableCount);
        const expected = objectiveOfState(state) + changeOfMove(state, variable);
        applyMove(state, variable);
        expect(objectiveOfState(state)).toBeCloseTo(expected, 9);
        expect([...state.loads]).toEqual(program.rows.map((row) => loadOf(row, state.chosen)));
      }
    }
  });
});

describe('local search', () => {
  it.each(PROGRAMS)('searchLocally: a feasible optimum of a small program, seed $seed', ({ program }) => {
    const best = enumerate(program.source);
    const found = searchLocally(program, never);
    if (found === undefined || best === undefined) {
      // Several limits may keep the descent from a feasible choice, but it never makes one up.
      expect(best === undefined || program.rows.length > 1).toBe(true);
      expect(found).toBeUndefined();
      return;
    }
    expect(choiceIfFeasible(program, found.chosen)?.objective).toBe(found.objective);
    expect(found.objective).toBeCloseTo(best.objective, 9);
  });

  it('descendFrom: no move of one group and none of two is better in the end', () => {
    for (const { program } of PROGRAMS) {
      const found = descendFrom(program, program.offsets.subarray(0, program.groupCount), never);
      if (found === undefined) continue;
      const near = choices(program).filter(
        (choice) => choice.filter((variable, group) => variable !== found.chosen[group]).length <= 2,
      );
      for (const choice of near) {
        const objective = choiceIfFeasible(program, choice)?.objective ?? Number.POSITIVE_INFINITY;
        expect(objective).toBeGreaterThanOrEqual(found.objective - 1e-9 * program.scale);
      }
    }
  });

  it('choiceIfFeasible: undefined for a choice over a limit', () => {
    for (const { program } of PROGRAMS) {
      for (const choice of choices(program).slice(0, 50)) {
        const isInside = program.rows.every((row) => loadOf(row, choice) <= row.limit);
        expect(choiceIfFeasible(program, choice) !== undefined).toBe(isInside);
      }
    }
  });
});

describe('search nodes', () => {
  const feasible = ({ rows }: IndexedProgram, choice: Int32Array) =>
    rows.every((row) => loadOf(row, choice) <= row.limit);
  const inside = (allowed: Uint8Array, choice: Int32Array) => choice.every((variable) => allowed[variable] === 1);

  it('forbidUnaffordable: forbids no variable of a feasible choice, and none is left in an empty node', () => {
    let forbidden = 0;
    for (const { program } of PROGRAMS) {
      const allowed = new Uint8Array(program.variableCount).fill(1);
      const isOpen = forbidUnaffordable(program, allowed);
      forbidden += allowed.filter((bit) => bit === 0).length;
      for (const choice of choices(program).filter((each) => feasible(program, each))) {
        expect(isOpen && inside(allowed, choice)).toBe(true);
      }
    }
    expect(forbidden).toBeGreaterThan(0);
  });

  it('forbidUnprofitable: what it forbids is in no choice below the cutoff', () => {
    // f is linear: slopes 0 and 5 in the first group, 0 and 1 in the second; the bound is 2 at the cheapest choice.
    const source = { groupSizes: [2, 2], quadratic: new Float64Array(16), constraints: [] };
    const allowed = new Uint8Array(4).fill(1);
    const base = { bound: 2, gradient: Float64Array.of(0, 5, 0, 1), multipliers: new Float64Array(0) };
    expect(forbidUnprofitable(indexProgram(source), allowed, base, 6)).toBe(7);
    expect([...allowed]).toEqual([1, 0, 1, 1]);
    expect(forbidUnprofitable(indexProgram(source), allowed, base, 6)).toBe(Number.POSITIVE_INFINITY);
  });

  it('splitNode: the halves part the choices of the node between them', () => {
    for (const { program, seed } of PROGRAMS) {
      const random = seededRandom(seed);
      const allowed = new Uint8Array(program.variableCount).fill(1);
      const point = Float64Array.from(allowed, () => random());
      const base = { bound: 0, gradient: point, multipliers: new Float64Array(0) };
      const minimum = { point, value: 0, reducedCostBase: base, vertices: [] };
      const objective = { quadratic: program.quadratic, linear: new Float64Array(program.variableCount) };
      const halves = splitNode(program, objective, { bound: 1, allowed, factor: 3, vertices: [] }, minimum);
      if (halves === undefined) {
        expect(program.variableCount).toBe(program.groupCount);
        continue;
      }
      expect(halves.map(({ bound, factor }) => [bound, factor])).toEqual([
        [1, 3],
        [1, 3],
      ]);
      for (const choice of choices(program)) {
        expect(halves.filter((half) => inside(half.allowed, choice))).toHaveLength(1);
      }
    }
  });

  it('termwiseBound: never above any choice, feasible or not', () => {
    for (const { program } of PROGRAMS) {
      const least = Math.min(...choices(program).map((choice) => objectiveOfChoice(program, choice)));
      expect(termwiseBound(program)).toBeLessThanOrEqual(least + 1e-9);
    }
  });
});
