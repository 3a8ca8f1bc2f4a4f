/**
 * A stand-in for the workflow runner: starts the built action as the runner does, main step and post step, and reads back
 * what a workflow would see. Follows actions/runner 2.336 (ActionRunner.cs, NodeScriptActionHandler.cs, ProcessInvoker.cs).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parse } from 'yaml';
import { temporaryFolder } from '../runtime/packages.ts';
import { push, REPOSITORY, type WorkflowEvent } from './events.ts';
import { createCommandReader, type LoggedAnnotation } from './runner-commands.ts';
import { outputComplaints, parseArtifacts, parseNamedValues, readSummary } from './runner-files.ts';

export type JobSettings = {
  /** The folder that holds action.yml and dist/. */
  readonly action: string;
  readonly workspace: string;
  /** What the workflow gives under `with`. */
  readonly inputs?: Readonly<Record<string, string>>;
  readonly event?: WorkflowEvent;
  readonly isSelfHosted?: boolean;
  /** Variables of the job, and secrets that the runner hands to actions. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The job is cancelled when a line of the log fits. */
  readonly cancelAt?: RegExp;
  /** The job is cancelled when this says so; it is asked often, and told RUNNER_TEMP. */
  readonly cancelWhen?: (temporary: string) => boolean;
  /** From SIGINT to SIGTERM, and to the end; the runner's own when absent. */
  readonly patienceMilliseconds?: readonly [number, number];
};

export type StepResult = {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Lines of stdout that are no commands, and all of stderr. */
  readonly log: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly state: Readonly<Record<string, string>>;
  /** Changes to the environment of later steps; a gate has no business making any. */
  readonly environment: Readonly<Record<string, string>>;
  readonly path: string;
  readonly summary: string;
  readonly annotations: readonly LoggedAnnotation[];
  readonly artifacts: readonly string[];
  /** What the runner objects to. */
  readonly complaints: readonly string[];
  /** From the start of the process to the first line of its log. */
  readonly firstLineMilliseconds: number;
  readonly milliseconds: number;
};

export type JobResult = { readonly main: StepResult; readonly post: StepResult };

type ActionManifest = {
  readonly inputs: Readonly<Record<string, { readonly default?: string }>>;
  readonly runs: { readonly using: string; readonly main: string; readonly post: string; readonly 'post-if'?: string };
};

/** The main step, and the post step as `post-if: always()` has it. */
export async function runJob(settings: JobSettings): Promise<JobResult> {
  const { inputs, runs } = parse(readFileSync(join(settings.action, 'action.yml'), 'utf8')) as ActionManifest;
  if (runs.using !== 'node24') throw new Error(`the runner has no ${runs.using}`);
  const unknown = Object.keys(settings.inputs ?? {}).filter((name) => !(name in inputs));
  if (unknown.length > 0) throw new Error(`Unexpected input(s) '${unknown.join("', '")}'`);
  const given = Object.fromEntries(
    Object.entries(inputs).map(([name, { default: text = '' }]) => [
      `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`,
      settings.inputs?.[name] ?? text,
    ]),
  );
  const temporary = temporaryFolder();
  const main = await runStep(settings, runs.main, given, temporary);
  const state = Object.entries(main.state).map(([name, value]) => [`STATE_${name}`, value]);
  const { cancelAt: _line, cancelWhen: _moment, ...afterwards } = settings;
  const post = await runStep(afterwards, runs.post, { ...given, ...Object.fromEntries(state) }, temporary);
  return { main, post };
}

const FILES = {
  GITHUB_OUTPUT: 'set_output',
  GITHUB_STATE: 'save_state',
  GITHUB_ENV: 'set_env',
  GITHUB_PATH: 'add_path',
  GITHUB_STEP_SUMMARY: 'step_summary',
  GITHUB_ARTIFACTS: 'artifacts',
} as const;

async function runStep(
  settings: JobSettings,
  program: string,
  variables: Readonly<Record<string, string>>,
  /** Of the job. */
  temporary: string,
): Promise<StepResult> {
  const folder = mkdtempSync(join(temporary, '_runner_file_commands_'));
  const files = Object.fromEntries(Object.entries(FILES).map(([name, file]) => [name, join(folder, file)]));
  for (const path of Object.values(files)) writeFileSync(path, '');
  const environment = { ...environmentOf(settings, temporary), ...files, ...variables, ...settings.environment };
  const child = spawn(process.execPath, [join(settings.action, program)], {
    cwd: settings.workspace,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const reader = createCommandReader();
  const process_ = await follow(child, reader.read, settings, temporary);
  return { ...process_, ...collect(files, settings.workspace, reader), log: process_.log(reader.shown) };
}

function environmentOf({ workspace, event = push, isSelfHosted = false }: JobSettings, temporary: string) {
  const eventPath = join(temporary, 'event.json');
  writeFileSync(eventPath, JSON.stringify(event.payload));
  mkdirSync(join(temporary, 'tools'), { recursive: true });
  return {
    PATH: process.env.PATH ?? '',
    HOME: temporary,
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_WORKSPACE: workspace,
    GITHUB_REPOSITORY: REPOSITORY,
    GITHUB_EVENT_NAME: event.name,
    GITHUB_EVENT_PATH: eventPath,
    GITHUB_REF: event.ref,
    GITHUB_SHA: event.sha,
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_API_URL: 'https://api.github.com',
    GITHUB_GRAPHQL_URL: 'https://api.github.com/graphql',
    GITHUB_RUN_ID: '1',
    GITHUB_RUN_ATTEMPT: '1',
    RUNNER_ENVIRONMENT: isSelfHosted ? 'self-hosted' : 'github-hosted',
    RUNNER_OS: 'Linux',
    RUNNER_TEMP: temporary,
    RUNNER_TOOL_CACHE: join(temporary, 'tools'),
  };
}

/** After SIGINT a process has 7.5 seconds, and after SIGTERM another 2.5 (ProcessInvoker.cs). */
const PATIENCE_MILLISECONDS = [7_500, 10_000] as const;

const WATCH_MILLISECONDS = 10;

async function follow(
  child: ChildProcess,
  read: (line: string) => void,
  { cancelAt, cancelWhen, patienceMilliseconds }: JobSettings,
  temporary: string,
) {
  const [terminateAfter, killAfter] = patienceMilliseconds ?? PATIENCE_MILLISECONDS;
  const begun = performance.now();
  let firstLineMilliseconds = Number.POSITIVE_INFINITY;
  let errors = '';
  const timers: NodeJS.Timeout[] = [];
  const cancel = () => {
    if (timers.length > 0) return;
    child.kill('SIGINT');
    timers.push(setTimeout(() => child.kill('SIGTERM'), terminateAfter));
    timers.push(setTimeout(() => child.kill('SIGKILL'), killAfter));
  };
  const lines = createInterface({ input: child.stdout! });
  lines.on('line', (line) => {
    firstLineMilliseconds = Math.min(firstLineMilliseconds, performance.now() - begun);
    read(line);
    if (cancelAt?.test(line)) cancel();
  });
  child.stderr!.on('data', (data) => {
    errors += String(data);
  });
  const watch = setInterval(() => {
    if (cancelWhen?.(temporary)) cancel();
  }, WATCH_MILLISECONDS);
  const closed = new Promise((resolve) => lines.on('close', resolve));
  const [exitCode, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
    child.on('close', (code, name) => resolve([code, name])),
  );
  await closed;
  clearInterval(watch);
  for (const timer of timers) clearTimeout(timer);
  const milliseconds = performance.now() - begun;
  const log = (shown: readonly string[]) => `${shown.join('\n')}\n${errors}`;
  return { exitCode, signal, firstLineMilliseconds, milliseconds, log };
}

/** What the step left in its files; a file that the runner cannot read fails the step. */
function collect(
  files: Readonly<Record<string, string>>,
  workspace: string,
  reader: ReturnType<typeof createCommandReader>,
) {
  const complaints: string[] = reader.refused.map((name) => `the command ${name} is disabled`);
  const text = (name: keyof typeof FILES) => readFileSync(files[name]!, 'utf8');
  const parsed = <Value>(parse: () => Value, otherwise: Value): Value => {
    try {
      return parse();
    } catch (error) {
      complaints.push((error as Error).message);
      return otherwise;
    }
  };
  const summary = readSummary(files.GITHUB_STEP_SUMMARY!);
  if ('complaint' in summary) complaints.push(summary.complaint);
  const outputs = { ...reader.outputs, ...parsed(() => parseNamedValues(text('GITHUB_OUTPUT')), {}) };
  complaints.push(...outputComplaints(outputs));
  if (reader.isStopped()) complaints.push('commands are still stopped at the end of the step');
  return {
    outputs,
    state: { ...reader.state, ...parsed(() => parseNamedValues(text('GITHUB_STATE')), {}) },
    environment: parsed(() => parseNamedValues(text('GITHUB_ENV')), {}),
    path: text('GITHUB_PATH'),
    summary: 'summary' in summary ? summary.summary : '',
    annotations: reader.annotations,
    artifacts: parsed(() => parseArtifacts(text('GITHUB_ARTIFACTS'), workspace), []),
    complaints,
  };
}
