/** The command line: arguments in, text and an exit code out. */
import { dirname, relative, resolve } from 'node:path';
import type { BudgetConfig, Config } from '../config/config.ts';
import { findConfigWarnings } from '../config/config-warnings.ts';
import type { ConfigOverrides } from '../config/overrides.ts';
import { renderStarterConfig } from '../config/starter-config.ts';
import { type Problem, UserError } from '../errors.ts';
import { readConstraints } from '../pipeline/further-limits.ts';
import { harmlessJson } from '../report/harmless-json.ts';
import { renderEvaluation } from '../report/render-evaluation.ts';
import { renderPareto } from '../report/render-pareto.ts';
import { renderSolved } from '../report/render-solved.ts';
import { BITGATE_VERSION } from '../version.ts';
import type { CacheAction } from './cache-command.ts';
import { CLI_WORDS, parseCliArguments } from './cli-arguments.ts';
import type { Commands, GateExtras } from './commands.ts';
import { EXIT_CODE, exitCodeOf, renderFailure } from './failure.ts';
import type { Files } from './files.ts';
import { checkPaths, readConfig } from './read-config.ts';
import {
  measureShard,
  planShards,
  readShares,
  SHARE_FOLDER,
  type ShardEffects,
  type ShardOptions,
} from './sharding.ts';
import type { SolveOptions } from './solve-program-file.ts';
import { createLogProgress, createTerminalProgress, type ProgressDisplay } from './terminal-progress.ts';
import { USAGE } from './usage.ts';

/** Everything the command line touches. */
export type CliIo = {
  /** Results. */
  readonly stdout: TextOutput;
  /** Progress, warnings and errors. */
  readonly stderr: TextOutput;
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly files: Files;
  readonly commands: Commands;
  /** A clock in milliseconds. */
  now(): number;
};

/** A stream as Node has it: `columns` and `isTTY` only on a terminal. */
export type TextOutput = { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number };

/** Runs one command; `argv` holds the arguments after the program's name. Returns the exit code and never throws. */
export async function main(argv: readonly string[], io: CliIo): Promise<number> {
  try {
    return await dispatch(argv, io);
  } catch (error) {
    io.stderr.write(renderFailure(error));
    return exitCodeOf(error);
  }
}

async function dispatch(argv: readonly string[], io: CliIo): Promise<number> {
  const parsed = parseCliArguments(argv);
  switch (parsed.command) {
    case 'help':
      io.stdout.write(USAGE);
      return EXIT_CODE.passed;
    case 'version':
      io.stdout.write(`${BITGATE_VERSION}\n`);
      return EXIT_CODE.passed;
    case 'init':
      return writeStarterConfig(parsed.modelPath, parsed.configPath, io);
    case 'validate':
      return validate(parsed.configPath, parsed.overrides, io);
    case 'inspect':
      return inspect(parsed.configPath, parsed.overrides, io);
    case 'solve-program':
      return solveProgram(parsed.options, io);
    case 'solve':
      return solveKept(parsed, io);
    case 'pareto':
      return pareto(parsed, io);
    case 'evaluate':
      return evaluate(parsed, io);
    case 'cache':
      return cache(parsed.action, parsed.directory, io);
    case 'run':
      return run(await readWithWarnings(parsed.configPath, parsed.overrides, io), parsed.sharding, io);
  }
}

async function run(config: Config, sharding: ShardOptions, io: CliIo): Promise<number> {
  await checkPaths(config, io.files);
  const folder = resolve(io.workingDirectory, sharding.shareDirectory ?? SHARE_FOLDER);
  switch (sharding.mode) {
    case 'plan':
      return plan(config, sharding, io);
    case 'measure': {
      const path = await withProgress(io, (display) =>
        measureShard(config, sharding, folder, shardEffects(io, display)),
      );
      io.stdout.write(`${path}\n`);
      return EXIT_CODE.passed;
    }
    case 'decide':
      return gate(config, { shares: await readShares(sharding, folder, io) }, io);
    case 'all':
      return gate(config, {}, io);
  }
}

/** The matrix alone is on stdout, for a script. */
async function plan(config: Config, sharding: ShardOptions, io: CliIo): Promise<number> {
  const { matrix, token } = await withProgress(io, (display) =>
    planShards(config, sharding, CLI_WORDS, shardEffects(io, display)),
  );
  io.stdout.write(`${matrix}\n`);
  io.stderr.write(`the plan, for --plan of the other machines: ${token}\n`);
  return EXIT_CODE.passed;
}

function shardEffects({ files, commands }: CliIo, { report: reportProgress }: ProgressDisplay): ShardEffects {
  return { files, commands, reportProgress };
}

async function gate(config: Config, extras: GateExtras, io: CliIo): Promise<number> {
  const report = await withProgress(io, ({ report }) => io.commands.runGate(config, report, extras));
  io.stdout.write(io.commands.renderTerminal(report, { color: hasColor(io) }));
  io.stdout.write(`\nreport: ${config.reportDirectory}\n`);
  return report.passed ? EXIT_CODE.passed : EXIT_CODE.gateFailed;
}

async function inspect(configPath: string, overrides: ConfigOverrides, io: CliIo): Promise<number> {
  const config = await readWithWarnings(configPath, overrides, io);
  io.stdout.write(await withProgress(io, ({ report }) => io.commands.inspect(config, report)));
  return EXIT_CODE.passed;
}

async function validate(configPath: string, overrides: ConfigOverrides, io: CliIo): Promise<number> {
  const config = await readWithWarnings(configPath, overrides, io);
  await checkPaths(config, io.files);
  await readConstraints(config.constraints, io.files);
  io.stdout.write(`${configPath} is valid\n`);
  return EXIT_CODE.passed;
}

/** The report is printed also when there is no allocation: a script reads it, a person reads why. */
async function solveProgram(options: Omit<SolveOptions, 'workingDirectory'>, io: CliIo): Promise<number> {
  const { workingDirectory } = io;
  const { report, problems } = await io.commands.solveProgram({ ...options, workingDirectory });
  io.stdout.write(`${JSON.stringify(report)}\n`);
  if (problems.length > 0) throw new UserError(problems);
  return EXIT_CODE.passed;
}

type Question = { readonly configPath: string; readonly overrides: ConfigOverrides };

/** As with a bare program, the answers are printed also when some budget has none. */
async function solveKept(question: Question & KeptQuestion, io: CliIo): Promise<number> {
  const config = await readWithWarnings(question.configPath, question.overrides, io);
  const budgets = question.budgets ?? [config.budget];
  if (budgets.some(({ kind }) => kind === 'auto')) throw new UserError(autoProblem(config));
  const { report, problems } = await withProgress(io, (display) =>
    io.commands.solveKept(config, budgets, display.report),
  );
  io.stdout.write(question.asJson ? `${harmlessJson(report, 0)}\n` : renderSolved(report));
  if (problems.length > 0) throw new UserError(problems);
  return EXIT_CODE.passed;
}

type KeptQuestion = { readonly budgets?: readonly BudgetConfig[]; readonly asJson: boolean };

function autoProblem({ gate: { locations } }: Config): Problem {
  const what = 'the budget is auto, which only measuring can answer';
  const fix = 'name a budget: --size, --bits-per-weight or --budgets';
  return { what, fix, ...(locations.size === undefined ? {} : { where: locations.size }) };
}

async function pareto(
  { configPath, overrides, budgets }: Question & Pick<KeptQuestion, 'budgets'>,
  io: CliIo,
): Promise<number> {
  const config = await readWithWarnings(configPath, overrides, io);
  await checkPaths(config, io.files);
  const report = await withProgress(io, (display) => io.commands.pareto(config, budgets, display.report));
  io.stdout.write(renderPareto(report));
  io.stdout.write(`\nreport: ${config.reportDirectory}\n`);
  return EXIT_CODE.passed;
}

type EvaluateQuestion = Question & { readonly modelPath: string; readonly asJson: boolean };

async function evaluate(question: EvaluateQuestion, io: CliIo): Promise<number> {
  const config = await readWithWarnings(question.configPath, question.overrides, io);
  const modelPath = resolve(io.workingDirectory, question.modelPath);
  const report = await withProgress(io, (display) => io.commands.evaluate(config, modelPath, display.report));
  const text = question.asJson ? `${harmlessJson(report, 0)}\n` : renderEvaluation(report, { color: hasColor(io) });
  io.stdout.write(text);
  return report.passed ? EXIT_CODE.passed : EXIT_CODE.gateFailed;
}

async function cache(action: CacheAction, directory: string | undefined, io: CliIo): Promise<number> {
  const folder = directory === undefined ? undefined : resolve(io.workingDirectory, directory);
  io.stdout.write(await io.commands.cache(action, folder));
  return EXIT_CODE.passed;
}

async function readWithWarnings(configPath: string, overrides: ConfigOverrides, io: CliIo): Promise<Config> {
  const config = await readConfig(configPath, { ...overrides, workingDirectory: io.workingDirectory }, io.files);
  for (const warning of findConfigWarnings(config)) io.stderr.write(`warning: ${warning}\n`);
  return config;
}

async function writeStarterConfig(modelPath: string, configPath: string, io: CliIo): Promise<number> {
  const absoluteModel = resolve(io.workingDirectory, modelPath);
  const absoluteConfig = resolve(io.workingDirectory, configPath);
  if ((await io.files.kindOf(absoluteConfig)) !== 'missing') {
    throw new UserError({ what: 'exists already', where: configPath, fix: 'remove it, or name another file to write' });
  }
  const facts = await io.commands.describeModel(absoluteModel);
  const text = renderStarterConfig({ ...facts, modelPath: relative(dirname(absoluteConfig), absoluteModel) });
  await io.files.writeFileAtomically(absoluteConfig, text);
  io.stdout.write(`${configPath} is written; name your data in it, then: bitgate run ${configPath}\n`);
  return EXIT_CODE.passed;
}

async function withProgress<Result>(io: CliIo, work: (display: ProgressDisplay) => Promise<Result>): Promise<Result> {
  const { columns } = io.stderr;
  const output = {
    write: (text: string) => void io.stderr.write(text),
    now: io.now,
    ...(columns === undefined ? {} : { columns }),
  };
  const display = io.stderr.isTTY ? createTerminalProgress(output) : createLogProgress(output);
  try {
    return await work(display);
  } finally {
    display.finish();
  }
}

/** See no-color.org. */
function hasColor({ stdout, environment }: CliIo): boolean {
  return stdout.isTTY === true && !environment.NO_COLOR && environment.TERM !== 'dumb';
}
