/** The config as it stands in the file, once the schema has checked it and filled in its defaults. */

/** The value of a config file that satisfies schemas/config.v1.schema.json; the schema describes every property. */
export type ConfigDocument = {
  readonly version: 1;
  readonly model: string;
  readonly output: string;
  readonly report: string;
  readonly budget?: 'auto' | { readonly size?: number | string; readonly bits?: number };
  readonly constraints: readonly ConstraintDocument[];
  readonly quantize: {
    readonly bits: readonly number[];
    readonly method: 'rtn' | 'gptq' | 'gpfq';
    readonly correct: 'none' | 'bias' | 'affine';
    readonly granularity: 'tensor' | 'channel' | { readonly block: number };
    readonly format: 'packed' | 'qdq';
    readonly activations?: { readonly bits: 8; readonly range: 'min-max' | 'percentile' | 'mse' };
    readonly pin: Readonly<Record<string, number | 'float'>>;
    readonly tie: readonly (readonly string[])[];
    readonly allocation?: string;
  };
  readonly data: {
    readonly calibration: { readonly path: string; readonly samples: number };
    readonly evaluation?: { readonly path: string; readonly samples?: number };
    readonly preprocess: {
      readonly scale: number;
      readonly mean: number | readonly number[];
      readonly std: number | readonly number[];
      readonly order: 'rgb' | 'bgr';
      readonly layout: 'nchw' | 'nhwc';
      readonly resize?: number | readonly [number, number];
      readonly crop: 'center' | 'none';
    };
  };
  readonly sensitivity: {
    readonly method: 'local' | 'diagonal' | 'block' | 'pairwise' | 'auto' | 'external';
    readonly path?: string;
    readonly 'time-limit': number | string;
    readonly loss: 'kl' | 'cross-entropy' | 'mse';
    readonly transform: 'none' | 'log1p';
    readonly psd: boolean;
  };
  readonly search: { readonly 'time-limit': number | string };
  readonly gate: {
    readonly metric: 'top1' | 'top5' | 'kl' | 'command';
    readonly output?: string;
    readonly confidence?: number;
    readonly inconclusive: 'fail' | 'warn';
    readonly warn: LimitsDocument;
  } & LimitsDocument;
  readonly evaluate?: {
    readonly command: string | readonly string[];
    readonly 'time-limit': number | string;
    readonly better: 'higher' | 'lower';
  };
  readonly seed: number;
  readonly device: 'auto' | 'cpu' | 'cuda' | 'webgpu' | 'tensorrt' | 'coreml' | 'dml';
  readonly cache: 'auto' | 'github' | 'local' | 'off';
  readonly 'cache-dir'?: string;
  readonly 'cache-verify': number;
  readonly 'memory-limit': number | string;
};

/** The rules see to it that one of the two forms is whole. */
export type ConstraintDocument =
  | { readonly bops: number | string }
  | { readonly name: string; readonly costs: string; readonly limit: number; readonly unit?: string };

export type LimitsDocument = {
  readonly min?: number;
  readonly max?: number;
  readonly 'max-drop'?: number;
  readonly 'max-size'?: number | string;
};
