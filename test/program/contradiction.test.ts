import { describe, expect, it } from 'vitest';
import { type Contradiction, describeInfeasibility } from '../../src/program/contradiction.ts';

const LIMITS = [
  { name: 'size', limit: 100 },
  { name: 'latency', limit: 0.5 },
  { name: 'energy', limit: 7 },
];

function describeOne(contradiction: Contradiction) {
  return describeInfeasibility(LIMITS, { smallestLimits: [110, 0.2, 3], contradictions: [contradiction] });
}

const impossible = { constraints: [0], isMinimal: true, relaxations: [] };
const together = { constraints: [0, 1], isMinimal: true, relaxations: [] };

describe('describeInfeasibility', () => {
  it.each([
    {
      case: 'one limit, alone impossible',
      contradiction: { ...impossible, relaxations: [{ constraint: 0, limit: 110, isSmallest: true }] },
      problem: {
        what: "no allocation keeps 'size' at 100 or less; the least possible is 110",
        fix: "raise the limit of 'size' to 110 or more",
      },
    },
    {
      case: 'one limit, which the others push further up',
      contradiction: { ...impossible, relaxations: [{ constraint: 0, limit: 130, isSmallest: true }] },
      problem: {
        what: "no allocation keeps 'size' at 100 or less; the least possible is 110",
        fix: "raise the limit of 'size' to 130 or more; 110 does not go with the other limits",
      },
    },
    {
      case: 'one limit, the others unsettled',
      contradiction: { ...impossible, relaxations: [{ constraint: 0, limit: 130, isSmallest: false }] },
      problem: {
        what: "no allocation keeps 'size' at 100 or less; the least possible is 110",
        fix: "raise the limit of 'size' to 130 or more (enough, but perhaps more than needed); 110 does not go with the other limits",
      },
    },
    {
      case: 'one of several impossible limits',
      contradiction: impossible,
      problem: {
        what: "no allocation keeps 'size' at 100 or less; the least possible is 110",
        fix: "raise the limit of 'size' to 110 or more",
      },
    },
    {
      case: 'two limits',
      contradiction: {
        ...together,
        relaxations: [
          { constraint: 1, limit: 0.6, isSmallest: true },
          { constraint: 0, limit: 150, isSmallest: false },
        ],
      },
      problem: {
        what: "no allocation keeps 'size' at 100 or less and 'latency' at 0.5 or less together; each of them can be kept alone",
        fix: "raise one limit and leave the others: 'latency' to 0.6 or 'size' to 150 (enough, but perhaps more than needed)",
      },
    },
    {
      case: 'three limits, no single way out',
      contradiction: { constraints: [0, 1, 2], isMinimal: true, relaxations: [] },
      problem: {
        what: "no allocation keeps 'size' at 100 or less, 'latency' at 0.5 or less and 'energy' at 7 or less together; any smaller number of them can be kept",
        fix: 'raise several limits: no single one is known to be enough',
      },
    },
    {
      case: 'limits that were not narrowed down',
      contradiction: { ...together, isMinimal: false },
      problem: {
        what: "no allocation keeps 'size' at 100 or less and 'latency' at 0.5 or less together; whether fewer of these limits contradict each other was not settled in time",
        fix: 'raise several limits: no single one is known to be enough',
      },
    },
  ])('describeInfeasibility: $case', ({ contradiction, problem }) => {
    expect(describeOne(contradiction)).toEqual([problem]);
  });

  it('describeInfeasibility: one problem per contradiction', () => {
    const contradictions = [impossible, { ...impossible, constraints: [2] }];
    const problems = describeInfeasibility(LIMITS, { smallestLimits: [110, 0.2, 8], contradictions });
    expect(problems.map(({ what }) => what)).toEqual([
      "no allocation keeps 'size' at 100 or less; the least possible is 110",
      "no allocation keeps 'energy' at 7 or less; the least possible is 8",
    ]);
  });
});
