import { expect, it } from 'vitest';
import type { ActionHost, Annotation, StateName } from '../../src/entry/action-host.ts';
import { runPostStep, type SaveLeft } from '../../src/entry/post-step.ts';

const MEASUREMENT = JSON.stringify({ key: 'k', label: 'l', unitCount: 12 });

async function run(
  state: Partial<Record<StateName, string>>,
  saveLeft: SaveLeft = async () => {
    throw new Error('asked');
  },
) {
  const annotations: Annotation[] = [];
  let summary = '';
  let log = '';
  const host = {
    state: (name: StateName) => state[name],
    annotate: (annotation: Annotation) => void annotations.push(annotation),
    addSummary: (markdown: string) => {
      summary += markdown;
    },
    write: (text: string) => {
      log += text;
    },
  } as ActionHost;
  const exitCode = await runPostStep(host, saveLeft);
  return { exitCode, annotations, summary, log };
}

const saved =
  (outcome: 'saved' | 'denied', unitCount: number): SaveLeft =>
  async () => ({ outcome, unitCount, notes: ['a note'] });

it.each([[{}], [{ phase: 'finished', measurement: MEASUREMENT }]])(
  'runPostStep: says nothing and saves nothing after %j',
  async (state) => {
    expect(await run(state)).toEqual({ exitCode: 0, annotations: [], summary: '', log: '' });
  },
);

const ENDED = 'The run ended before a verdict: it was cancelled, ran out of time, or was killed.';

it.each([
  [{}, undefined, ENDED, ''],
  [{ progress: 'measuring: 1/2' }, undefined, `${ENDED} It had come to: measuring: 1/2.`, ''],
  [
    { measurement: MEASUREMENT },
    saved('saved', 5),
    `${ENDED} 5 of 12 units kept: the next run goes on from there.`,
    'a note\n',
  ],
  [
    { measurement: MEASUREMENT },
    saved('denied', 5),
    `${ENDED} 5 of 12 units were measured, and could not be kept in the Actions cache, see the log.`,
    'a note\n',
  ],
  [{ measurement: MEASUREMENT }, saved('saved', 0), ENDED, 'a note\n'],
  [{ measurement: MEASUREMENT }, undefined, ENDED, 'nothing is saved: asked\n'],
  [{ measurement: '{"key":' }, saved('saved', 5), ENDED, ''],
])('runPostStep: tells of a run that was interrupted, with %j', async (state, saveLeft, message, log) => {
  expect(await run({ phase: 'started', ...state }, saveLeft)).toEqual({
    exitCode: 0,
    annotations: [{ level: 'warning', title: 'bitgate: interrupted', message }],
    summary: `## bitgate: interrupted\n\n${message}\n`,
    log,
  });
});
