import { describe, expect, it } from 'vitest';
import { mergeShares, partsWithoutShare } from '../../src/cache/merge-shares.ts';
import {
  type PlannedUnit,
  parseShard,
  planShards,
  renderMatrix,
  replayPlan,
  type ShardPlan,
} from '../../src/cache/plan-shards.ts';
import { parseRanges, renderRanges } from '../../src/cache/ranges.ts';
import { decodeShare, encodeShare, shareFileName } from '../../src/cache/share.ts';
import { UserError } from '../../src/errors.ts';
import { seededRandom } from '../../src/random.ts';
import { KEY, OTHER_KEY, record } from './records.ts';

const UNITS: readonly PlannedUnit[] = [5, 1, 4, 2, 3].map((cost, index) => ({ unit: `u${index}`, cost }));

describe('renderRanges, parseRanges', () => {
  it.each([
    [[], ''],
    [[0], '0'],
    [[0, 1, 2, 5], '0-2,5'],
    [[3, 4, 9, 10, 12], '3-4,9-10,12'],
  ])('renderRanges: %j is "%s", and back', (indices, text) => {
    expect(renderRanges(indices)).toBe(text);
    expect(parseRanges(text, 13)).toEqual(indices);
  });

  it.each([
    '13',
    '0-13',
    '2-1',
    '1,1',
    '1,0',
    '0,1',
    '0-1,2',
    '01',
    '-1',
    '1-',
    '1,',
    ',',
    '0-9999999999',
    '0-2,0-2',
    '1e1',
  ])('parseRanges: "%s" is none below 13', (text) => {
    expect(parseRanges(text, 13)).toBeUndefined();
  });
});

describe('planShards', () => {
  it('planShards: the heaviest first, each to the shard with the least work, in order within a shard', () => {
    const { shards, token } = planShards(UNITS, 2);
    expect(shards).toEqual([
      { units: ['u0', 'u1', 'u3'], cost: 8 },
      { units: ['u2', 'u4'], cost: 7 },
    ]);
    expect(token).toBe('2:0-4');
  });

  it('planShards: every pending unit is in one shard, and no shard has more than 4/3 of the best possible', () => {
    const random = seededRandom(11);
    for (let round = 0; round < 30; round++) {
      const units = Array.from({ length: 1 + Math.floor(random() * 12) }, (_, index) => ({
        unit: `u${index}`,
        cost: 1 + Math.floor(random() * 50),
      }));
      const plan = planShards(units, 3);
      expect(plan.shards.flatMap((shard) => shard.units).sort()).toEqual(units.map(({ unit }) => unit).sort());
      const longest = Math.max(...plan.shards.map(({ cost }) => cost));
      expect(longest, JSON.stringify(units)).toBeLessThanOrEqual((4 / 3) * bestLongest(units, 3) + 1e-9);
    }
  });

  it('planShards: known units are left out, and the token makes the same plan elsewhere', () => {
    const plan = planShards(UNITS, 2, new Set(['u1', 'u4']));
    expect(plan.shards.map(({ units }) => units)).toEqual([['u0'], ['u2', 'u3']]);
    expect(plan.token).toBe('2:0,2-3');
    expect(replayPlan(UNITS, plan.token)).toEqual(plan);
    expect(planShards(UNITS, 2).id).not.toBe(plan.id);
  });

  it('renderMatrix: one entry per shard with work; none when all is known', () => {
    expect(renderMatrix(planShards(UNITS, 2))).toBe(
      '{"include":[{"shard":"1/2","units":3},{"shard":"2/2","units":2}]}',
    );
    expect(renderMatrix(planShards(UNITS.slice(0, 1), 3))).toBe('{"include":[{"shard":"1/3","units":1}]}');
    expect(renderMatrix(planShards(UNITS, 2, new Set(UNITS.map(({ unit }) => unit))))).toBe('{"include":[]}');
  });

  it.each([0, 257, 1.5, Number.NaN])('planShards: %d shards are refused', (count) => {
    expect(() => planShards(UNITS, count)).toThrow(
      `the number of shards is ${count}, expected a whole number from 1 to 256`,
    );
  });

  it.each(['', '2', '2:0-5', '0:0', 'x:0', '2:0-4;'])('replayPlan: "%s" is refused', (token) => {
    expect(() => replayPlan(UNITS, token)).toThrow(UserError);
  });

  it('replayPlan: a plan for other units says what to do', () => {
    expect(() => replayPlan(UNITS, '2:0-9')).toThrow(
      'the plan "2:0-9" is none for these 5 units\n' +
        '  fix: pass on the output `plan` of the job that made the plan, for the same commit',
    );
  });
});

describe('parseShard', () => {
  it('parseShard: "2/4" is the second of four', () => {
    expect(parseShard('2/4')).toEqual({ number: 2, count: 4 });
  });

  it.each(['', '2', '0/4', '5/4', '2/4/6', '1/257', '-1/2', ' 1/2'])('parseShard: "%s" is none', (text) => {
    expect(() => parseShard(text)).toThrow(
      `the shard is "${text}", expected one such as 2/4\n  fix: 1/n to n/n, n at most 256`,
    );
  });
});

const bytesOf = (text: string) => new TextEncoder().encode(text);

function shareOf(plan: ShardPlan, number: number, key = KEY, units = plan.shards[number - 1]!.units) {
  const records = new Map(units.map((unit) => [unit, record(unit, { key })]));
  const shard = { number, count: plan.shards.length };
  return { key, shard, planToken: plan.token, planId: plan.id, records };
}

function fileOf(share: ReturnType<typeof shareOf>, name = shareFileName(share)) {
  return { name, bytes: bytesOf(encodeShare(share)) };
}

describe('encodeShare, decodeShare', () => {
  const share = shareOf(planShards(UNITS, 2), 2);
  const text = encodeShare(share);
  const reasonOf = (changed: string) => {
    const decoded = decodeShare(bytesOf(changed));
    return decoded.kind === 'rejected' ? decoded.reason : 'accepted';
  };

  it('decodeShare: gives back what was encoded, an empty share too', () => {
    expect(decodeShare(bytesOf(text))).toEqual({ kind: 'accepted', share });
    const empty = shareOf(planShards(UNITS.slice(0, 1), 2), 2);
    expect(decodeShare(bytesOf(encodeShare(empty)))).toEqual({ kind: 'accepted', share: empty });
    expect(shareFileName(share)).toBe(`share-${KEY.slice(0, 16)}-2of2.jsonl`);
  });

  it.each([
    ['nothing', '', 'is no share of bitgate'],
    ['no header', text.split('\n').slice(1).join('\n'), 'is no share of bitgate'],
    ['a later version', text.replace('"bitgateShare":1', '"bitgateShare":2'), 'is no share of bitgate'],
    ['a shard that is none', text.replace('"2/2"', '"3/2"'), 'is no share of bitgate'],
    ['a shard of another number', text.replace('"2/2"', '"2/3"'), 'is no share of bitgate'],
    ['a record less', text.split('\n').slice(0, -2).join('\n'), 'is damaged: it has 1 records, expected 2'],
    ['a cut', text.slice(0, -30), 'has unusable records: no JSON (1)'],
    ['another key in the header', text.replace(KEY, OTHER_KEY), 'has unusable records: of another measurement set (2)'],
  ])('decodeShare: %s is rejected', (_, changed, reason) => {
    expect(reasonOf(changed)).toBe(reason);
  });

  it('decodeShare: no cut of it is accepted', () => {
    for (let length = 0; length < text.length - 1; length += 7)
      expect(reasonOf(text.slice(0, length))).not.toBe('accepted');
  });
});

describe('mergeShares', () => {
  const plan = planShards(UNITS, 2, new Set(['u1']));
  const known = new Map([['u1', record('u1', { losses: { known: 1 } })]]);
  const files = [1, 2].map((number) => fileOf(shareOf(plan, number)));
  const merge = (shares: typeof files, more: object = {}) =>
    mergeShares({ key: KEY, units: UNITS, known, shares, ...more });
  const problemsOf = (shares: typeof files, more: object = {}) => {
    try {
      merge(shares, more);
    } catch (error) {
      if (error instanceof UserError) return error.message.split('\n').filter((line) => !line.startsWith('  fix: '));
      throw error;
    }
    return [];
  };

  it('mergeShares: the records of all units in their order, whatever the order of the shares', () => {
    const merged = merge(files);
    expect([...merged.keys()]).toEqual(UNITS.map(({ unit }) => unit));
    expect(merged.get('u1')!.losses).toEqual({ known: 1 });
    expect([...merge([...files].reverse())]).toEqual([...merged]);
    expect([...merge(files, { planToken: plan.token })]).toEqual([...merged]);
  });

  it('mergeShares: without shares, what is known is enough or not', () => {
    const all = new Map(UNITS.map(({ unit }) => [unit, record(unit)]));
    expect(merge([], { known: all }).size).toBe(5);
    expect(problemsOf([])).toEqual(['4 of 5 units are in no share and not in the cache, the first is u0']);
    expect(problemsOf([], { planToken: plan.token })).toEqual([
      'the share of shard 1/2 is missing, 2 units',
      'the share of shard 2/2 is missing, 2 units',
    ]);
  });

  it('mergeShares: a missing share is named; one without work may be missing', () => {
    expect(problemsOf(files.slice(0, 1))).toEqual(['the share of shard 2/2 is missing, 2 units']);
    const wide = planShards(UNITS.slice(0, 1), 3);
    const only = fileOf(shareOf(wide, 1));
    expect(mergeShares({ key: KEY, units: UNITS.slice(0, 1), known: new Map(), shares: [only] }).size).toBe(1);
  });

  it('mergeShares: a shard whose units are all known needs no share', () => {
    const both = new Map([...known, ...plan.shards[1]!.units.map((unit) => [unit, record(unit)] as const)]);
    expect(merge(files.slice(0, 1), { known: both }).size).toBe(5);
    both.delete(plan.shards[1]!.units[0]!);
    expect(problemsOf(files.slice(0, 1), { known: both })).toEqual(['the share of shard 2/2 is missing, 1 unit']);
  });

  it('partsWithoutShare: the units of shards whose share is missing or foreign; none without a plan', () => {
    const [first, second] = [shareOf(plan, 1), shareOf(plan, 2)];
    const parts = (shares: typeof files, planToken?: string) =>
      partsWithoutShare({ key: KEY, units: UNITS, shares, ...(planToken === undefined ? {} : { planToken }) });
    expect(parts([fileOf(first)], plan.token)).toEqual([plan.shards[1]!.units]);
    expect(parts([fileOf(first), fileOf(shareOf(plan, 2, OTHER_KEY))], plan.token)).toEqual([plan.shards[1]!.units]);
    expect(parts([fileOf(first), fileOf(second)], plan.token)).toEqual([]);
    expect([parts([]), parts([], '2:0-99')]).toEqual([[], []]);
  });

  it('mergeShares: shares of something else, of another plan, damaged, incomplete and doubled are named, all at once', () => {
    const [first, second] = files as [(typeof files)[0], (typeof files)[0]];
    const other = planShards(UNITS, 2);
    const incomplete = shareOf(plan, 2, KEY, ['u2']);
    expect(
      problemsOf([
        first,
        { ...first, name: 'copy.jsonl' },
        fileOf(incomplete, 'z-incomplete.jsonl'),
        fileOf(shareOf(plan, 2, OTHER_KEY), 'foreign.jsonl'),
        fileOf(shareOf(other, 2), 'other.jsonl'),
        { name: 'damaged.jsonl', bytes: second.bytes.slice(0, -9) },
      ]),
    ).toEqual([
      'damaged.jsonl: has unusable records: no JSON (1)',
      'foreign.jsonl: measures something else: another model, calibration set, setting, runtime or device',
      `other.jsonl: belongs to another plan (${other.id}) than that of copy.jsonl`,
      `${first.name}: shard 1/2 is there twice, also as copy.jsonl`,
      'z-incomplete.jsonl: lacks 1 of the 2 units of shard 2/2, the first is u4',
    ]);
  });

  it('mergeShares: a plan for other units, and one that is not the one asked for, are refused', () => {
    expect(problemsOf(files, { units: UNITS.slice(1) })).toEqual([
      `${files[0]!.name}: was planned for other units than are wanted here`,
    ]);
    const other = planShards(UNITS, 2);
    expect(
      problemsOf(
        [1, 2].map((number) => fileOf(shareOf(other, number))),
        { planToken: plan.token },
      )[0],
    ).toBe(`${files[0]!.name}: belongs to another plan (${other.id}) than the one asked for`);
  });

  it('mergeShares: a unit that the plan counted on and that is gone is named', () => {
    expect(problemsOf(files, { known: new Map() })).toEqual([
      '1 of 5 units are in no share and not in the cache, the first is u1',
    ]);
  });

  it('mergeShares: what a share holds beyond its part is passed over', () => {
    const greedy = shareOf(plan, 1, KEY, [...plan.shards[0]!.units, 'u1']);
    expect(merge([fileOf(greedy), files[1]!]).get('u1')!.losses).toEqual({ known: 1 });
  });
});

/** The shortest possible longest shard, by trying every assignment. */
function bestLongest(units: readonly PlannedUnit[], count: number): number {
  const loads = Array<number>(count).fill(0);
  const place = (index: number): number => {
    if (index === units.length) return Math.max(...loads);
    let best = Number.POSITIVE_INFINITY;
    for (let shard = 0; shard < Math.min(count, index + 1); shard++) {
      loads[shard]! += units[index]!.cost;
      best = Math.min(best, place(index + 1));
      loads[shard]! -= units[index]!.cost;
    }
    return best;
  };
  return place(0);
}
