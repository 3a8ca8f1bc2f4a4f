/** The command line as a value: which command, on what, with which options. */
import { parseArgs } from 'node:util';
import { parseBudgetList } from '../config/budget-list.ts';
import type { BudgetConfig } from '../config/config.ts';
import type { ConfigOverrides } from '../config/overrides.ts';
import { type Problem, UserError } from '../errors.ts';
import { nearestName } from '../nearest-name.ts';
import { CACHE_ACTIONS, type CacheAction } from './cache-command.ts';
import { checkShardOptions, type FaceWords, MODES, type ShardOptions } from './sharding.ts';
import type { SolveOptions } from './solve-program-file.ts';

export type CliArguments =
  | { readonly command: 'help' | 'version' }
  | { readonly command: 'inspect' | 'validate'; readonly configPath: string; readonly overrides: ConfigOverrides }
  | {
      readonly command: 'run';
      readonly configPath: string;
      readonly overrides: ConfigOverrides;
      readonly sharding: ShardOptions;
    }
  | { readonly command: 'init'; readonly modelPath: string; readonly configPath: string }
  | {
      readonly command: 'evaluate';
      readonly modelPath: string;
      readonly configPath: string;
      readonly overrides: ConfigOverrides;
      readonly asJson: boolean;
    }
  | { readonly command: 'cache'; readonly action: CacheAction; readonly directory?: string }
  | { readonly command: 'solve-program'; readonly options: Omit<SolveOptions, 'workingDirectory'> }
  | {
      readonly command: 'solve';
      readonly configPath: string;
      readonly overrides: ConfigOverrides;
      /** The config's own budget when absent. */
      readonly budgets?: readonly BudgetConfig[];
      readonly asJson: boolean;
    }
  | {
      readonly command: 'pareto';
      readonly configPath: string;
      readonly overrides: ConfigOverrides;
      /** Spread over what the offered widths allow when absent. */
      readonly budgets?: readonly BudgetConfig[];
    };

export const DEFAULT_CONFIG = 'bitgate.yml';

const OVERRIDES = {
  model: 'model',
  output: 'output',
  size: 'size',
  'bits-per-weight': 'bitsPerWeight',
  method: 'method',
  'report-dir': 'reportDirectory',
  cache: 'cache',
  'cache-dir': 'cacheDirectory',
  device: 'device',
  'runtime-path': 'runtimePath',
} as const satisfies Readonly<Record<string, keyof ConfigOverrides>>;

/** Options without a value. */
const SWITCHES = { 'allow-download': 'allowDownload' } as const satisfies Readonly<
  Record<string, keyof ConfigOverrides>
>;

/** Options of `run` for a measurement on several machines, and what they are to it. */
const SHARD_OPTIONS = {
  mode: 'mode',
  shards: 'shards',
  shard: 'shard',
  plan: 'plan',
  'share-dir': 'shareDirectory',
} as const satisfies Readonly<Record<string, keyof ShardOptions>>;

/** Options that `solve` takes, and what they are to it. */
const SOLVE_OPTIONS = {
  program: 'program',
  size: 'size',
  'bits-per-weight': 'bitsPerWeight',
  'time-limit': 'timeLimit',
  gap: 'gap',
} as const satisfies Readonly<Record<string, keyof SolveOptions>>;

const COMMANDS = ['run', 'inspect', 'validate', 'init', 'evaluate', 'cache', 'solve', 'pareto'] as const;

const BUDGETS_OPTION = { budgets: 'budgets' };
const JSON_SWITCH = { json: 'json' };

const WITH_VALUES: Readonly<Record<string, string>> = {
  ...OVERRIDES,
  ...SHARD_OPTIONS,
  ...SOLVE_OPTIONS,
  ...BUDGETS_OPTION,
};

const OPTIONS = {
  ...Object.fromEntries(Object.keys(WITH_VALUES).map((name) => [name, { type: 'string' as const }])),
  ...Object.fromEntries(
    Object.keys({ ...SWITCHES, ...JSON_SWITCH }).map((name) => [name, { type: 'boolean' as const }]),
  ),
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const;

/**
 * Parses the arguments after the program's name.
 *
 * @throws UserError with every unknown command or option, missing value and superfluous argument at once
 */
export function parseCliArguments(argv: readonly string[]): CliArguments {
  // Its strict mode stops at the first problem and suggests nothing.
  const { positionals, tokens } = parseArgs({
    args: [...argv],
    options: OPTIONS,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const options = tokens.filter((token) => token.kind === 'option');
  const problems = findOptionProblems(options);
  if (problems.length > 0) throw new UserError(problems);
  if (options.some(({ name }) => name === 'help') || argv.length === 0) return { command: 'help' };
  if (options.some(({ name }) => name === 'version')) return { command: 'version' };
  const [command, ...rest] = positionals;
  return parseCommand(command, rest, options);
}

type OptionToken = {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
};

function findOptionProblems(options: readonly OptionToken[]): readonly Problem[] {
  return options.flatMap((option, index) => {
    const what = describeOptionProblem(option, options.slice(0, index));
    return what === undefined ? [] : [{ what, fix: 'see `bitgate --help`' }];
  });
}

function describeOptionProblem(
  { name, rawName, value, inlineValue }: OptionToken,
  before: readonly OptionToken[],
): string | undefined {
  if (!Object.hasOwn(OPTIONS, name)) {
    const near = nearestName(name, Object.keys(OPTIONS));
    return `unknown option ${rawName}${near === undefined ? '' : `; did you mean --${near}?`}`;
  }
  if (before.some((other) => other.name === name)) return `${rawName} is given twice`;
  const takesValue = Object.hasOwn(WITH_VALUES, name);
  if (!takesValue) return value === undefined ? undefined : `${rawName} takes no value`;
  if (value === undefined) return `${rawName} needs a value`;
  return inlineValue || !value.startsWith('--') ? undefined : `${rawName} needs a value, found ${value}`;
}

function parseCommand(
  command: string | undefined,
  operands: readonly string[],
  options: readonly OptionToken[],
): CliArguments {
  switch (command) {
    case 'run':
      return parseRun(operands, options);
    case 'inspect':
    case 'validate':
      refuseMoreThan(1, command, operands);
      refuseForeign(command, options, { ...OVERRIDES, ...SWITCHES });
      return { command, configPath: operands[0] ?? DEFAULT_CONFIG, overrides: toOverrides(options) };
    case 'init':
      return parseInit(operands, options);
    case 'evaluate':
      return parseEvaluate(operands, options);
    case 'cache':
      return parseCache(operands, options);
    case 'solve':
      return parseSolve(operands, options);
    case 'pareto':
      refuseMoreThan(1, command, operands);
      refuseForeign(command, options, { ...OVERRIDES, ...SWITCHES, ...BUDGETS_OPTION });
      return { command, ...parseQuestion(operands, options) };
    default:
      throw unknownCommand(command);
  }
}

export const CLI_WORDS: FaceWords = { name: (option) => `--${option}`, help: 'see `bitgate --help`' };

function parseRun(operands: readonly string[], options: readonly OptionToken[]): CliArguments {
  refuseMoreThan(1, 'run', operands);
  refuseForeign('run', options, { ...OVERRIDES, ...SWITCHES, ...SHARD_OPTIONS });
  const isSharding = ({ name }: OptionToken) => Object.hasOwn(SHARD_OPTIONS, name);
  const given = valuesOf(options.filter(isSharding), SHARD_OPTIONS);
  // Who names a shard wants it measured.
  const sharding = { ...given, mode: parseMode(given.mode ?? (given.shard === undefined ? 'all' : 'measure')) };
  checkShardOptions(sharding, CLI_WORDS);
  const overrides = toOverrides(options.filter((option) => !isSharding(option)));
  return { command: 'run', configPath: operands[0] ?? DEFAULT_CONFIG, overrides, sharding };
}

function parseMode(text: string): ShardOptions['mode'] {
  const mode = MODES.find((known) => known === text);
  if (mode !== undefined) return mode;
  const near = nearestName(text, MODES);
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  throw new UserError({ what: `--mode is "${text}", expected one of ${MODES.join(', ')}${hint}` });
}

function parseInit(operands: readonly string[], options: readonly OptionToken[]): CliArguments {
  const [modelPath, configPath = DEFAULT_CONFIG] = operands;
  if (modelPath === undefined) {
    throw new UserError({ what: 'init needs a model', fix: 'bitgate init <model.onnx> [bitgate.yml]' });
  }
  refuseMoreThan(2, 'init', operands);
  const [option] = options;
  if (option)
    throw new UserError({ what: `${option.rawName} does not apply to init`, fix: 'edit the config afterwards' });
  return { command: 'init', modelPath, configPath };
}

/** Of what comes before the config, what decides over a model that is there already. */
const EVALUATE_OPTIONS = {
  model: OVERRIDES.model,
  size: OVERRIDES.size,
  device: OVERRIDES.device,
  'runtime-path': OVERRIDES['runtime-path'],
  ...SWITCHES,
};

function parseEvaluate(operands: readonly string[], options: readonly OptionToken[]): CliArguments {
  const [modelPath, configPath = DEFAULT_CONFIG] = operands;
  if (modelPath === undefined) {
    throw new UserError({ what: 'evaluate needs a model', fix: 'bitgate evaluate <model.onnx> [bitgate.yml]' });
  }
  refuseMoreThan(2, 'evaluate', operands);
  refuseForeign('evaluate', options, { ...EVALUATE_OPTIONS, ...JSON_SWITCH });
  const overrides = toOverrides(options.filter(({ name }) => Object.hasOwn(EVALUATE_OPTIONS, name)));
  return { command: 'evaluate', modelPath, configPath, overrides, asJson: hasJson(options) };
}

function hasJson(options: readonly OptionToken[]): boolean {
  return options.some(({ name }) => name === 'json');
}

function parseSolve(operands: readonly string[], options: readonly OptionToken[]): CliArguments {
  if (options.some(({ name }) => name === 'program')) {
    refuseMoreThan(0, 'solve --program', operands);
    refuseForeign('solve --program', options, SOLVE_OPTIONS);
    return { command: 'solve-program', options: valuesOf(options, SOLVE_OPTIONS) };
  }
  refuseMoreThan(1, 'solve', operands);
  refuseForeign('solve without --program', options, { ...OVERRIDES, ...SWITCHES, ...BUDGETS_OPTION, ...JSON_SWITCH });
  const both = options.find(({ name }) => name === 'size' || name === 'bits-per-weight');
  if (both !== undefined && options.some(({ name }) => name === 'budgets')) {
    const what = `${both.rawName} and --budgets both name budgets, expected one of them`;
    throw new UserError({ what, fix: 'put all of them into --budgets' });
  }
  return { command: 'solve', ...parseQuestion(operands, options), asJson: hasJson(options) };
}

/** A config, what comes before it, and the budgets that are asked about. */
function parseQuestion(operands: readonly string[], options: readonly OptionToken[]) {
  const { budgets } = valuesOf(
    options.filter(({ name }) => name === 'budgets'),
    BUDGETS_OPTION,
  );
  const isOverride = ({ name }: OptionToken) => Object.hasOwn({ ...OVERRIDES, ...SWITCHES }, name);
  return {
    configPath: operands[0] ?? DEFAULT_CONFIG,
    overrides: toOverrides(options.filter(isOverride)),
    ...(budgets === undefined ? {} : { budgets: parseBudgetList(budgets) }),
  };
}

function parseCache(operands: readonly string[], options: readonly OptionToken[]): CliArguments {
  const action = CACHE_ACTIONS.find((known) => known === operands[0]);
  if (action === undefined) {
    const found = operands[0] === undefined ? '' : `, found ${operands[0]}`;
    throw new UserError({ what: `cache needs ${CACHE_ACTIONS.join(' or ')}${found}`, fix: 'see `bitgate --help`' });
  }
  refuseMoreThan(1, `cache ${action}`, operands);
  const own = { 'cache-dir': 'directory' };
  refuseForeign(`cache ${action}`, options, own);
  return { command: 'cache', action, ...valuesOf(options, own) };
}

function refuseMoreThan(count: number, command: string, operands: readonly string[]): void {
  const superfluous = operands[count];
  if (superfluous === undefined) return;
  throw new UserError({
    what: `${command} takes no further argument, found ${superfluous}`,
    fix: 'see `bitgate --help`',
  });
}

function unknownCommand(command: string | undefined): UserError {
  if (command === undefined) {
    return new UserError({
      what: `no command given, expected one of ${COMMANDS.join(', ')}`,
      fix: 'see `bitgate --help`',
    });
  }
  const near = nearestName(command, COMMANDS);
  const hint = near === undefined ? `, expected one of ${COMMANDS.join(', ')}` : `; did you mean ${near}?`;
  return new UserError({ what: `unknown command ${command}${hint}`, fix: 'see `bitgate --help`' });
}

/** Options of another command. */
function refuseForeign(command: string, options: readonly OptionToken[], own: Readonly<Record<string, string>>): void {
  const foreign = options.filter(({ name }) => !Object.hasOwn(own, name));
  if (foreign.length === 0) return;
  const fix = 'see `bitgate --help`';
  throw new UserError(foreign.map(({ rawName }) => ({ what: `${rawName} does not apply to ${command}`, fix })));
}

function toOverrides(options: readonly OptionToken[]): ConfigOverrides {
  return valuesOf(options, { ...OVERRIDES, ...SWITCHES });
}

/** A switch has no value, and means true. */
function valuesOf(options: readonly OptionToken[], keys: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(options.map(({ name, value = 'true' }) => [keys[name]!, value]));
}
