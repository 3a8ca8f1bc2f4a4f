/** The action: inputs in, and outputs, annotations, a summary and an exit code out. */
import { randomUUID } from 'node:crypto';
import type { Config, GateConfig } from '../config/config.ts';
import { findConfigWarnings } from '../config/config-warnings.ts';
import { type Problem, renderProblem, UserError } from '../errors.ts';
import type { Check } from '../gate/verdict.ts';
import type { ProgressEvent } from '../progress.ts';
import { describeCheck, OUTCOME_WORD } from '../report/check-text.ts';
import type { GateReport } from '../report/gate-report.ts';
import type { ActionHost, Annotation } from './action-host.ts';
import type { Commands } from './commands.ts';
import { EXIT_CODE, exitCodeOf, renderFailure } from './failure.ts';
import type { Files } from './files.ts';
import { INTERRUPTED_EXIT_CODE, InterruptedError } from './interrupt.ts';
import { checkPaths, readConfig } from './read-config.ts';
import { fitSummary } from './step-summary.ts';
import { createLogProgress, renderLine } from './terminal-progress.ts';

export type ActionEffects = {
  readonly host: ActionHost;
  readonly files: Files;
  readonly commands: Commands;
  /** A clock in milliseconds. */
  now(): number;
};

/** The runner shows ten errors of a step (actions/runner, ExecutionContext.cs), so the tenth counts the rest. */
const MAX_ANNOTATIONS = 9;

/** Runs the gate as a workflow step. Returns the exit code and never throws. */
export async function runAction(effects: ActionEffects): Promise<number> {
  effects.host.saveState('phase', 'started');
  const exitCode = await runToExitCode(effects);
  // What was interrupted stays `started`, and the post step tells of it.
  if (exitCode !== INTERRUPTED_EXIT_CODE) effects.host.saveState('phase', 'finished');
  return exitCode;
}

async function runToExitCode(effects: ActionEffects): Promise<number> {
  try {
    const config = await readActionConfig(effects);
    await checkPaths(config, effects.files);
    return await gate(config, effects);
  } catch (error) {
    await reportFailure(error, effects.host);
    return exitCodeOf(error);
  }
}

async function readActionConfig({ host, files }: ActionEffects): Promise<Config> {
  const config = await readConfig(host.input('config') ?? 'bitgate.yml', readOverrides(host), files);
  for (const message of findConfigWarnings(config)) {
    host.annotate({ level: 'warning', title: 'bitgate', message });
  }
  return config;
}

function readOverrides(host: ActionHost) {
  const inputs = {
    model: host.input('model'),
    output: host.input('output'),
    size: host.input('size'),
    bitsPerWeight: host.input('bits-per-weight'),
    method: host.input('method'),
    reportDirectory: host.input('report-dir'),
  };
  const given = Object.fromEntries(Object.entries(inputs).filter(([, value]) => value !== undefined));
  return { ...given, workingDirectory: host.workspace, nameOption: (option: string) => `input \`${option}\`` };
}

async function gate(config: Config, { host, commands, now }: ActionEffects): Promise<number> {
  const display = createLogProgress({ write: host.write, now });
  let last: ProgressEvent | undefined;
  const reportProgress = (event: ProgressEvent) => {
    last = event;
    display.report(event);
  };
  const noteProgress = (error: unknown) => {
    if (last !== undefined) host.saveState('progress', renderLine(last, undefined));
    throw error;
  };
  const report = await withoutWorkflowCommands(host, () =>
    commands.runGate(config, reportProgress).catch(noteProgress).finally(display.finish),
  );
  await withoutWorkflowCommands(host, () => host.write(commands.renderTerminal(report, { color: false })));
  setOutputs(report, config, host);
  for (const check of report.checks) {
    if (!check.passed) host.annotate(annotateCheck(check, config.gate));
  }
  const summary = fitSummary(commands.renderSummary(report), 'summary.md in the report folder');
  host.addSummary(summary);
  return report.passed ? EXIT_CODE.passed : EXIT_CODE.gateFailed;
}

/** Names in a model are not trusted: printed at the start of a line, `::` would be a command to the runner. */
async function withoutWorkflowCommands<Result>(
  host: ActionHost,
  work: () => Result | Promise<Result>,
): Promise<Result> {
  const token = randomUUID();
  host.write(`::stop-commands::${token}\n`);
  try {
    return await work();
  } finally {
    host.write(`\n::${token}::\n`);
  }
}

function setOutputs(report: GateReport, config: Config, host: ActionHost): void {
  host.setOutput('verdict', report.verdict);
  host.setOutput('artifact-path', config.outputPath);
  host.setOutput('artifact-size-bytes', report.artifact.sizeBytes);
  host.setOutput('accuracy', report.quantized.value);
  host.setOutput('accuracy-drop', report.drop);
  host.setOutput('report-path', config.reportDirectory);
}

/** A note on the line of the config that set the limit; as loud as what the check does to the build. */
function annotateCheck(check: Check, gate: GateConfig): Annotation {
  const { outcome, limitName } = check;
  const onlyWarns = outcome === 'warn' || (outcome === 'inconclusive' && gate.inconclusive === 'warn');
  const where = limitName === undefined ? undefined : gate.locations[limitName];
  return {
    level: onlyWarns ? 'warning' : 'error',
    title: `bitgate: ${OUTCOME_WORD[outcome]}`,
    message: describeCheck(check),
    ...(where === undefined ? {} : { where }),
  };
}

async function reportFailure(error: unknown, host: ActionHost): Promise<void> {
  host.setOutput('verdict', 'error');
  await withoutWorkflowCommands(host, () => host.write(renderFailure(error)));
  if (error instanceof InterruptedError) return;
  for (const annotation of annotateFailure(error)) host.annotate(annotation);
  host.addSummary(renderFailureSummary(error));
}

function annotateFailure(error: unknown): readonly Annotation[] {
  if (!(error instanceof UserError)) {
    const message = error instanceof Error ? error.message : String(error);
    return [{ level: 'error', title: 'bitgate: internal fault, please report it', message }];
  }
  const shown = error.problems.slice(0, MAX_ANNOTATIONS).map(annotateProblem);
  const restCount = error.problems.length - shown.length;
  const rest = { level: 'error' as const, title: 'bitgate', message: `and ${restCount} more, see the log` };
  return restCount > 0 ? [...shown, rest] : shown;
}

function annotateProblem({ what, where, fix }: Problem): Annotation {
  return {
    level: 'error',
    title: 'bitgate',
    message: fix === undefined ? what : `${what}\nfix: ${fix}`,
    ...(where === undefined ? {} : { where }),
  };
}

function renderFailureSummary(error: unknown): string {
  if (!(error instanceof UserError)) return '## bitgate: internal fault\n\nSee the log, and please report it.\n';
  const problems = error.problems.map((problem) => `${fence(renderProblem(problem))}\n`).join('\n');
  return fitSummary(`## bitgate: the input cannot be used\n\n${problems}`, 'the log');
}

/** As code, so that nothing in a message is read as markdown. */
function fence(text: string): string {
  const longestRun = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const mark = '`'.repeat(longestRun + 1);
  return `${mark}text\n${text}\n${mark}`;
}
