/** Reports to render: one with every field, one with as few as there can be, one whose every name means harm. */
import type { GateReport, LayerReport } from '../../src/report/gate-report.ts';

type Full = Required<Omit<GateReport, 'sensitivity' | 'selection'>> & {
  /** What was measured is from no file. */
  readonly sensitivity: Required<Omit<GateReport['sensitivity'], 'source'>>;
  readonly selection: Required<NonNullable<GateReport['selection']>>;
};

export const FULL: Full = {
  schemaVersion: 1,
  verdict: 'fail',
  passed: false,
  checks: [
    {
      name: 'artifact size',
      measured: 131_000,
      limit: 125_000,
      unit: 'bytes',
      bound: 'at-most',
      outcome: 'fail',
      passed: false,
      limitName: 'size',
    },
    {
      name: 'top1',
      measured: 0.91135,
      limit: 0.885,
      unit: 'ratio',
      bound: 'at-least',
      outcome: 'pass',
      passed: true,
      limitName: 'min',
      interval: { lower: 0.8903, upper: 0.9287, confidence: 0.95, method: 'wilson' },
    },
    {
      name: 'top1 drop',
      measured: 0.0059,
      limit: 0.01,
      unit: 'ratio',
      bound: 'at-most',
      outcome: 'inconclusive',
      passed: false,
      limitName: 'max-drop',
      interval: { lower: -0.0026, upper: 0.0154, confidence: 0.95, method: 'tango' },
      samplesToSettle: 4300,
    },
    {
      name: 'non-finite outputs',
      measured: 0,
      limit: 0,
      unit: 'samples',
      bound: 'at-most',
      outcome: 'pass',
      passed: true,
    },
    {
      name: 'top1 drop',
      measured: 0.0059,
      limit: 0.005,
      unit: 'ratio',
      bound: 'at-most',
      outcome: 'warn',
      passed: false,
      limitName: 'warn.max-drop',
      interval: { lower: -0.0026, upper: 0.0154, confidence: 0.95, method: 'tango' },
    },
  ],
  intervals: {
    quantized: { lower: 0.8903, upper: 0.9287, confidence: 0.95, method: 'wilson' },
    drop: { lower: -0.0026, upper: 0.0154, confidence: 0.95, method: 'tango' },
  },
  model: { path: '/w/models/resnet20.onnx', sizeBytes: 1_094_321, sha256: 'ab'.repeat(32) },
  artifact: {
    path: '/w/build/resnet20.quant.onnx',
    sizeBytes: 131_000,
    sha256: 'cd'.repeat(32),
    format: 'packed',
    effectiveBits: 3.4689,
  },
  budget: { limitBytes: 125_000, source: '125 KB' },
  constraints: [
    { name: 'bops', used: 4_194_304_000, limit: 5_000_000_000 },
    { name: 'latency on the phone', unit: 'ms', used: 11.25, limit: 12.5 },
  ],
  sizeSearch: {
    evaluations: 3,
    confidence: 0.995,
    steps: [
      {
        limitBytes: 290_000,
        sizeBytes: 289_512,
        effectiveBits: 8,
        value: 0.9168,
        drop: 0.0005,
        verdict: 'pass',
        passed: true,
        chosen: false,
      },
      {
        limitBytes: 132_000,
        sizeBytes: 131_000,
        effectiveBits: 3.4689,
        value: 0.91135,
        drop: 0.0059,
        verdict: 'pass',
        passed: true,
        chosen: true,
      },
      {
        limitBytes: 95_000,
        sizeBytes: 94_820,
        effectiveBits: 2.51,
        value: 0.8987,
        drop: 0.01855,
        verdict: 'inconclusive',
        passed: false,
        chosen: false,
      },
    ],
  },
  float: { metric: 'top1', value: 0.91725, samples: 846 },
  quantized: { metric: 'top1', value: 0.91135, samples: 846 },
  drop: 0.0059,
  nonFiniteCount: 0,
  klToFloat: 0.04217,
  agreement: 0.9704,
  speed: { floatSeconds: 0.0136, artifactSeconds: 0.0134, batchSize: 64 },
  quantizer: { method: 'gptq', correct: 'affine', granularity: 'channel' },
  allocation: [
    { layer: 'conv1', opType: 'Conv', weightCount: 432, bits: 8, bytes: 580 },
    { layer: 'layer1.0.conv1', opType: 'Conv', weightCount: 2304, bits: 4, bytes: 1300 },
    { layer: 'layer3.2.conv2', opType: 'Conv', weightCount: 36_864, bits: 2, bytes: 9700 },
    { layer: 'linear', opType: 'Gemm', weightCount: 640, bits: 32, bytes: 2560 },
  ],
  sensitivity: {
    method: 'pairwise',
    loss: 'kl',
    samples: 512,
    singles: 60,
    pairs: 1710,
    forwardEquivalents: 598.24,
    seconds: 112.4,
    cache: 'partial',
    cacheKey: 'sens-1f2e',
    cacheAgeSeconds: 90_000,
  },
  solver: { status: 'feasible', objective: 0.0123, bestBound: 0.0122, relativeGap: 0.0081, seconds: 0.31 },
  selection: {
    candidates: [
      { name: 'pairwise', predicted: 0.0123, measured: 0.0241, chosen: false },
      { name: 'diagonal', predicted: 0.0187, measured: 0.0262, chosen: false },
      { name: 'swap 2', predicted: 0.0131, measured: 0.0215, chosen: true },
    ],
    rankCorrelation: 0.5,
  },
  timings: { 'read the model': 0.12, 'measure sensitivities': 112.4, evaluate: 8.02 },
  environment: {
    bitgate: '0.1.0',
    onnxruntime: '1.30.0',
    executionProvider: 'cpu',
    node: '24.21.0',
    platform: 'linux-x64',
  },
  warnings: ['calibration samples look like training samples'],
  reproduce: 'bitgate run ci/bitgate.yml',
};

const { intervals, nonFiniteCount, klToFloat, agreement, speed, quantizer, selection, sizeSearch, ...rest } = FULL;

/** Without all that may be absent. */
export const SPARE: GateReport = {
  ...rest,
  verdict: 'pass',
  passed: true,
  checks: [{ ...FULL.checks[0]!, measured: 120_000, outcome: 'pass', passed: true }],
  sensitivity: { ...FULL.sensitivity, cache: 'off' },
  warnings: [],
};

/** What a pull request could call its layers and files. */
export const HOSTILE_NAMES = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</style></code></pre></details>',
  '| a | b |',
  'end\\|cell',
  '`code` **bold** _it_ ~~no~~',
  '[link](https://evil.example)',
  '![image](https://evil.example/x.png)',
  'https://evil.example www.evil.example',
  '@everyone #1',
  '# heading\n\n- item\n1. one',
  '\u001b[31mred\u001b[0m\u001b]0;title\u0007',
  '\u009b31m c1',
  '\r\n::error file=x::pwned',
  '::set-output name=verdict::pass',
  '  ::warning::x',
  '##[error]pwned',
  'right\u202eto left\u200b\ufeff',
  'line\u2028paragraph\u2029end',
  '$E=mc^2$ $(rm -rf /)',
  'half \ud800 pair',
  '&lt;b&gt; &amp;',
  '__proto__',
];

export function layersNamed(names: readonly string[]): readonly LayerReport[] {
  return names.map((layer) => ({ layer, opType: layer, weightCount: 10, bits: 4, bytes: 40 }));
}

/** Every text that can come from outside is the name. */
export function hostileReport(name: string): GateReport {
  return {
    ...FULL,
    model: { ...FULL.model, path: name },
    artifact: { ...FULL.artifact, path: name },
    budget: { limitBytes: 1, source: name },
    quantizer: { method: name, correct: name, granularity: name },
    allocation: layersNamed([name]),
    sensitivity: { ...FULL.sensitivity, method: name, loss: name, cacheKey: name },
    selection: { candidates: [{ name, predicted: 1, measured: 1, chosen: true }] },
    timings: { [name]: 1 },
    environment: { ...FULL.environment, platform: name, executionProvider: name },
    warnings: [name],
    reproduce: name,
  };
}
