/** The user's own metric: its command run on the float model and on artifacts, and what it says of them. */
import { basename, dirname } from 'node:path';
import type { Config, EvaluateConfig } from '../config/config.ts';
import type { Files } from '../entry/files.ts';
import type { CommandEnd, RunCommand } from '../entry/run-command.ts';
import { UserError } from '../errors.ts';
import { compareMetricResults } from '../evaluate/compare-metric-results.ts';
import type { Measurements } from '../evaluate/measurements.ts';
import { type MetricResult, readMetricLine } from '../evaluate/metric-line.ts';
import type { ReportProgress } from '../progress.ts';
import { metricText } from '../report/metric-text.ts';
import { plainText } from '../report/plain-text.ts';
import { shellLine } from '../shell-line.ts';

export type CommandEffects = {
  readonly files: Pick<Files, 'useTemporaryFile'>;
  readonly runCommand: RunCommand;
  readonly signal: AbortSignal;
  readonly reportProgress: ReportProgress;
  note(line: string): void;
};

/** What a config says of the command. */
type CommandConfig = Pick<Config, 'path' | 'gate'> & { readonly evaluate: EvaluateConfig };

/**
 * What the command says of the float model; undefined where the metric is not a command.
 *
 * @throws UserError if it fails, or says less than the gate needs
 */
export async function measureFloatByCommand(
  { evaluate, ...config }: Config,
  effects: CommandEffects,
): Promise<MetricResult | undefined> {
  if (evaluate === undefined) return undefined;
  const { modelPath: path } = config;
  const result = await measure({ ...config, evaluate }, { name: 'the float model', path }, path, effects);
  if (config.gate.confidence !== undefined && result.perSample === undefined) {
    const what = '`gate.confidence` needs the result of every sample, which the command does not print';
    const fix = 'print `correct` or `values` besides `value` (docs/metric-command.md), or remove `gate.confidence`';
    throw new UserError({ what, where: evaluate.location, fix });
  }
  return result;
}

/** A model beside the float one: in a file, or to be put into one that is gone afterwards. */
export type ComparedModel = { readonly name: string } & (
  | { readonly path: string }
  | { readonly content: Uint8Array; readonly besidePath: string }
);

/** @throws UserError if the command fails, or says of the model other things than of the float model */
export async function compareByCommand(
  float: MetricResult,
  model: ComparedModel,
  config: CommandConfig,
  effects: CommandEffects,
): Promise<Measurements> {
  const { better, location } = config.evaluate;
  const run = (path: string) => measure(config, model, path, effects);
  const result = 'path' in model ? await run(model.path) : await inTemporaryFile(model, run, effects);
  const compared = compareMetricResults(float, result, better);
  if (!('complaint' in compared)) return compared;
  const what = `the command printed for ${model.name} ${compared.complaint}`;
  throw new UserError({ what, where: location, fix: 'measure every model on the same samples' });
}

/** Named as the output, in a folder of its own beside it: a script may look at the name. */
function inTemporaryFile<Result>(
  { content, besidePath }: Extract<ComparedModel, { content: Uint8Array }>,
  use: (path: string) => Promise<Result>,
  { files }: CommandEffects,
): Promise<Result> {
  return files.useTemporaryFile(dirname(besidePath), basename(besidePath), content, use);
}

async function measure(
  { path, evaluate }: CommandConfig,
  model: ComparedModel,
  modelPath: string,
  { runCommand, signal, reportProgress, note }: CommandEffects,
): Promise<MetricResult> {
  const { command, timeLimitSeconds, better, location: where } = evaluate;
  const { name } = model;
  const activity = `running the command of evaluate on ${name}`;
  reportProgress({ activity, done: 0, total: 1, unit: 'run' });
  const end = await runCommand({ command, modelPath, folder: dirname(path), timeLimitSeconds }, signal);
  reportProgress({ activity, done: 1, total: 1, unit: 'run' });

  const byHand =
    'path' in model
      ? `run it by hand in ${dirname(path)}: ${describeCommand(command, modelPath)}`
      : 'let `bitgate run` leave a quantized model, and run it by hand on that';
  if (end.kind !== 'done') throw new UserError({ where, ...describeFailure(end, name, evaluate, byHand) });
  const { lastLine } = end;
  if (lastLine === undefined) {
    const what = `the command printed nothing on ${name}`;
    throw new UserError({ what, where, fix: `${EXPECTED}; ${byHand}` });
  }
  const result = readMetricLine(lastLine);
  if ('complaint' in result) {
    const what = `the last line that the command printed on ${name} cannot be used: ${result.complaint}: ${plainText(lastLine, 120)}`;
    throw new UserError({ what, where, fix: `${EXPECTED}; ${byHand}` });
  }
  if (result.perSample?.kind === 'correct' && better === 'lower') {
    const what = 'the command prints `correct`, of which more is better, and `evaluate.better` is lower';
    throw new UserError({ what, where, fix: 'print `values` instead, or set `evaluate.better: higher`' });
  }
  note(`the command gives ${metricText('command', result.value)} for ${name}`);
  return result;
}

const EXPECTED = 'print one line of JSON at the end, such as {"value": 0.91}, as docs/metric-command.md says';

function describeFailure(
  end: Exclude<CommandEnd, { kind: 'done' }>,
  name: string,
  { timeLimitSeconds }: EvaluateConfig,
  byHand: string,
): { readonly what: string; readonly fix: string } {
  const complaint = end.complaint.map((line) => `\n  ${plainText(line, 300)}`).join('');
  switch (end.kind) {
    case 'failed':
      return {
        what: `the command ended with ${end.reason} on ${name}${complaint === '' ? ', and said nothing' : `:${complaint}`}`,
        fix: byHand,
      };
    case 'not-started':
      return {
        what: `the command cannot be started: ${plainText(end.reason, 300)}`,
        fix: 'check the program; a path to it is relative to the folder of the config',
      };
    case 'out-of-time':
      return {
        what: `the command took longer than ${timeLimitSeconds} s on ${name}, and was ended${complaint === '' ? '' : `:${complaint}`}`,
        fix: 'raise `evaluate.time-limit`, or measure on fewer samples',
      };
    case 'too-long-a-line':
      return { what: `the command printed a line without end on ${name}, and was ended`, fix: EXPECTED };
  }
}

/** As a person would type it. */
function describeCommand(command: EvaluateConfig['command'], modelPath: string): string {
  return typeof command === 'string'
    ? `BITGATE_MODEL=${shellLine([modelPath])} ${shellLine(['sh', '-c', command])}`
    : shellLine([...command, modelPath]);
}
