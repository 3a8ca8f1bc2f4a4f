/** The action: inputs in, and outputs, annotations, a summary and an exit code out. */
import { resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { findConfigWarnings } from '../config/config-warnings.ts';
import type { ProgressEvent, ReportProgress } from '../progress.ts';
import { renderFailureSummary, reportFailure } from './action-failure.ts';
import type { ActionHost, Annotation } from './action-host.ts';
import { ACTION_WORDS, type ActionInputs, readActionInputs } from './action-inputs.ts';
import { reportOutcome } from './action-outcome.ts';
import { holdToBase } from './base-policy.ts';
import type { Commands } from './commands.ts';
import { EXIT_CODE, exitCodeOf } from './failure.ts';
import type { Files } from './files.ts';
import { refuseCommandOfFork, refuseForkOnOwnRunner } from './fork-guard.ts';
import type { ReadCommitted } from './git.ts';
import { INTERRUPTED_EXIT_CODE, InterruptedError } from './interrupt.ts';
import { checkPaths, readConfig } from './read-config.ts';
import { measureShard, planShards, readShares, SHARE_FOLDER } from './sharding.ts';
import { createLogProgress, renderLine } from './terminal-progress.ts';
import { withoutWorkflowCommands } from './workflow-commands.ts';
import type { WorkflowContext } from './workflow-context.ts';

export type ActionEffects = {
  readonly host: ActionHost;
  readonly context: WorkflowContext;
  readonly files: Files;
  readonly commands: Commands;
  readonly readCommitted: ReadCommitted;
  /** Writes to the pull request as the inputs say. Never rejects. */
  comment(inputs: ActionInputs, passed: boolean, markdown: string): Promise<void>;
  /** A clock in milliseconds. */
  now(): number;
};

/** Runs the gate as a workflow step. Returns the exit code and never throws. */
export async function runAction(effects: ActionEffects): Promise<number> {
  const { host } = effects;
  host.saveState('phase', 'started');
  const exitCode = await runWithInputs(effects).catch((error) => fail(error, host));
  // What was interrupted stays `started`, and the post step tells of it.
  if (exitCode !== INTERRUPTED_EXIT_CODE) host.saveState('phase', 'finished');
  return exitCode;
}

async function runWithInputs(effects: ActionEffects): Promise<number> {
  const inputs = readActionInputs(effects.host);
  try {
    refuseForkOnOwnRunner(effects.context, inputs.allowFork);
    const { config, notes } = await readActionConfig(inputs, effects);
    await checkPaths(config, effects.files);
    await checkCacheDirectory(config, inputs, effects.files);
    return await runMode(config, notes, inputs, effects);
  } catch (error) {
    const exitCode = await fail(error, effects.host);
    if (!(error instanceof InterruptedError)) await effects.comment(inputs, false, renderFailureSummary(error));
    return exitCode;
  }
}

async function fail(error: unknown, host: ActionHost): Promise<number> {
  await reportFailure(error, host);
  return exitCodeOf(error);
}

/** The folder of a cache is made, tidied and trusted: a config may name one only where it may write at all. */
async function checkCacheDirectory({ cache }: Config, { overrides }: ActionInputs, files: Files): Promise<void> {
  if (cache.directory === undefined || overrides.cacheDirectory !== undefined) return;
  await files.assertFolderCanBeWritten(cache.directory);
}

/** The config, held to the limits of the base where the workflow asks for it, and what is to be said of it. */
async function readActionConfig(inputs: ActionInputs, { host, context, files, readCommitted }: ActionEffects) {
  const { configPath, overrides, policyRef } = inputs;
  const own = await readConfig(configPath, overrides, files);
  refuseCommandOfFork(context, own);
  const held =
    policyRef === 'base'
      ? await holdToBase(own, configPath, context, overrides, readCommitted)
      : { config: own, notes: [] };
  refuseCommandOfFork(context, held.config);
  const warnings = findConfigWarnings(held.config).map(
    (message): Annotation => ({ level: 'warning', title: 'bitgate', message }),
  );
  for (const note of [...warnings, ...held.notes]) host.annotate(note);
  return held;
}

/** A gate, or a part of the measuring that another job's gate needs. */
async function runMode(
  config: Config,
  notes: readonly Annotation[],
  inputs: ActionInputs,
  effects: ActionEffects,
): Promise<number> {
  const { sharding } = inputs;
  const { host } = effects;
  switch (sharding.mode) {
    case 'plan': {
      const { matrix, token } = await withProgress(effects, (reportProgress) =>
        planShards(config, sharding, ACTION_WORDS, { ...effects, reportProgress }),
      );
      host.setOutput('matrix', matrix);
      host.setOutput('plan', token);
      return EXIT_CODE.passed;
    }
    case 'measure': {
      const path = await withProgress(effects, (reportProgress) =>
        measureShard(config, sharding, shareFolder(inputs, host), { ...effects, reportProgress }),
      );
      host.setOutput('share-path', path);
      return EXIT_CODE.passed;
    }
    default:
      return gate(config, notes, inputs, effects);
  }
}

function shareFolder({ sharding: { shareDirectory } }: ActionInputs, { workspace }: ActionHost): string {
  return resolve(workspace, shareDirectory ?? SHARE_FOLDER);
}

async function gate(
  config: Config,
  notes: readonly Annotation[],
  inputs: ActionInputs,
  effects: ActionEffects,
): Promise<number> {
  const { host, commands } = effects;
  const warnings = notes.map(({ message }) => message);
  const report = await withProgress(effects, async (reportProgress) => {
    const { sharding } = inputs;
    const folder = shareFolder(inputs, host);
    const shares = sharding.mode === 'decide' ? await readShares(sharding, folder, effects) : undefined;
    return commands.runGate(config, reportProgress, { warnings, ...(shares === undefined ? {} : { shares }) });
  });
  await withoutWorkflowCommands(host.write, () => host.write(commands.renderTerminal(report, { color: false })));
  const summary = commands.renderSummary(report);
  reportOutcome(report, summary, config, host);
  await effects.comment(inputs, report.passed, summary);
  return report.passed ? EXIT_CODE.passed : EXIT_CODE.gateFailed;
}

/** Does the work with its progress in the log; of work that fails, keeps how far it came. */
async function withProgress<Result>(
  { host, now }: ActionEffects,
  work: (reportProgress: ReportProgress) => Promise<Result>,
): Promise<Result> {
  const display = createLogProgress({ write: host.write, now });
  let last: ProgressEvent | undefined;
  const reportProgress = (event: ProgressEvent) => {
    last = event;
    display.report(event);
  };
  try {
    return await withoutWorkflowCommands(host.write, () => work(reportProgress).finally(display.finish));
  } catch (error) {
    if (last !== undefined) host.saveState('progress', renderLine(last, undefined));
    throw error;
  }
}
