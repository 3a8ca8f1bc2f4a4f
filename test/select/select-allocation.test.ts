import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/random.ts';
import { pairedGain } from '../../src/select/paired-gain.ts';
import { rankCorrelation } from '../../src/select/rank-correlation.ts';
import {
  type Built,
  type Proposal,
  type SearchSteps,
  selectAllocation,
  type Variables,
} from '../../src/select/select-allocation.ts';

/** A model whose loss is the sum of its layers' choices, 0 the best; four samples that differ a little. */
function steps(overrides: Partial<SearchSteps<Built>> = {}, spread = 0): SearchSteps<Built> {
  return {
    predict: (variables) => 10 * variables[0]!,
    build: async (variables) => {
      const loss = sumOf(variables);
      return { variables, losses: Float64Array.of(-1, 0, 0, 1).map((offset) => loss + offset * spread * loss) };
    },
    proposeApart: async () => undefined,
    measureMoves: async () => new Float64Array(4),
    proposeMoves: async ({ variables }, _, mostLayers) => {
      const next = variables.map((variable, layer) => (layer < mostLayers ? Math.max(0, variable - 1) : variable));
      return String(next) === String(variables) ? undefined : next;
    },
    upgradesOf: () => [],
    secondsLeft: () => 1,
    estimateMoves: () => 0.5,
    ...overrides,
  };
}

/** Nothing but the proposals. */
const STILL: Partial<SearchSteps<Built>> = { proposeMoves: async () => undefined };

function proposal(name: string, variables: Variables): Proposal {
  return { name, propose: async () => variables };
}

const FIRST = proposal('pairwise', [2, 2]);
const SECOND = proposal('diagonal', [1, 2]);

function sumOf(variables: Variables): number {
  return variables.reduce((sum, variable) => sum + variable, 0);
}

describe('selectAllocation', () => {
  it('takes the proposal with the least measured loss, whatever was predicted', async () => {
    const { best, candidates } = await selectAllocation([FIRST, SECOND], steps(STILL));
    expect(best.variables).toEqual([1, 2]);
    expect(candidates).toEqual([
      { name: 'pairwise', predicted: 20, measured: 4, chosen: false },
      { name: 'diagonal', predicted: 10, measured: 3, chosen: true },
    ]);
  });

  it('measures an allocation that two methods propose once, under both names', async () => {
    const { candidates } = await selectAllocation([FIRST, proposal('diagonal', [2, 2])], steps(STILL));
    expect(candidates.map(({ name }) => name)).toEqual(['pairwise, diagonal']);
  });

  it('asks the model of the damage that proposed best for near-optimal allocations, apart from all that were measured', async () => {
    const asked: unknown[] = [];
    const proposeApart: SearchSteps<Built>['proposeApart'] = async (name, others, leastLayers) => {
      asked.push([name, String(others.at(-1)), leastLayers]);
      return leastLayers === 2 ? [0, 1] : undefined;
    };
    const { best, candidates } = await selectAllocation([FIRST, SECOND], steps({ ...STILL, proposeApart }));
    expect(asked).toEqual([
      ['diagonal', '1,2', 2],
      ['diagonal', '0,1', 4],
      ['diagonal', '0,1', 8],
    ]);
    expect(candidates.map(({ name }) => name)).toEqual(['pairwise', 'diagonal', 'diagonal, 2 layers apart']);
    expect(best.variables).toEqual([0, 1]);
  });

  it('goes on with rounds of moves until one brings nothing', async () => {
    const { best, rounds, candidates, stoppedByTime } = await selectAllocation([proposal('local', [5, 5])], steps());
    expect(best.variables).toEqual([0, 0]);
    expect([rounds, stoppedByTime]).toEqual([5, false]);
    expect(candidates.map(({ name }) => name)).toContain('round 4: up to 2 moves');
  });

  it('keeps the current allocation when a move gains no more than its noise', async () => {
    const build: SearchSteps<Built>['build'] = async (variables) => {
      const isFirst = String(variables) === '2,2';
      return { variables, losses: isFirst ? Float64Array.of(1, 1, 1, 1) : Float64Array.of(0, 2, 0, 1.9) };
    };
    const { best, candidates } = await selectAllocation([FIRST], steps({ build }));
    expect(best.variables).toEqual([2, 2]);
    expect(candidates.length).toBeGreaterThan(1);
  });

  it('never chooses an allocation whose loss is NaN over one that has a loss', async () => {
    const build: SearchSteps<Built>['build'] = async (variables) => ({
      variables,
      losses: Float64Array.of(String(variables) === '2,2' ? Number.NaN : 5),
    });
    const { best } = await selectAllocation([FIRST, SECOND], steps({ ...STILL, build }));
    expect(best.variables).toEqual([1, 2]);
  });

  it('chooses none that measured worse than another proposal, over random searches, printed by their seed', async () => {
    for (let seed = 1; seed <= 50; seed++) {
      const random = seededRandom(seed);
      const some = () => Array.from({ length: 4 }, () => Math.floor(3 * random()));
      const build: SearchSteps<Built>['build'] = async (variables) => ({
        variables,
        losses: Float64Array.from({ length: 8 }, () => sumOf(variables) + 4 * random()),
      });
      const proposeApart: SearchSteps<Built>['proposeApart'] = async (_, others) => {
        const variables = some();
        return others.map(String).includes(String(variables)) ? undefined : variables;
      };
      const proposeMoves = async () => some();
      const upgradesOf = (variables: Variables) =>
        variables.map((_, layer) => variables.map((v, l) => (l === layer ? v - 1 : v)));
      const proposals = [proposal('a', some()), proposal('b', some()), proposal('c', some())];
      const searched = steps({
        build,
        proposeApart,
        proposeMoves,
        upgradesOf: (v) => (Math.min(...v) < -1 ? [] : upgradesOf(v)),
      });
      const { candidates } = await selectAllocation(proposals, searched);
      const chosen = candidates.find((candidate) => candidate.chosen)!;
      const proposed = candidates.filter(({ name }) => /^[abc]/.test(name));
      expect(Math.min(...proposed.map(({ measured }) => measured)), `seed ${seed}`).toBeGreaterThanOrEqual(
        chosen.measured,
      );
    }
  });
});

describe('selectAllocation: left-over budget', () => {
  /** Choices 2, 1, 0 take 1, 2, 3 units of the budget; layers differ in how much a wider choice gains. */
  const weights = [5, 3, 1];
  const costOf = (variables: Variables) => variables.reduce((sum, variable) => sum + 3 - variable, 0);
  const lossOf = (variables: Variables) =>
    variables.reduce((sum, variable, layer) => sum + weights[layer]! * variable, 0);
  const upgradesWithin = (budget: number) => (variables: Variables) =>
    variables
      .map((variable, layer) => variables.map((other, index) => (index === layer ? variable - 1 : other)))
      .filter((upgraded) => Math.min(...upgraded) >= 0 && costOf(upgraded) <= budget);
  const setting = (budget: number, harmful: readonly string[] = []): Partial<SearchSteps<Built>> => ({
    ...STILL,
    measureMoves: async () => Promise.reject(new Error('no time for moves')),
    estimateMoves: () => Number.POSITIVE_INFINITY,
    predict: lossOf,
    build: async (variables) => ({
      variables,
      losses: Float64Array.of(harmful.includes(String(variables)) ? 99 : lossOf(variables)),
    }),
    upgradesOf: upgradesWithin(budget),
  });
  const start = [proposal('local', [2, 2, 2])];

  it('is filled up at once, by the upgrades that gain most', async () => {
    const { best, candidates } = await selectAllocation(start, steps(setting(6)));
    expect(best.variables).toEqual([0, 1, 2]);
    expect(candidates.map(({ name, chosen }) => [name, chosen])).toEqual([
      ['local', false],
      ['left-over budget: 2 layers wider', true],
    ]);
  });

  it('is spent layer by layer where all together measure worse', async () => {
    const { best, candidates } = await selectAllocation(start, steps(setting(5, ['0,2,2'])));
    expect(best.variables).toEqual([1, 1, 2]);
    // 0,2,2 is refused, then 1,2,2 and 1,1,2 are taken.
    expect(candidates.map(({ measured }) => measured)).toEqual([18, 99, 13, 10]);
  });

  it.each([3, 4, 5, 6, 7, 8, 9])(
    'with a budget of %i never exceeds it, and leaves no upgrade that fits and gains',
    async (budget) => {
      const { best } = await selectAllocation(start, steps(setting(budget, ['0,2,2', '1,1,1', '0,1,1'])));
      expect(costOf(best.variables)).toBeLessThanOrEqual(budget);
      const harmful = (variables: Variables) => ['0,2,2', '1,1,1', '0,1,1'].includes(String(variables));
      expect(upgradesWithin(budget)(best.variables).filter((upgraded) => !harmful(upgraded))).toEqual([]);
    },
  );

  it('is not spent on what was measured to be worse, and is told apart by the moves measured from the best', async () => {
    // In context only the last layer gains.
    const overrides = { ...setting(4), ...STILL, estimateMoves: () => 0 };
    const measureMoves = async () => Float64Array.of(-9, 1, 0);
    const predict = () => 0;
    const { best } = await selectAllocation(
      [proposal('local', [2, 2, 2])],
      steps({ ...overrides, measureMoves, predict }),
    );
    // Variable 1 in place of 2 changes the loss by 1: nothing gains.
    expect(best.variables).toEqual([2, 2, 2]);
  });
});

describe('selectAllocation: time', () => {
  /** Steps that take so long by a clock that only they move. */
  function timed(limitSeconds: number, takes: { build: number; moves: number; solve?: number }, overrides = {}) {
    let seconds = 0;
    const spend = (more: number) => {
      seconds += more;
    };
    const plain = steps(overrides);
    const clocked = steps({
      ...overrides,
      build: async (variables) => {
        spend(takes.build);
        return plain.build(variables);
      },
      proposeApart: async (...asked) => {
        spend(takes.solve ?? 0);
        return plain.proposeApart(...asked);
      },
      measureMoves: async (current) => {
        spend(takes.moves);
        return plain.measureMoves(current);
      },
      secondsLeft: () => limitSeconds - seconds,
      estimateMoves: (secondsForBuild) => secondsForBuild,
    });
    return { clocked, spent: () => seconds };
  }

  it('ends when its time is over, with the best so far, and says so', async () => {
    const { best, stoppedByTime, rounds } = await selectAllocation([FIRST, SECOND], steps({ secondsLeft: () => 0 }));
    expect([best.variables, stoppedByTime, rounds]).toEqual([[2, 2], true, 0]);
  });

  it('builds the first proposal even if that alone takes longer than the limit, and nothing else', async () => {
    const { clocked, spent } = timed(60, { build: 90, moves: 10 });
    const { candidates, stoppedByTime } = await selectAllocation([FIRST, SECOND], clocked);
    expect([candidates.length, spent(), stoppedByTime]).toEqual([1, 90, true]);
  });

  it('begins no round that would not end in time with one build after it', async () => {
    const measureMoves = async () => {
      throw new Error('a round was begun');
    };
    const { stoppedByTime } = await selectAllocation([FIRST], steps({ measureMoves, estimateMoves: () => 2 }));
    expect(stoppedByTime).toBe(true);
  });

  it('takes the measured time of a round over its estimate: no second one where it would not end', async () => {
    const { clocked, spent } = timed(60, { build: 1, moves: 40 });
    const { rounds } = await selectAllocation([proposal('local', [9, 9])], clocked);
    expect(rounds).toBe(1);
    expect(spent()).toBeLessThanOrEqual(60);
  });

  it.each([
    [60, 2, 5],
    [60, 7, 11],
    [60, 13, 1],
    [10, 3, 3],
  ])(
    'within %i s of builds of %i s and rounds of %i s goes on while time is left, and ends in time',
    async (limit, build, moves) => {
      const { clocked, spent } = timed(limit, { build, moves, solve: 0.1 });
      const { stoppedByTime } = await selectAllocation([proposal('local', [99, 99])], clocked);
      expect(stoppedByTime).toBe(true);
      expect(spent()).toBeLessThanOrEqual(limit);
      expect(spent()).toBeGreaterThan(limit - build - moves);
    },
  );

  it('leaves two thirds of the time to moves: near-optimal proposals are begun in the first third only', async () => {
    let count = 0;
    const proposeApart = async () => [9, 9 + count++];
    const { clocked } = timed(30, { build: 4, moves: 3 }, { proposeApart });
    const { candidates, rounds } = await selectAllocation([proposal('local', [8, 8])], clocked);
    expect(candidates.filter(({ name }) => name.includes('apart'))).toHaveLength(1);
    expect(rounds).toBeGreaterThan(0);
  });

  it('leaves moves no time where no round would end: near-optimal proposals take it', async () => {
    let count = 0;
    const proposeApart = async () => [9, 9 + count++];
    const { clocked, spent } = timed(30, { build: 8, moves: 3 }, { proposeApart });
    const { candidates, rounds } = await selectAllocation([proposal('local', [8, 8])], {
      ...clocked,
      estimateMoves: () => 20,
    });
    expect(candidates.filter(({ name }) => name.includes('apart'))).toHaveLength(2);
    expect([rounds, spent()]).toEqual([0, 24]);
  });
});

describe('selectAllocation: predictions held against measurements', () => {
  const losses: Record<string, number[]> = { '1,0': [3, 3, 3], '2,0': [2, 2, 2], '3,0': [1, 1, 1] };
  const build: SearchSteps<Built>['build'] = async (variables) => ({
    variables,
    losses: Float64Array.from(losses[String(variables)]!),
  });
  const three = [proposal('a', [1, 0]), proposal('b', [2, 0]), proposal('c', [3, 0])];

  it('counts a wrong order of the proposals as misranked', async () => {
    const { rankCorrelation: correlation, isMisranked } = await selectAllocation(three, steps({ ...STILL, build }));
    expect(correlation).toBeCloseTo(-1, 12);
    expect(isMisranked).toBe(true);
  });

  it('counts no order as misranked that noise may have made', async () => {
    const noisy: SearchSteps<Built>['build'] = async (variables) => ({
      variables,
      losses: Float64Array.of(5 - 0.1 * variables[0]!, 5 + (variables[0]! % 2), 5 - (variables[0]! % 2)),
    });
    const selection = await selectAllocation(three, steps({ ...STILL, build: noisy }));
    expect(selection.rankCorrelation).toBeLessThan(0);
    expect(selection.isMisranked).toBe(false);
  });

  it('leaves moves out of the correlation', async () => {
    const { rankCorrelation: correlation, candidates } = await selectAllocation([FIRST, SECOND], steps());
    expect(candidates.length).toBeGreaterThan(2);
    expect(correlation).toBeUndefined();
  });
});

describe('pairedGain', () => {
  it('is the mean difference and its standard error', () => {
    expect(pairedGain(Float64Array.of(3, 5), Float64Array.of(2, 2))).toEqual({ gain: 2, standardError: 1 });
  });
});

describe('rankCorrelation', () => {
  it.each([
    ['the same order', [1, 2, 3], [10, 20, 30], 1],
    ['the reverse', [1, 2, 3], [3, 2, 1], -1],
    ['ties at their mean rank', [1, 1, 2], [1, 2, 3], Math.sqrt(3) / 2],
    ['too few to rank', [1, 2], [1, 2], undefined],
    ['a constant side', [1, 2, 3], [5, 5, 5], undefined],
  ])('%s', (_, first, second, expected) => {
    const correlation = rankCorrelation(first, second);
    if (expected === undefined) expect(correlation).toBeUndefined();
    else expect(correlation).toBeCloseTo(expected, 12);
  });
});
