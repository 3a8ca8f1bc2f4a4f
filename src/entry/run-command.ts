/** A command that the user's config names, run on a model file in a process group of its own, which is gone when it ends. */
import { type ChildProcess, spawn } from 'node:child_process';

export type CommandRequest = {
  /** A program with its arguments, run without a shell with the model's path as a last argument; or a line for the shell. */
  readonly command: string | readonly string[];
  /** Absolute; in `BITGATE_MODEL` too. */
  readonly modelPath: string;
  /** Where it starts. */
  readonly folder: string;
  readonly timeLimitSeconds: number;
};

/** How a command ended, with the last lines of its standard error. */
export type CommandEnd = Ending & { readonly complaint: readonly string[] };

type Ending =
  /** With the last line of its standard output that is not empty, if it has one. */
  | { readonly kind: 'done'; readonly lastLine?: string }
  /** `exit code 3`, `signal SIGSEGV`. */
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'not-started'; readonly reason: string }
  | { readonly kind: StopReason };

/** Why this process ended it. */
type StopReason = 'out-of-time' | 'too-long-a-line';

export type RunCommand = (request: CommandRequest, signal: AbortSignal) => Promise<CommandEnd>;

/** Room for some million numbers; more is a mistake, and memory without bound. */
const MAX_LINE_LENGTH = 2 ** 26;

/** What a person wants to see of a trace. */
const MAX_COMPLAINT_LINES = 10;
const MAX_COMPLAINT_LENGTH = 16_384;

/** From SIGTERM to SIGKILL: a cancelled job has 7.5 s, and this process ends itself after 5 (interrupt.ts). */
const GRACE_MILLISECONDS = 2_000;

/** What a process outside the group may hold open after the end. */
const DRAIN_MILLISECONDS = 1_000;

/** setTimeout fires at once for more. */
const LONGEST_TIMER_MILLISECONDS = 2 ** 31 - 1;

/** On Windows there are no process groups, and only the command itself is ended. */
const HAS_GROUPS = process.platform !== 'win32';

/**
 * Commands with this environment, but for what is between the workflow runner and this process.
 *
 * The command rejects with the signal's reason when it is aborted. Its output is kept from the log, where it could speak
 * to the workflow runner.
 */
export function createRunCommand(environment: NodeJS.ProcessEnv): RunCommand {
  return async (request, signal) => {
    signal.throwIfAborted();
    const child = start(request, withoutRunner(environment));
    const end = await watch(child, request.timeLimitSeconds, signal);
    signal.throwIfAborted();
    return end;
  };
}

function start({ command, modelPath, folder }: CommandRequest, environment: NodeJS.ProcessEnv): ChildProcess {
  const [program, args] = typeof command === 'string' ? [command, []] : [command[0]!, [...command.slice(1), modelPath]];
  return spawn(program, args, {
    cwd: folder,
    env: { ...environment, BITGATE_MODEL: modelPath },
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: typeof command === 'string',
    detached: HAS_GROUPS,
  });
}

function watch(child: ChildProcess, timeLimitSeconds: number, signal: AbortSignal): Promise<CommandEnd> {
  const output = keepLastLine();
  const complaint = keepTail();
  let stopped: StopReason | undefined;
  let failure: Error | undefined;
  let graceTimer: NodeJS.Timeout | undefined;
  const stop = (reason?: StopReason) => {
    stopped ??= reason;
    killGroup(child, 'SIGTERM');
    graceTimer ??= setTimeout(() => killGroup(child, 'SIGKILL'), GRACE_MILLISECONDS);
  };
  const limit = Math.min(1000 * timeLimitSeconds, LONGEST_TIMER_MILLISECONDS);
  const limitTimer = setTimeout(() => stop('out-of-time'), limit);
  const abort = () => stop();
  // A second interrupt ends this process without waiting for anything.
  const killAtExit = () => killGroup(child, 'SIGKILL');
  signal.addEventListener('abort', abort);
  process.on('exit', killAtExit);

  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    if (!output.add(text)) stop('too-long-a-line');
  });
  child.stderr!.setEncoding('utf8').on('data', complaint.add);
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(limitTimer);
      clearTimeout(graceTimer);
      signal.removeEventListener('abort', abort);
      process.off('exit', killAtExit);
      child.stdout!.destroy();
      child.stderr!.destroy();
      resolve({ ...describeEnd(child, failure, stopped, output.lastLine()), complaint: complaint.lines() });
    };
    child.once('error', (error) => {
      failure = error;
      // Without a process there is no end of one.
      if (child.pid === undefined) finish();
    });
    child.once('exit', () => {
      // What it left behind in its group ends with it, and so lets go of its output.
      killGroup(child, 'SIGKILL');
      const drained = setTimeout(finish, DRAIN_MILLISECONDS);
      child.once('close', () => {
        clearTimeout(drained);
        finish();
      });
    });
  });
}

function describeEnd(
  { exitCode, signalCode }: ChildProcess,
  failure: Error | undefined,
  stopped: StopReason | undefined,
  lastLine: string | undefined,
): Ending {
  if (failure !== undefined) return { kind: 'not-started', reason: failure.message };
  if (stopped !== undefined) return { kind: stopped };
  if (exitCode === 0) return { kind: 'done', ...(lastLine === undefined ? {} : { lastLine }) };
  return { kind: 'failed', reason: exitCode === null ? `signal ${signalCode}` : `exit code ${exitCode}` };
}

function killGroup(child: ChildProcess, signalName: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    if (HAS_GROUPS) process.kill(-child.pid, signalName);
    else child.kill(signalName);
  } catch (error) {
    // Nobody is left in it, or, as macOS says it, nobody who can be ended.
    if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** Of an output of any length, the last line that is not empty. */
function keepLastLine() {
  let last: string | undefined;
  let open = '';
  return {
    /** False once a line is too long. */
    add(text: string): boolean {
      if (open.length > MAX_LINE_LENGTH) return false;
      // A long line comes in many parts, and is looked through once.
      open += text;
      if (text.includes('\n')) {
        const lines = open.split('\n');
        open = lines.pop()!;
        last = lines.findLast((line) => line.trim() !== '') ?? last;
      }
      return open.length <= MAX_LINE_LENGTH;
    },
    lastLine: () => (open.trim() === '' ? last : open)?.trim(),
  };
}

/** The last lines of an output of any length. */
function keepTail() {
  let tail = '';
  return {
    add(text: string): void {
      tail = (tail + text).slice(-MAX_COMPLAINT_LENGTH);
    },
    lines: () =>
      tail
        .split('\n')
        .filter((line) => line.trim() !== '')
        .slice(-MAX_COMPLAINT_LINES),
  };
}

/** Inputs, states and tokens, and the files that speak to the runner: a metric needs none of them. */
const OF_THE_RUNNER =
  /^(INPUT_|ACTIONS_|STATE_|GITHUB_(OUTPUT|ENV|PATH|STATE|STEP_SUMMARY|ARTIFACTS|TOKEN)$|GH_TOKEN$)/i;

function withoutRunner(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !OF_THE_RUNNER.test(name)));
}
