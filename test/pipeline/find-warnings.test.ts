import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import type { Measurements } from '../../src/evaluate/measurements.ts';
import type { ChosenAllocation } from '../../src/pipeline/choose-allocation.ts';
import { findWarnings } from '../../src/pipeline/find-warnings.ts';

type Found = Partial<Pick<ChosenAllocation, 'rankCorrelation' | 'isMisranked' | 'stoppedByTime'>>;

function warningsOf(found: Found, limitSeconds = 60): string[] {
  const config = { search: { timeLimitSeconds: limitSeconds }, gate: { metric: 'top1' } } as Config;
  const chosen = { isMisranked: false, stoppedByTime: false, ...found } as ChosenAllocation;
  return findWarnings(config, chosen, { float: 0.9, sampleCount: 100 } as Measurements);
}

describe('findWarnings', () => {
  it('says that the model of the damage was wrong where it ranks proposals otherwise than measurements do', () => {
    expect(warningsOf({ rankCorrelation: 0.31, isMisranked: true })).toEqual([
      'the model of the damage was wrong: predicted and measured losses rank allocations differently (correlation 0.31)',
    ]);
  });

  it.each([
    ['a good correlation', { rankCorrelation: 0.5, isMisranked: true }],
    ['a poor one that noise explains', { rankCorrelation: -0.2, isMisranked: false }],
    ['too few proposals to rank', { isMisranked: true }],
  ])('says nothing of the model of the damage with %s', (_, found) => {
    expect(warningsOf(found)).toEqual([]);
  });

  it('says that the choice ended at its time limit, unless there was none to be made', () => {
    expect(warningsOf({ stoppedByTime: true })).toEqual([
      'the choice by measurement ended at its time limit; another run may choose otherwise',
    ]);
    expect(warningsOf({ stoppedByTime: true }, 0)).toEqual([]);
  });
});
