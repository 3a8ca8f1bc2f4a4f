import { describe, expect, it } from 'vitest';
import { pairedGain } from '../../src/select/paired-gain.ts';
import { rankCorrelation } from '../../src/select/rank-correlation.ts';
import { type Built, type SearchSteps, selectAllocation } from '../../src/select/select-allocation.ts';

/** A model whose loss is the sum of its layers' choices, 0 the best; four samples that differ a little. */
function steps(overrides: Partial<SearchSteps<Built>> = {}, spread = 0): SearchSteps<Built> {
  return {
    predict: (variables) => 10 * variables[0]!,
    build: async (variables) => {
      const loss = variables.reduce((sum, variable) => sum + variable, 0);
      return { variables, losses: Float64Array.of(-1, 0, 0, 1).map((offset) => loss + offset * spread * loss) };
    },
    measureMoves: async () => new Float64Array(0),
    proposeMoves: async ({ variables }, _, mostLayers) => {
      const next = variables.map((variable, layer) => (layer < mostLayers ? Math.max(0, variable - 1) : variable));
      return String(next) === String(variables) ? undefined : next;
    },
    secondsLeft: () => 1,
    secondsForMoves: 0.5,
    ...overrides,
  };
}

const FIRST = { name: 'pairwise', variables: [2, 2] };
const SECOND = { name: 'diagonal', variables: [1, 2] };

describe('selectAllocation', () => {
  it('takes the proposal with the least measured loss, whatever was predicted', async () => {
    const { best, candidates } = await selectAllocation(
      [FIRST, SECOND],
      steps({ proposeMoves: async () => undefined }),
    );
    expect(best.variables).toEqual([1, 2]);
    expect(candidates).toEqual([
      { name: 'pairwise', predicted: 20, measured: 4, chosen: false },
      { name: 'diagonal', predicted: 10, measured: 3, chosen: true },
    ]);
  });

  it('measures an allocation that two methods propose once, under both names', async () => {
    const twin = { ...SECOND, variables: [2, 2] };
    const { candidates } = await selectAllocation([FIRST, twin], steps({ proposeMoves: async () => undefined }));
    expect(candidates.map(({ name }) => name)).toEqual(['pairwise, diagonal']);
  });

  it('improves the best in rounds of moves', async () => {
    const { best, rounds } = await selectAllocation([FIRST], steps());
    expect(best.variables).toEqual([0, 0]);
    expect(rounds).toBe(2);
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

  it('ends when its time is over, with the best so far, and says so', async () => {
    const { best, stoppedByTime, rounds } = await selectAllocation([FIRST, SECOND], steps({ secondsLeft: () => 0 }));
    expect([best.variables, stoppedByTime, rounds]).toEqual([[2, 2], true, 0]);
  });

  it('begins no round that would not end in time', async () => {
    const measureMoves = async () => {
      throw new Error('a round was begun');
    };
    const { stoppedByTime } = await selectAllocation([FIRST], steps({ measureMoves, secondsForMoves: 2 }));
    expect(stoppedByTime).toBe(true);
  });

  it('never chooses an allocation whose loss is NaN over one that has a loss', async () => {
    const build: SearchSteps<Built>['build'] = async (variables) => ({
      variables,
      losses: Float64Array.of(String(variables) === '2,2' ? Number.NaN : 5),
    });
    const { best } = await selectAllocation([FIRST, SECOND], steps({ build, proposeMoves: async () => undefined }));
    expect(best.variables).toEqual([1, 2]);
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
