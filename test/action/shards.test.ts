/** The built action on a job matrix: plan, measure, decide, each job on a runner of its own. */
import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { CONFIG, ROOT, workspaceWith } from './glyphs.ts';
import { runJob, type StepResult } from './runner.ts';

const SHARED = CONFIG.replace('method: diagonal', 'method: pairwise').replace('bits: [2, 4, 8]', 'bits: [2, 4]');

type Job = StepResult & { readonly workspace: string };

async function run(inputs: Readonly<Record<string, string>>, workspace = workspaceWith(SHARED)): Promise<Job> {
  const { main } = await runJob({ action: ROOT, workspace, inputs });
  expect(main.complaints).toEqual([]);
  return { ...main, workspace };
}

describe('a measurement in three jobs', () => {
  let plan: Job;
  let measured: readonly Job[];
  let deciding: string;
  beforeAll(async () => {
    plan = await run({ mode: 'plan', shards: '3' });
    const { include } = JSON.parse(plan.outputs.matrix!) as { include: { shard: string }[] };
    measured = [];
    for (const { shard } of include) {
      measured = [...measured, await run({ mode: 'measure', shard, plan: plan.outputs.plan! })];
    }
    deciding = workspaceWith(SHARED);
    mkdirSync(join(deciding, 'shares'));
    for (const { outputs } of measured) {
      copyFileSync(outputs['share-path']!, join(deciding, 'shares', basename(outputs['share-path']!)));
    }
  });

  it('plan: a matrix of jobs and the plan that they share, and no verdict', () => {
    expect({ exitCode: plan.exitCode, summary: plan.summary }, plan.log).toEqual({ exitCode: 0, summary: '' });
    expect(Object.keys(plan.outputs).sort()).toEqual(['matrix', 'plan']);
    expect(JSON.parse(plan.outputs.matrix!).include).toEqual(
      [1, 2, 3].map((number) => ({ shard: `${number}/3`, units: expect.any(Number) })),
    );
    expect(plan.log).toMatch(/pairwise: \d+ units, 0 known already; forwards by shard: /);
  });

  it('measure: every job leaves its share under a name of its own', () => {
    for (const { exitCode, log } of measured) expect(exitCode, log).toBe(0);
    expect(new Set(measured.map(({ outputs }) => basename(outputs['share-path']!))).size).toBe(3);
    expect(measured.map(({ outputs }) => Object.keys(outputs))).toEqual(Array(3).fill(['share-path']));
  });

  it('decide: measures nothing more, and comes to the bytes of a run in one job', async () => {
    const decided = await run({ mode: 'decide', plan: plan.outputs.plan!, 'share-dir': 'shares' }, deciding);
    expect(decided.outputs.verdict, decided.log).toMatch(/^(pass|fail)$/);
    expect(decided.log).toContain('nothing to measure');
    const whole = await run({});
    const bytesOf = ({ outputs }: Job) => readFileSync(outputs['artifact-path']!);
    expect(bytesOf(decided).equals(bytesOf(whole))).toBe(true);
    expect(decided.outputs.accuracy).toBe(whole.outputs.accuracy);
  });

  it('decide: a share that is missing ends the run, by its name', async () => {
    rmSync(join(deciding, 'shares', basename(measured[1]!.outputs['share-path']!)));
    const decided = await run({ mode: 'decide', plan: plan.outputs.plan!, 'share-dir': 'shares' }, deciding);
    expect({ exitCode: decided.exitCode, outputs: decided.outputs }).toEqual({
      exitCode: 2,
      outputs: { verdict: 'error' },
    });
    expect(decided.annotations).toMatchObject([{ message: expect.stringMatching(/2\/3/) }]);
  });
});

describe('inputs', () => {
  it.each([
    [{ mode: 'plan' }, 'input `mode` plan needs input `shards`'],
    [{ mode: 'plan', shards: 'four' }, 'input `shards` is "four", expected a number of machines such as 4'],
    [{ mode: 'measure' }, 'input `mode` measure needs input `shard`'],
    [{ mode: 'measure', shard: '4/3' }, 'the shard is "4/3", expected one such as 2/4'],
    [{ shard: '1/3' }, 'input `shard` means nothing with input `mode` all'],
    [{ mode: 'decide', shards: '3' }, 'input `shards` means nothing with input `mode` decide'],
    [
      { mode: 'meassure' },
      'input `mode` is "meassure", expected one of all, plan, measure, decide; did you mean measure?',
    ],
  ])('inputs: %j', async (inputs, message) => {
    const { exitCode, annotations } = await run(inputs as Record<string, string>);
    expect(exitCode).toBe(2);
    expect(annotations).toMatchObject([{ message: expect.stringContaining(message) }]);
  });
});
