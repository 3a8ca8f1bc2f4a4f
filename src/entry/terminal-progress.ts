/** Progress of long stages as people see it: one bar on a terminal, sparse lines in a log. */
import type { ProgressEvent, ReportProgress } from '../progress.ts';

/** A listener for the stages; `finish` ends what is shown when the work is over or has failed. */
export type ProgressDisplay = { readonly report: ReportProgress; finish(): void };

/** Where a display writes, and its clock in milliseconds. */
export type ProgressOutput = { write(text: string): void; now(): number; readonly columns?: number };

/** A person sees no more than ten changes per second. */
const REDRAW_MILLISECONDS = 100;

/** A log keeps every line: one per tenth of the work or quarter minute, and never two in a second. */
const LOG_MIN_MILLISECONDS = 1_000;
const LOG_MAX_MILLISECONDS = 15_000;
const LOG_SHARE = 0.1;

const BAR_WIDTH = 20;
const DEFAULT_COLUMNS = 80;

/** Returns to the start of the line and clears it (ECMA-48, EL). */
const CLEAR_LINE = '\r\u001b[2K';

/** A line of its own among what a display writes: on a terminal it stands where the bar was, which is drawn again below. */
export function separateLine(line: string, isTerminal: boolean): string {
  return `${isTerminal ? CLEAR_LINE : ''}${line}\n`;
}

/** One activity since its first event. */
type Stage = {
  readonly startedAt: number;
  readonly firstDone: number;
  shownAt: number;
  shownDone: number;
  last: ProgressEvent;
};

/** Draws one line with a bar, at most ten times a second, and leaves one line per finished activity. */
export function createTerminalProgress(output: ProgressOutput): ProgressDisplay {
  return createDisplay(output, {
    isDue: (stage, now) => now - stage.shownAt >= REDRAW_MILLISECONDS,
    show: (stage, now) => output.write(CLEAR_LINE + renderBar(stage.last, rateOf(stage, now), output.columns)),
    close: (stage, now) => output.write(`${CLEAR_LINE}${renderEnd(stage, now)}\n`),
  });
}

/** Writes a line when an activity starts, at every tenth or quarter minute of it, and when it ends. */
export function createLogProgress(output: ProgressOutput): ProgressDisplay {
  return createDisplay(output, {
    isDue: ({ shownAt, shownDone, last }, now) => {
      const isFurther = last.done - shownDone >= LOG_SHARE * last.total;
      return now - shownAt >= (isFurther ? LOG_MIN_MILLISECONDS : LOG_MAX_MILLISECONDS);
    },
    show: (stage, now) => output.write(`${renderLine(stage.last, rateOf(stage, now))}\n`),
    close: (stage, now) => output.write(`${renderEnd(stage, now)}\n`),
  });
}

type Style = {
  isDue(stage: Stage, now: number): boolean;
  show(stage: Stage, now: number): void;
  close(stage: Stage, now: number): void;
};

function createDisplay({ now }: ProgressOutput, style: Style): ProgressDisplay {
  let stage: Stage | undefined;
  const finish = () => {
    if (stage !== undefined) style.close(stage, now());
    stage = undefined;
  };
  const start = (event: ProgressEvent) => {
    const time = now();
    stage = { startedAt: time, firstDone: event.done, shownAt: time, shownDone: event.done, last: event };
    style.show(stage, time);
  };
  const advance = (stage: Stage, event: ProgressEvent) => {
    stage.last = event;
    const time = now();
    if (event.done >= event.total || !style.isDue(stage, time)) return;
    style.show(stage, time);
    stage.shownAt = time;
    stage.shownDone = event.done;
  };
  const report = (event: ProgressEvent) => {
    if (stage?.last.activity !== event.activity) finish();
    const isComplete = event.done >= event.total;
    if (stage !== undefined) advance(stage, event);
    // Nobody waits for what is complete when it is first heard of.
    else if (!isComplete) start(event);
    if (isComplete) finish();
  };
  return { report, finish };
}

/** Units per second since the activity began; undefined before anything can be said. */
function rateOf({ startedAt, firstDone, last }: Stage, now: number): number | undefined {
  const seconds = (now - startedAt) / 1000;
  return seconds > 0 && last.done > firstDone ? (last.done - firstDone) / seconds : undefined;
}

/** `measuring pairs ████░░░░ 342/1710 forwards 20 % 41/s 0:33 left`, cut to the width of the terminal. */
export function renderBar(event: ProgressEvent, rate: number | undefined, columns = DEFAULT_COLUMNS): string {
  const filled = Math.round(BAR_WIDTH * shareOf(event));
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
  const text = `${event.activity} ${bar} ${renderNumbers(event)}${renderRate(event, rate)}`;
  // A line that wraps cannot be cleared.
  return text.slice(0, Math.max(1, columns - 1));
}

/** `measuring pairs: 342/1710 forwards 20 % 41/s 0:33 left`. */
export function renderLine(event: ProgressEvent, rate: number | undefined): string {
  return `${event.activity}: ${renderNumbers(event)}${renderRate(event, rate)}`;
}

function renderEnd({ last, startedAt }: Stage, now: number): string {
  const seconds = ((now - startedAt) / 1000).toFixed(1);
  const isComplete = last.done >= last.total;
  return `${last.activity}: ${isComplete ? last.total : `stopped at ${last.done} of ${last.total}`} ${last.unit} in ${seconds} s`;
}

function renderNumbers(event: ProgressEvent): string {
  return `${event.done}/${event.total} ${event.unit} ${Math.floor(100 * shareOf(event))} %`;
}

function renderRate({ done, total }: ProgressEvent, rate: number | undefined): string {
  if (rate === undefined) return '';
  const perSecond = rate >= 10 ? rate.toFixed(0) : rate.toFixed(1);
  return ` ${perSecond}/s ${renderDuration((total - done) / rate)} left`;
}

/** `0:05`, `12:34`, `1:02:03`. */
function renderDuration(seconds: number): string {
  const whole = Math.ceil(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const pad = (value: number) => String(value).padStart(2, '0');
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(rest)}` : `${minutes}:${pad(rest)}`;
}

function shareOf({ done, total }: ProgressEvent): number {
  return total > 0 ? Math.min(1, Math.max(0, done / total)) : 1;
}
