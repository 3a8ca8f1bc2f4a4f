/** Settings from the command line or from an action's inputs, which come before those in the file. */
import { resolve } from 'node:path';
import type { Problem } from '../errors.ts';
import { nearestName } from '../nearest-name.ts';
import { parseByteSize, parsePercent } from './byte-size.ts';
import type { BudgetConfig, CacheSetting, DeviceChoice, SensitivityConfig } from './config.ts';

/** The options as they were typed; each absent one leaves the file's setting. */
export type ConfigOverrides = {
  /** Relative paths in options, and a relative path of the config itself, start here; the process's own when absent. */
  readonly workingDirectory?: string;
  readonly model?: string;
  readonly output?: string;
  readonly size?: string;
  readonly bitsPerWeight?: string;
  readonly method?: string;
  readonly reportDirectory?: string;
  readonly cache?: string;
  readonly cacheDirectory?: string;
  readonly device?: string;
  readonly runtimePath?: string;
  /** `true` or `false`. */
  readonly allowDownload?: string;
  /** How messages name an option: `--size` by default. */
  readonly nameOption?: (option: string) => string;
};

/** The same, checked: absolute paths and parsed values. */
export type AppliedOverrides = {
  readonly modelPath?: string;
  readonly outputPath?: string;
  readonly reportDirectory?: string;
  readonly cacheSetting?: CacheSetting;
  readonly cacheDirectory?: string;
  readonly budget?: BudgetConfig;
  readonly method?: SensitivityConfig['method'];
  readonly device?: DeviceChoice;
  readonly runtimePath?: string;
  readonly allowsDownload?: boolean;
};

const DEVICES: readonly string[] = [
  'auto',
  'cpu',
  'cuda',
  'webgpu',
  'tensorrt',
  'coreml',
  'dml',
] satisfies DeviceChoice[];

const METHODS: readonly string[] = [
  'local',
  'diagonal',
  'block',
  'pairwise',
  'auto',
  'external',
] satisfies SensitivityConfig['method'][];

const CACHE_SETTINGS: readonly string[] = ['auto', 'github', 'local', 'off'] satisfies CacheSetting[];

/** More bits than a float weight has are no budget. */
const MAX_BITS_PER_WEIGHT = 32;

/** What decides over the result; where the runtime lies and what is kept are matters of a machine. */
const REPRODUCIBLE = {
  model: 'model',
  output: 'output',
  size: 'size',
  bitsPerWeight: 'bits-per-weight',
  method: 'method',
  reportDirectory: 'report-dir',
  device: 'device',
} as const satisfies Partial<Record<keyof ConfigOverrides, string>>;

/** The options that were given, as the command line takes them. */
export function listOptions(overrides: ConfigOverrides): readonly string[] {
  return Object.entries(REPRODUCIBLE).flatMap(([key, option]) => {
    const value = overrides[key as keyof typeof REPRODUCIBLE];
    return value === undefined ? [] : [`--${option}`, value];
  });
}

/** Checks every option; those with problems are left out of the result. */
export function applyOverrides(overrides: ConfigOverrides): {
  readonly applied: AppliedOverrides;
  readonly problems: readonly Problem[];
} {
  const name = overrides.nameOption ?? ((option: string) => `--${option}`);
  const problems: Problem[] = [];
  const path = (value: string | undefined, option: string) => {
    if (value === '') problems.push({ what: `${name(option)} is empty, expected a path` });
    return value ? resolve(overrides.workingDirectory ?? '.', value) : undefined;
  };
  const keep = <Value>(parsed: Value | Problem | undefined): Value | undefined => {
    if (!isProblem(parsed)) return parsed;
    problems.push(parsed);
    return undefined;
  };
  const applied = withoutAbsent({
    modelPath: path(overrides.model, 'model'),
    outputPath: path(overrides.output, 'output'),
    reportDirectory: path(overrides.reportDirectory, 'report-dir'),
    cacheSetting: keep(parseName<CacheSetting>(overrides.cache, CACHE_SETTINGS, name('cache'))),
    cacheDirectory: path(overrides.cacheDirectory, 'cache-dir'),
    budget: keep(parseBudget(overrides, name)),
    method: keep(parseName<SensitivityConfig['method']>(overrides.method, METHODS, name('method'))),
    device: keep(parseName<DeviceChoice>(overrides.device, DEVICES, name('device'))),
    runtimePath: path(overrides.runtimePath, 'runtime-path'),
    allowsDownload: keep(parseSwitch(overrides.allowDownload, name('allow-download'))),
  });
  return { applied, problems };
}

function parseBudget(
  { size, bitsPerWeight }: ConfigOverrides,
  name: (option: string) => string,
): BudgetConfig | Problem | undefined {
  if (size !== undefined && bitsPerWeight !== undefined) {
    const what = `${name('size')} and ${name('bits-per-weight')} both set the budget, expected one of them`;
    return { what, fix: 'remove one of the two' };
  }
  if (size !== undefined) {
    const expected = 'a size such as 125000, "125 KB", "300 KiB" or "25%", or auto';
    return parseSize(size) ?? { what: `${name('size')} is "${size}", expected ${expected}` };
  }
  if (bitsPerWeight === undefined) return undefined;
  const bits = /^[0-9]*\.?[0-9]+$/.test(bitsPerWeight) ? Number(bitsPerWeight) : Number.NaN;
  if (bits > 0 && bits <= MAX_BITS_PER_WEIGHT) return { kind: 'bits-per-weight', bitsPerWeight: bits };
  const expected = `a number above 0 and at most ${MAX_BITS_PER_WEIGHT}`;
  return { what: `${name('bits-per-weight')} is "${bitsPerWeight}", expected ${expected}` };
}

/** A budget from a size as the config and `--size` take it; undefined when it is none. */
export function parseSize(size: number | string): BudgetConfig | undefined {
  if (size === 'auto') return { kind: 'auto' };
  const sizeBytes = parseByteSize(size);
  if (sizeBytes !== undefined) return { kind: 'bytes', sizeBytes };
  const ratio = parsePercent(size);
  return ratio === undefined ? undefined : { kind: 'ratio', ratio };
}

function parseName<Name extends string>(
  value: string | undefined,
  names: readonly string[],
  option: string,
): Name | Problem | undefined {
  if (value === undefined) return undefined;
  if (names.includes(value)) return value as Name;
  const near = nearestName(value, names);
  const suggestion = near === undefined ? '' : `; did you mean ${near}?`;
  return { what: `${option} is "${value}", expected one of ${names.join(', ')}${suggestion}` };
}

function parseSwitch(value: string | undefined, option: string): boolean | Problem | undefined {
  if (value === undefined) return undefined;
  if (value === 'true' || value === 'false') return value === 'true';
  return { what: `${option} is "${value}", expected true or false` };
}

function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'what' in value;
}

type Present<Fields> = { [Key in keyof Fields]?: Exclude<Fields[Key], undefined> };

function withoutAbsent<Fields extends object>(fields: Fields): Present<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<Fields>;
}
