import type { SourceLocation } from '../errors.ts';
import type { BitOperationsLimit } from './bit-operations.ts';

/** The settings of one run, checked and complete; every path is absolute. */
export type Config = {
  /** The file it came from, for messages and for "how to reproduce". */
  readonly path: string;
  /** The options that came before the file, as the command line takes them: `['--size', '125 KB']`. */
  readonly options: readonly string[];
  readonly modelPath: string;
  readonly outputPath: string;
  readonly reportDirectory: string;
  readonly budget: BudgetConfig;
  /** Further limits, each with a name of its own. */
  readonly constraints: readonly ConstraintConfig[];
  readonly quantize: QuantizeConfig;
  readonly data: DataConfig;
  readonly sensitivity: SensitivityConfig;
  /** What the choice by measurement may take; 0 for none, `auto` for what the run finds right (search-time.ts). */
  readonly search: { readonly timeLimitSeconds: number | 'auto' };
  readonly gate: GateConfig;
  /** Present where the gate's metric is `command`. */
  readonly evaluate?: EvaluateConfig;
  /** Seeds the choice of samples. */
  readonly seed: number;
  readonly runtime: RuntimeConfig;
  readonly cache: CacheConfig;
  /** What a session of the runtime may take, by estimate. */
  readonly memoryLimitBytes: number;
};

/** Where measured losses are kept. */
export type CacheConfig = {
  readonly setting: CacheSetting;
  /** Of what is kept on this machine; a default place when absent. */
  readonly directory?: string;
  /** How many kept units are measured again before the rest is believed. */
  readonly verifyCount: number;
};

/** `auto`: the Actions cache for the action, this machine for the command line, neither for releases. */
export type CacheSetting = 'auto' | 'github' | 'local' | 'off';

/** Where models run, and with which onnxruntime. */
export type RuntimeConfig = {
  readonly device: DeviceChoice;
  /** A folder that holds onnxruntime-node, or is it: the only place to look; never from the file. */
  readonly path?: string;
  /** Whether onnxruntime-node may be downloaded where no place has it; never from the file. */
  readonly allowsDownload: boolean;
};

/** The execution providers of onnxruntime that bitgate can ask for, by onnxruntime's names. */
export type ExecutionProvider = 'cpu' | 'cuda' | 'webgpu' | 'tensorrt' | 'coreml' | 'dml';

export type DeviceChoice = 'auto' | ExecutionProvider;

export type BudgetConfig =
  | { readonly kind: 'bytes'; readonly sizeBytes: number }
  /** Of the float file, in (0, 1]. */
  | { readonly kind: 'ratio'; readonly ratio: number }
  /** Mean bits per quantizable weight; the rest of the file comes on top. */
  | { readonly kind: 'bits-per-weight'; readonly bitsPerWeight: number }
  /** The smallest that passes the gate, and no larger than `gate.max-size` where that is set. */
  | { readonly kind: 'auto'; readonly maxSizeBytes?: number }
  /** Only where the allocation is given. */
  | { readonly kind: 'none' };

/** A limit that every allocation keeps beside the budget: a sum of what its layers cost. */
export type ConstraintConfig = BitOperationsConfig | CostsConfig;

export type BitOperationsConfig = NamedConfig & { readonly kind: 'bops'; readonly bops: BitOperationsLimit };

export type CostsConfig = NamedConfig & {
  readonly kind: 'costs';
  /** The table of costs, a JSON file. */
  readonly path: string;
  readonly limit: number;
  /** Of the limit and the costs; that of the table when absent. */
  readonly unit?: string;
};

type NamedConfig = {
  readonly name: string;
  /** Where it stands, for messages. */
  readonly location?: SourceLocation;
};

export type QuantizeConfig = {
  /** Offered bit-widths, ascending, each in 2…8. */
  readonly bitWidths: readonly number[];
  readonly method: QuantizeMethod;
  readonly correct: Correction;
  readonly granularity: Granularity;
  readonly format: 'packed' | 'qdq';
  /** Absent: activations stay float. */
  readonly activations?: ActivationsConfig;
  /** Layer name or glob -> one width (2…8), or float; the first match counts. */
  readonly pins: readonly { readonly pattern: string; readonly bitWidth: number | 'float' }[];
  /** Groups of layer names or globs that get one width. */
  readonly ties: readonly (readonly string[])[];
  /** Of a file with the width of every layer: then nothing is chosen. */
  readonly allocationPath?: string;
};

/** Activations in eight bits, and how their ranges are found. */
export type ActivationsConfig = { readonly range: 'min-max' | 'percentile' | 'mse' };

export type QuantizeMethod = 'rtn' | 'gptq' | 'gpfq';

/** What is fitted to a layer's quantized output, per output channel: its mean, or a scale and a shift. */
export type Correction = 'none' | 'bias' | 'affine';

/** One scale per tensor, per output channel, or per so many inputs of an output channel. */
export type Granularity = 'tensor' | 'channel' | { readonly block: number };

export type DataConfig = {
  readonly calibration: DataSourceConfig;
  /** Absent where the gate's metric is `command`, which reads its own. */
  readonly evaluation?: DataSourceConfig;
  readonly preprocess: PreprocessConfig;
};

export type DataSourceConfig = {
  readonly path: string;
  /** How many samples to take; all when absent. */
  readonly sampleCount?: number;
};

/** value = (pixel / scale − mean) / std, per channel; image folders are resized and cropped first. */
export type PreprocessConfig = {
  readonly scale: number;
  /** One number for all channels, or one per channel. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly channelOrder: 'rgb' | 'bgr';
  readonly layout: 'nchw' | 'nhwc';
  /** Length of the shorter side after resizing, or exact [height, width]; absent: straight to the model's input size. */
  readonly resize?: number | readonly [number, number];
  /** Centre crop to the model's input size after resizing. */
  readonly crop: 'center' | 'none';
};

export type SensitivityMethod = 'local' | 'diagonal' | 'block' | 'pairwise' | 'auto' | 'external';

export type SensitivityConfig = {
  readonly method: SensitivityMethod;
  /** Of the file that holds them, with the method external. */
  readonly path?: string;
  /** What `auto` may choose by the forecast. */
  readonly timeLimitSeconds: number;
  readonly loss: 'kl' | 'cross-entropy' | 'mse';
  /** φ applied to losses before pair terms are formed: log(1 + L), or none. */
  readonly transform: 'none' | 'log1p';
  /** Project G onto the positive semi-definite cone (the paper's). */
  readonly psd: boolean;
};

/** `command`: what the user's own script prints. */
export type Metric = 'top1' | 'top5' | 'kl' | 'command';

/** The user's own metric: a command that gets a model's path, and prints what it measures. */
export type EvaluateConfig = {
  /** A program with its arguments, or a line for the shell. */
  readonly command: string | readonly string[];
  /** Of one run. */
  readonly timeLimitSeconds: number;
  /** Which values are the good ones. */
  readonly better: 'higher' | 'lower';
  /** Where the command stands in the config. */
  readonly location: SourceLocation;
};

/** Limits on the artifact; what is absent limits nothing. */
export type Limits = {
  /** Least value of the artifact's metric, where more is better; a ratio for top1 and top5. */
  readonly min?: number;
  /** Largest value, for metrics where less is better, such as kl. */
  readonly max?: number;
  /** Largest loss against the float model on the same samples. */
  readonly maxDrop?: number;
  readonly maxSizeBytes?: number;
};

export type GateConfig = Limits & {
  readonly metric: Metric;
  /** The output that the metric reads; the only one that serves it when absent. */
  readonly output?: string;
  /** Level of the intervals that decide, in [0.5, 0.9999]; the measured values decide when absent. */
  readonly confidence?: number;
  /** What an inconclusive verdict counts as. */
  readonly inconclusive: 'fail' | 'warn';
  /** Limits that only warn, held against the measured values. */
  readonly warn: Limits;
  /** Where in the config each limit stands, for annotations; a limit from the command line stands nowhere. */
  readonly locations: Readonly<Partial<Record<LimitName, SourceLocation>>>;
};

/** The limits by their keys in the config; `size` is the budget, whether in bytes or in bits per weight. */
export type LimitName = 'size' | LimitKey | `warn.${LimitKey}`;

export type LimitKey = 'min' | 'max' | 'max-drop' | 'max-size';
