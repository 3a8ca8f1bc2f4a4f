import { describe, expect, it } from 'vitest';
import {
  createLogProgress,
  createTerminalProgress,
  renderBar,
  separateLine,
} from '../../src/entry/terminal-progress.ts';

/** A display whose clock stands still until `at` sets it, in seconds. */
function watch(create: typeof createLogProgress, columns?: number) {
  let milliseconds = 0;
  let text = '';
  const write = (more: string) => {
    text += more;
  };
  const display = create({ write, now: () => milliseconds, ...(columns === undefined ? {} : { columns }) });
  const at = (seconds: number, done: number, total = 100, activity = 'measuring pairs') => {
    milliseconds = Math.round(seconds * 1000);
    display.report({ activity, done, total, unit: 'forwards' });
  };
  return { at, finish: display.finish, text: () => text, lines: () => text.split('\n').slice(0, -1) };
}

describe('createLogProgress', () => {
  it('createLogProgress: a line at the start, at every tenth, and at the end', () => {
    const log = watch(createLogProgress);
    for (let done = 0; done <= 100; done++) log.at(done / 4, done);
    expect(log.lines()).toEqual([
      'measuring pairs: 0/100 forwards 0 %',
      'measuring pairs: 10/100 forwards 10 % 4.0/s 0:23 left',
      'measuring pairs: 20/100 forwards 20 % 4.0/s 0:20 left',
      'measuring pairs: 30/100 forwards 30 % 4.0/s 0:18 left',
      'measuring pairs: 40/100 forwards 40 % 4.0/s 0:15 left',
      'measuring pairs: 50/100 forwards 50 % 4.0/s 0:13 left',
      'measuring pairs: 60/100 forwards 60 % 4.0/s 0:10 left',
      'measuring pairs: 70/100 forwards 70 % 4.0/s 0:08 left',
      'measuring pairs: 80/100 forwards 80 % 4.0/s 0:05 left',
      'measuring pairs: 90/100 forwards 90 % 4.0/s 0:03 left',
      'measuring pairs: 100 forwards in 25.0 s',
    ]);
  });

  it('createLogProgress: slow work gives a line every 15 seconds', () => {
    const log = watch(createLogProgress);
    for (let second = 0; second <= 31; second++) log.at(second, second, 10_000);
    expect(log.lines()).toEqual([
      'measuring pairs: 0/10000 forwards 0 %',
      'measuring pairs: 15/10000 forwards 0 % 1.0/s 2:46:25 left',
      'measuring pairs: 30/10000 forwards 0 % 1.0/s 2:46:10 left',
    ]);
  });

  it('createLogProgress: quick work gives its start and its end, not ten lines in a second', () => {
    const log = watch(createLogProgress);
    for (let done = 0; done <= 100; done++) log.at(done / 200, done);
    expect(log.lines()).toEqual(['measuring pairs: 0/100 forwards 0 %', 'measuring pairs: 100 forwards in 0.5 s']);
  });

  it('createLogProgress: the rate counts from where the work started, as a resumed one does not at zero', () => {
    const log = watch(createLogProgress);
    log.at(0, 50);
    log.at(5, 60);
    expect(log.lines().at(-1)).toBe('measuring pairs: 60/100 forwards 60 % 2.0/s 0:20 left');
  });

  it('createLogProgress: another activity ends the one before it', () => {
    const log = watch(createLogProgress);
    log.at(0, 0);
    log.at(2, 40);
    log.at(3, 0, 10, 'evaluating');
    log.at(4, 10, 10, 'evaluating');
    expect(log.lines()).toEqual([
      'measuring pairs: 0/100 forwards 0 %',
      'measuring pairs: 40/100 forwards 40 % 20/s 0:03 left',
      'measuring pairs: stopped at 40 of 100 forwards in 3.0 s',
      'evaluating: 0/10 forwards 0 %',
      'evaluating: 10 forwards in 1.0 s',
    ]);
  });

  it('createLogProgress: work that is complete when first heard of, or empty, is not shown', () => {
    const log = watch(createLogProgress);
    log.at(0, 100);
    log.at(1, 0, 0);
    log.finish();
    expect(log.text()).toBe('');
  });
});

describe('createTerminalProgress', () => {
  const CLEAR = '\r\u001b[2K';

  it('createTerminalProgress: one line is drawn over and over, and stays as a sentence', () => {
    const terminal = watch(createTerminalProgress);
    terminal.at(0, 0);
    terminal.at(1, 25);
    terminal.at(4, 100);
    expect(terminal.text()).toBe(
      `${CLEAR}measuring pairs ░░░░░░░░░░░░░░░░░░░░ 0/100 forwards 0 %` +
        `${CLEAR}measuring pairs █████░░░░░░░░░░░░░░░ 25/100 forwards 25 % 25/s 0:03 left` +
        `${CLEAR}measuring pairs: 100 forwards in 4.0 s\n`,
    );
  });

  it('createTerminalProgress: at most ten times a second, however often it is told', () => {
    const terminal = watch(createTerminalProgress);
    for (let step = 0; step < 2000; step++) terminal.at(step / 1000, step, 10_000);
    const redraws = terminal.text().split(CLEAR).length - 1;
    expect(redraws).toBe(20);
  });

  it('createTerminalProgress: work cut short says how far it came', () => {
    const terminal = watch(createTerminalProgress);
    terminal.at(0, 0);
    terminal.at(0.05, 3);
    terminal.finish();
    terminal.finish();
    expect(terminal.text().split(CLEAR).at(-1)).toBe('measuring pairs: stopped at 3 of 100 forwards in 0.1 s\n');
  });

  it('renderBar: never wraps, because a wrapped line cannot be cleared', () => {
    const event = { activity: 'measuring pairs', done: 1, total: 3, unit: 'forwards' };
    expect(renderBar(event, 2, 30)).toHaveLength(29);
    expect(renderBar(event, 2)).toBe('measuring pairs ███████░░░░░░░░░░░░░ 1/3 forwards 33 % 2.0/s 0:01 left');
  });
});

it('separateLine: takes the place of the bar on a terminal, and is a line in a log', () => {
  expect(separateLine('12 of 60 units kept', true)).toBe('\r\u001b[2K12 of 60 units kept\n');
  expect(separateLine('12 of 60 units kept', false)).toBe('12 of 60 units kept\n');
});
