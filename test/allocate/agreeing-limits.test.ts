import { afterAll, describe, expect, it } from 'vitest';
import { assertAgreeing, explainNoAllocation, smallestAgreeingUse } from '../../src/allocate/agreeing-limits.ts';
import type { AllocationProblem, ChosenVariables, FurtherLimit } from '../../src/allocate/allocation-problem.ts';
import { keepsLimits } from '../../src/allocate/fitting-upgrades.ts';
import { findShortage, weightBitsOf } from '../../src/allocate/smallest-allocation.ts';
import { seededRandom } from '../../src/random.ts';
import { createSolver } from '../../src/solver/create-solver.ts';
import { allocationsOf, sizedProblem } from './sized-problem.ts';

const solver = createSolver({ workerFile: new URL('../../src/solver/highs-worker.ts', import.meta.url) });
afterAll(() => solver.close());

/** Of four layers at 2, 4 and 8 bits: more bits are faster here, so that speed and size pull apart. */
const LATENCY: Omit<FurtherLimit, 'limit'> = {
  name: 'latency',
  unit: 'ms',
  costs: Float64Array.from([9, 6, 3, 8, 5, 2, 9, 6, 3, 8, 5, 2], (cost) => cost / 8),
};

/** Without the budget, or one of the further limits. */
function without(problem: AllocationProblem, name: string): AllocationProblem {
  if (name === 'budget') return { ...problem, budget: { ...problem.budget, limit: 1e9 } };
  return { ...problem, constraints: problem.constraints.filter((constraint) => constraint.name !== name) };
}

function amountOf(problem: AllocationProblem, name: string, variables: ChosenVariables): number {
  const sum = (costOf: (variable: number) => number) => variables.reduce((total, v) => total + costOf(v), 0);
  const { budget, choices } = problem;
  if (name !== 'budget')
    return sum((v) => problem.constraints.find((constraint) => constraint.name === name)!.costs[v]!);
  if (budget.kind === 'weight-bits') return sum((v) => weightBitsOf(choices[v]!));
  return problem.fileBytes(
    sum((v) => choices[v]!.partBytes),
    variables,
  );
}

/** The least of one limit over all allocations that keep the others, by looking at every one. */
function leastByEnumeration(problem: AllocationProblem, name: string): number {
  const others = without(problem, name);
  const kept = allocationsOf(problem).filter((variables) => keepsLimits(others, variables));
  return Math.min(...kept.map((variables) => amountOf(problem, name, variables)));
}

function isPossible(problem: AllocationProblem): boolean {
  return allocationsOf(problem).some((variables) => keepsLimits(problem, variables));
}

describe('explainNoAllocation', () => {
  it('explainNoAllocation: nothing, where some allocation keeps all limits', async () => {
    const problem = sizedProblem(4, 134, [], [{ ...LATENCY, limit: 3 }]);
    expect(isPossible(problem)).toBe(true);
    expect(await explainNoAllocation(problem, solver.solve)).toEqual([]);
  });

  it('explainNoAllocation: a limit that is impossible alone, with the least possible', async () => {
    const problem = sizedProblem(4, 200, [], [{ ...LATENCY, limit: 1.2 }]);
    expect(await explainNoAllocation(problem, solver.solve)).toEqual([
      {
        what: "no allocation keeps 'latency in ms' at 1.2 or less; the least possible is 1.25",
        fix: "raise the limit of 'latency in ms' to 1.25 or more",
        limits: ['latency'],
      },
    ]);
  });

  it('explainNoAllocation: size and latency that go alone but not together, with the smallest relaxation of each', async () => {
    const problem = sizedProblem(4, 130, [], [{ ...LATENCY, limit: 2 }]);
    const [bytes, milliseconds] = ['budget', 'latency'].map((name) => leastByEnumeration(problem, name));
    expect(await explainNoAllocation(problem, solver.solve)).toEqual([
      {
        what: "no allocation keeps 'size in bytes' at 130 or less and 'latency in ms' at 2 or less together; each of them can be kept alone",
        fix: `raise one limit and leave the others: 'size in bytes' to ${bytes} or 'latency in ms' to ${milliseconds}`,
        limits: ['latency'],
      },
    ]);
    const relaxed = { ...problem, budget: { ...problem.budget, limit: bytes! } };
    expect([isPossible(relaxed), isPossible({ ...relaxed, budget: { ...relaxed.budget, limit: bytes! - 1 } })]).toEqual(
      [true, false],
    );
  });

  it('explainNoAllocation: a budget in bits per weight is named as one, rounded so that it is enough', async () => {
    const problem: AllocationProblem = {
      ...sizedProblem(3, 0, [], [{ ...LATENCY, costs: LATENCY.costs.slice(0, 9), limit: 1.3 }]),
      budget: { kind: 'weight-bits', limit: 2.5 * 32 },
    };
    const [found] = await explainNoAllocation(problem, solver.solve);
    const { what, fix = '' } = found!;
    expect(what).toContain("'bits per weight' at 2.5 or less and 'latency in ms' at 1.3 or less together");
    const named = Number(/'bits per weight' to ([\d.]+)/.exec(fix)?.[1]);
    expect(named).toBe(Math.ceil((leastByEnumeration(problem, 'budget') / 32) * 1e4) / 1e4);
  });

  it('explainNoAllocation: members, minimality and relaxations, by enumeration over random limits and ties', async () => {
    const random = seededRandom(7);
    const memberCounts = new Map<number, number>();
    let possibleCount = 0;
    for (let seed = 0; seed < 60; seed++) {
      const constraints = ['energy', 'latency', 'heat'].map((name) => {
        const costs = Float64Array.from({ length: 12 }, () => Math.ceil(20 * random()));
        const sums = allocationsOf(sizedProblem(4, 0)).map((found) => found.reduce((sum, v) => sum + costs[v]!, 0));
        const [least, most] = [Math.min(...sums), Math.max(...sums)];
        return { name, costs, limit: Math.ceil(least + 0.6 * random() * (most - least)) };
      });
      const problem = sizedProblem(4, 122 + Math.floor(20 * random()), seed % 2 === 0 ? [] : [[0, 3]], constraints);
      expect(findShortage(problem)).toBeUndefined();
      const problems = await explainNoAllocation(problem, solver.solve);
      if (isPossible(problem)) {
        possibleCount += 1;
        expect(problems).toEqual([]);
        expect(await smallestAgreeingUse(problem, solver.solve)).toBe(leastByEnumeration(problem, 'budget'));
        continue;
      }
      if (problems.length > 1) {
        for (const { limits } of problems) {
          expect(
            isPossible({
              ...sizedProblem(
                4,
                1e9,
                problem.ties,
                constraints.filter(({ name }) => name === limits[0]),
              ),
            }),
          ).toBe(false);
        }
        continue;
      }
      const { what, fix, limits } = problems[0]!;
      const members = [...(what.includes("'size in bytes'") ? ['budget'] : []), ...limits];
      memberCounts.set(members.length, (memberCounts.get(members.length) ?? 0) + 1);
      const of = (names: readonly string[]) =>
        ['budget', 'energy', 'latency', 'heat'].filter((name) => !names.includes(name)).reduce(without, problem);
      expect(isPossible(of(members))).toBe(false);
      for (const member of members) {
        expect(isPossible(of(members.filter((name) => name !== member)))).toBe(true);
        const least = leastByEnumeration(problem, member);
        const name = member === 'budget' ? 'size in bytes' : member;
        if (Number.isFinite(least)) expect(fix).toMatch(new RegExp(`'${name}' to ${least}\\b`));
        // Of one that is impossible alone, the least by itself is named at any rate.
        else if (members.length > 1) expect(fix).not.toContain(`'${name}' to`);
      }
    }
    // All the cases came up.
    expect(possibleCount).toBeGreaterThan(5);
    expect([...memberCounts.keys()].sort()).toEqual(expect.arrayContaining([1, 2, 3]));
  });
});

describe('assertAgreeing', () => {
  it('assertAgreeing: says where the limit stands in the config', async () => {
    const problem = sizedProblem(4, 130, [], [{ ...LATENCY, limit: 2 }]);
    const places = [{ name: 'latency', location: { file: 'bitgate.yml', line: 9, column: 5 } }];
    await expect(assertAgreeing(problem, solver.solve, places)).rejects.toThrow(
      "bitgate.yml:9:5: no allocation keeps 'size in bytes' at 130 or less and 'latency in ms' at 2 or less together",
    );
  });
});
