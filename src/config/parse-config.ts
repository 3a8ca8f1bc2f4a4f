/** From the text of a config file to settings that are checked and complete. */
import { dirname, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Problem, type SourceLocation, UserError } from '../errors.ts';
import { parseBitOperations } from './bit-operations.ts';
import { parseByteSize } from './byte-size.ts';
import type {
  BudgetConfig,
  CacheConfig,
  Config,
  ConstraintConfig,
  DataConfig,
  EvaluateConfig,
  GateConfig,
  LimitKey,
  LimitName,
  Limits,
  PreprocessConfig,
} from './config.ts';
import type { ConfigDocument, ConstraintDocument, LimitsDocument } from './config-document.ts';
import { findRuleProblems } from './config-rules.ts';
import { parseDuration } from './duration.ts';
import { type AppliedOverrides, applyOverrides, type ConfigOverrides, listOptions, parseSize } from './overrides.ts';
import { findSchemaProblems } from './schema-problems.ts';
import { parseYaml, type YamlDocument } from './yaml-document.ts';

/**
 * Parses a config file (YAML, schemas/config.v1.schema.json) and lays `overrides` over it.
 *
 * @param text the content of the file
 * @param path the file, for messages as it is given here; relative paths in the text are relative to its folder
 * @throws UserError with every problem of the file and of the overrides at once, each with its place
 */
export function parseConfig(text: string, path: string, overrides: ConfigOverrides = {}): Config {
  const document = parseYaml(text, path);
  const absolutePath = resolve(overrides.workingDirectory ?? '.', path);
  const { applied, problems } = applyOverrides(overrides);
  const schemaProblems = findSchemaProblems(document, suppliedKeys(overrides));
  const ruleProblems = findRuleProblems(document, dirname(absolutePath), applied);
  refuse([...schemaProblems, ...ruleProblems.filter(isAwayFrom(schemaProblems)), ...problems]);
  return { ...buildConfig(document, absolutePath, applied), options: listOptions(overrides) };
}

/** The required keys of the file that an option stands in for, whether or not the option itself is well-formed. */
function suppliedKeys({ model, output, size, bitsPerWeight }: ConfigOverrides): readonly string[] {
  const options = { model, output, budget: size ?? bitsPerWeight };
  return Object.entries(options).flatMap(([key, option]) => (option === undefined ? [] : [key]));
}

function refuse(problems: readonly Problem[]): void {
  if (problems.length > 0) throw new UserError(problems.toSorted(byPlace));
}

/** Down the file; problems without a place, those of options, come last. */
function byPlace({ where: a }: Problem, { where: b }: Problem): number {
  if (typeof a !== 'object' || typeof b !== 'object')
    return Number(typeof a !== 'object') - Number(typeof b !== 'object');
  return a.line - b.line || a.column - b.column;
}

/** One complaint about a value is enough, and the schema's comes first. */
function isAwayFrom(problems: readonly Problem[]): (problem: Problem) => boolean {
  return ({ where }) => where === undefined || !problems.some((other) => isDeepStrictEqual(other.where, where));
}

function buildConfig(document: YamlDocument, path: string, applied: AppliedOverrides): Omit<Config, 'options'> {
  const settings = document.value as ConfigDocument;
  const toAbsolute = (relative: string) => resolve(dirname(path), relative);
  const { allocation } = settings.quantize;
  return {
    path,
    modelPath: applied.modelPath ?? toAbsolute(settings.model),
    outputPath: applied.outputPath ?? toAbsolute(settings.output),
    reportDirectory: applied.reportDirectory ?? toAbsolute(settings.report),
    budget: withinMaxSize(applied.budget ?? buildBudget(settings), settings),
    constraints: settings.constraints.map((constraint, index) => ({
      ...buildConstraint(constraint, toAbsolute),
      location: document.locate(['constraints', index, 'bops' in constraint ? 'bops' : 'limit']),
    })),
    quantize: {
      bitWidths: settings.quantize.bits.toSorted((a, b) => a - b),
      method: settings.quantize.method,
      correct: settings.quantize.correct,
      granularity: settings.quantize.granularity,
      format: settings.quantize.format,
      ...(settings.quantize.activations && { activations: { range: settings.quantize.activations.range } }),
      pins: buildPins(document, settings),
      ties: settings.quantize.tie,
      ...(allocation === undefined ? {} : { allocationPath: toAbsolute(allocation) }),
    },
    data: buildData(settings, toAbsolute),
    sensitivity: buildSensitivity(settings, applied, toAbsolute),
    // An allocation that is given leaves nothing to look for.
    search: { timeLimitSeconds: allocation === undefined ? buildSearchTime(settings.search['time-limit']) : 0 },
    gate: buildGate(document, settings, applied.budget === undefined),
    ...(settings.evaluate && { evaluate: buildEvaluate(document, settings.evaluate) }),
    seed: settings.seed,
    runtime: {
      device: applied.device ?? settings.device,
      ...(applied.runtimePath === undefined ? {} : { path: applied.runtimePath }),
      allowsDownload: applied.allowsDownload ?? false,
    },
    cache: buildCache(settings, applied, toAbsolute),
    memoryLimitBytes: parseByteSize(settings['memory-limit'])!,
  };
}

function buildSearchTime(limit: number | string): Config['search']['timeLimitSeconds'] {
  return limit === 'auto' ? limit : parseDuration(limit)!;
}

function buildCache(
  settings: ConfigDocument,
  applied: AppliedOverrides,
  toAbsolute: (path: string) => string,
): CacheConfig {
  const inFile = settings['cache-dir'];
  const directory = applied.cacheDirectory ?? (inFile === undefined ? undefined : toAbsolute(inFile));
  return {
    setting: applied.cacheSetting ?? settings.cache,
    ...(directory === undefined ? {} : { directory }),
    verifyCount: settings['cache-verify'],
  };
}

function buildSensitivity(
  { sensitivity }: ConfigDocument,
  applied: AppliedOverrides,
  toAbsolute: (path: string) => string,
): Config['sensitivity'] {
  const { 'time-limit': timeLimit, path, ...settings } = sensitivity;
  const method = applied.method ?? settings.method;
  const file = method === 'external' ? { path: toAbsolute(path!) } : {};
  return { ...settings, method, ...file, timeLimitSeconds: parseDuration(timeLimit)! };
}

function buildBudget({ budget }: ConfigDocument): BudgetConfig {
  if (budget === undefined) return { kind: 'none' };
  if (budget === 'auto') return { kind: 'auto' };
  const { size, bits } = budget;
  if (bits !== undefined) return { kind: 'bits-per-weight', bitsPerWeight: bits };
  return parseSize(size!)!;
}

/** What is larger than the gate allows is not looked for. */
function withinMaxSize(budget: BudgetConfig, { gate }: ConfigDocument): BudgetConfig {
  const maxSize = gate['max-size'];
  return budget.kind === 'auto' && maxSize !== undefined
    ? { ...budget, maxSizeBytes: parseByteSize(maxSize)! }
    : budget;
}

function buildConstraint(constraint: ConstraintDocument, toAbsolute: (path: string) => string): ConstraintConfig {
  if ('bops' in constraint) return { kind: 'bops', name: 'bops', bops: parseBitOperations(constraint.bops)! };
  const { name, costs, limit, unit } = constraint;
  return { kind: 'costs', name, path: toAbsolute(costs), limit, ...(unit === undefined ? {} : { unit }) };
}

/** In the order of the file: an object would put layers with number names first. */
function buildPins(document: YamlDocument, { quantize }: ConfigDocument): Config['quantize']['pins'] {
  const patterns = document.keysAt(['quantize', 'pin']);
  return patterns.map((pattern) => ({ pattern, bitWidth: quantize.pin[pattern]! }));
}

function buildData({ data }: ConfigDocument, toAbsolute: (path: string) => string): DataConfig {
  const { calibration, evaluation, preprocess } = data;
  return {
    calibration: { path: toAbsolute(calibration.path), sampleCount: calibration.samples },
    ...(evaluation && {
      evaluation: {
        path: toAbsolute(evaluation.path),
        ...(evaluation.samples === undefined ? {} : { sampleCount: evaluation.samples }),
      },
    }),
    preprocess: buildPreprocess(preprocess),
  };
}

function buildPreprocess(preprocess: ConfigDocument['data']['preprocess']): PreprocessConfig {
  return {
    scale: preprocess.scale,
    mean: [preprocess.mean].flat(),
    std: [preprocess.std].flat(),
    channelOrder: preprocess.order,
    layout: preprocess.layout,
    ...(preprocess.resize === undefined ? {} : { resize: preprocess.resize }),
    crop: preprocess.crop,
  };
}

function buildGate(document: YamlDocument, { gate, budget }: ConfigDocument, isBudgetFromFile: boolean): GateConfig {
  return {
    metric: gate.metric,
    ...(gate.output === undefined ? {} : { output: gate.output }),
    ...buildLimits(gate),
    ...(gate.confidence === undefined ? {} : { confidence: gate.confidence }),
    inconclusive: gate.inconclusive,
    warn: buildLimits(gate.warn),
    locations: {
      ...locateLimits(document, gate),
      ...(isBudgetFromFile && budget !== undefined ? { size: locateBudget(document, gate, budget) } : {}),
    },
  };
}

function buildEvaluate(document: YamlDocument, evaluate: EvaluateDocument): EvaluateConfig {
  const { command, better, 'time-limit': timeLimit } = evaluate;
  const location = document.locate(['evaluate', 'command']);
  return { command, better, timeLimitSeconds: parseDuration(timeLimit)!, location };
}

type EvaluateDocument = NonNullable<ConfigDocument['evaluate']>;

/** For `auto`, what bounds the size is the gate's own limit. */
function locateBudget(
  document: YamlDocument,
  gate: ConfigDocument['gate'],
  budget: NonNullable<ConfigDocument['budget']>,
) {
  const isAuto = budget === 'auto' || budget.size === 'auto';
  if (isAuto && gate['max-size'] !== undefined) return document.locate(['gate', 'max-size']);
  return document.locate(['budget', ...(budget === 'auto' ? [] : Object.keys(budget))]);
}

function buildLimits(limits: LimitsDocument): Limits {
  const maxSize = limits['max-size'];
  return {
    ...(limits.min === undefined ? {} : { min: limits.min }),
    ...(limits.max === undefined ? {} : { max: limits.max }),
    ...(limits['max-drop'] === undefined ? {} : { maxDrop: limits['max-drop'] }),
    ...(maxSize === undefined ? {} : { maxSizeBytes: parseByteSize(maxSize)! }),
  };
}

const LIMIT_KEYS: readonly LimitKey[] = ['min', 'max', 'max-drop', 'max-size'];

function locateLimits(document: YamlDocument, gate: ConfigDocument['gate']): GateConfig['locations'] {
  const locations: Partial<Record<LimitName, SourceLocation>> = {};
  for (const key of LIMIT_KEYS) {
    if (key in gate) locations[key] = document.locate(['gate', key]);
    if (key in gate.warn) locations[`warn.${key}`] = document.locate(['gate', 'warn', key]);
  }
  return locations;
}
