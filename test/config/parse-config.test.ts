import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { UserError } from '../../src/errors.ts';

const MINIMAL = `version: 1
model: models/m.onnx
output: ../build/m.quant.onnx
budget: { size: 125 KB }
data:
  calibration: { path: data/c.npz }
  evaluation: { path: /data/t.npz }
`;

const FULL = `version: 1
model: m.onnx
output: q.onnx
report: out/report
budget: { bits: 3.0 }
quantize:
  bits: [8, 2, 4]
  method: gpfq
  correct: bias
  granularity: { block: 32 }
  format: packed
  tie: [[a, "b*"]]
  pin: { "10": 8, "2": float, "head.*": 4 }
data:
  calibration: { path: c, samples: 64 }
  evaluation: { path: t, samples: 100 }
  preprocess:
    { scale: 255, mean: [0.1, 0.2, 0.3], std: [1, 2, 3], order: bgr, layout: nhwc, resize: [240, 320], crop: none }
sensitivity: { method: diagonal, time-limit: 1.5h, loss: cross-entropy, transform: log1p, psd: false }
search: { time-limit: 30 }
gate:
  metric: top5
  min: 0.9
  max-drop: 0.01
  max-size: 130 KiB
  output: scores
  confidence: 0.95
  inconclusive: warn
  warn: { min: 0.92, max-drop: 0.005, max-size: 120 KiB }
seed: 7
device: webgpu
cache: local
cache-dir: ../kept
cache-verify: 3
memory-limit: 512 MiB
constraints:
  - { name: latency, costs: ../latency.json, limit: 12.5, unit: ms }
  - bops: 12.5%
`;

function parse(text: string): Config {
  return parseConfig(text, '/repo/ci/bitgate.yml');
}

function errorOf(text: string, overrides: Parameters<typeof parseConfig>[2] = {}): UserError {
  try {
    parseConfig(text, 'bitgate.yml', overrides);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return error as UserError;
  }
  throw new Error('nothing was thrown');
}

function messagesOf(text: string): readonly string[] {
  return errorOf(text).message.split('\n');
}

describe('parseConfig', () => {
  it('parseConfig: a minimal file gets the defaults of the schema, and absolute paths', () => {
    expect(parse(MINIMAL)).toEqual({
      path: '/repo/ci/bitgate.yml',
      options: [],
      modelPath: '/repo/ci/models/m.onnx',
      outputPath: '/repo/build/m.quant.onnx',
      reportDirectory: '/repo/ci/bitgate-report',
      budget: { kind: 'bytes', sizeBytes: 125_000 },
      constraints: [],
      quantize: {
        bitWidths: [2, 4, 8],
        method: 'gptq',
        correct: 'affine',
        granularity: 'channel',
        format: 'packed',
        pins: [],
        ties: [],
      },
      data: {
        calibration: { path: '/repo/ci/data/c.npz', sampleCount: 512 },
        evaluation: { path: '/data/t.npz' },
        preprocess: { scale: 1, mean: [0], std: [1], channelOrder: 'rgb', layout: 'nchw', crop: 'center' },
      },
      sensitivity: { method: 'auto', loss: 'kl', transform: 'none', psd: true, timeLimitSeconds: 600 },
      search: { timeLimitSeconds: 'auto' },
      gate: {
        metric: 'top1',
        inconclusive: 'fail',
        warn: {},
        locations: { size: { file: '/repo/ci/bitgate.yml', line: 4, column: 17, endLine: 4, endColumn: 23 } },
      },
      seed: 0,
      runtime: { device: 'auto', allowsDownload: false },
      cache: { setting: 'auto', verifyCount: 0 },
      memoryLimitBytes: 2e9,
    });
  });

  it('parseConfig: every setting of a full file arrives, widths ascending and pins in their order', () => {
    const place = { file: '/repo/ci/bitgate.yml' };
    expect(parse(FULL)).toEqual({
      path: '/repo/ci/bitgate.yml',
      options: [],
      modelPath: '/repo/ci/m.onnx',
      outputPath: '/repo/ci/q.onnx',
      reportDirectory: '/repo/ci/out/report',
      budget: { kind: 'bits-per-weight', bitsPerWeight: 3 },
      constraints: [
        {
          kind: 'costs',
          name: 'latency',
          path: '/repo/latency.json',
          limit: 12.5,
          unit: 'ms',
          location: { ...place, line: 37, column: 53, endLine: 37, endColumn: 57 },
        },
        {
          kind: 'bops',
          name: 'bops',
          bops: { kind: 'ratio', ratio: 0.125 },
          location: { ...place, line: 38, column: 11, endLine: 38, endColumn: 16 },
        },
      ],
      quantize: {
        bitWidths: [2, 4, 8],
        method: 'gpfq',
        correct: 'bias',
        granularity: { block: 32 },
        format: 'packed',
        pins: [
          { pattern: '10', bitWidth: 8 },
          { pattern: '2', bitWidth: 'float' },
          { pattern: 'head.*', bitWidth: 4 },
        ],
        ties: [['a', 'b*']],
      },
      data: {
        calibration: { path: '/repo/ci/c', sampleCount: 64 },
        evaluation: { path: '/repo/ci/t', sampleCount: 100 },
        preprocess: {
          scale: 255,
          mean: [0.1, 0.2, 0.3],
          std: [1, 2, 3],
          channelOrder: 'bgr',
          layout: 'nhwc',
          resize: [240, 320],
          crop: 'none',
        },
      },
      sensitivity: {
        method: 'diagonal',
        loss: 'cross-entropy',
        transform: 'log1p',
        psd: false,
        timeLimitSeconds: 5400,
      },
      search: { timeLimitSeconds: 30 },
      gate: {
        metric: 'top5',
        min: 0.9,
        maxDrop: 0.01,
        maxSizeBytes: 133_120,
        output: 'scores',
        confidence: 0.95,
        inconclusive: 'warn',
        warn: { min: 0.92, maxDrop: 0.005, maxSizeBytes: 122_880 },
        locations: {
          size: { ...place, line: 5, column: 17, endLine: 5, endColumn: 20 },
          min: { ...place, line: 23, column: 8, endLine: 23, endColumn: 11 },
          'max-drop': { ...place, line: 24, column: 13, endLine: 24, endColumn: 17 },
          'max-size': { ...place, line: 25, column: 13, endLine: 25, endColumn: 20 },
          'warn.min': { ...place, line: 29, column: 16, endLine: 29, endColumn: 20 },
          'warn.max-drop': { ...place, line: 29, column: 32, endLine: 29, endColumn: 37 },
          'warn.max-size': { ...place, line: 29, column: 49, endLine: 29, endColumn: 56 },
        },
      },
      seed: 7,
      runtime: { device: 'webgpu', allowsDownload: false },
      cache: { setting: 'local', directory: '/repo/kept', verifyCount: 3 },
      memoryLimitBytes: 536_870_912,
    });
  });

  it.each([
    ['125000', { kind: 'bytes', sizeBytes: 125_000 }],
    ['1.2 MB', { kind: 'bytes', sizeBytes: 1_200_000 }],
    ['"25%"', { kind: 'ratio', ratio: 0.25 }],
  ])('parseConfig: a budget of %s', (size, budget) => {
    expect(parse(MINIMAL.replace('125 KB', size)).budget).toEqual(budget);
  });

  it('parseConfig: a pin map behind an alias keeps its pins', () => {
    const text = MINIMAL.replace('version: 1', 'version: 1\nquantize: { pin: &p { a: 8 } }');
    expect(parse(text).quantize.pins).toEqual([{ pattern: 'a', bitWidth: 8 }]);
  });

  it('parseConfig: one resize length means the shorter side', () => {
    const text = MINIMAL.replace('data:', 'data:\n  preprocess: { resize: 256 }');
    expect(parse(text).data.preprocess).toMatchObject({ resize: 256, crop: 'center' });
  });

  it('parseConfig: the same text gives the same settings twice', () => {
    expect(parse(FULL)).toEqual(parse(FULL));
  });
});

describe('parseConfig, errors', () => {
  it.each([
    [
      '',
      'bitgate.yml:1:1: the config is empty, expected a map with the keys version, model, output, report, budget, constraints, quantize, data, sensitivity, search, gate, evaluate, seed, device, cache, cache-dir, cache-verify, memory-limit',
    ],
    [
      '- a\n',
      'bitgate.yml:1:1: the config is a list of 1, expected a map with the keys version, model, output, report, budget, constraints, quantize, data, sensitivity, search, gate, evaluate, seed, device, cache, cache-dir, cache-verify, memory-limit',
    ],
  ])('parseConfig: %j is not a map of settings', (text, message) => {
    expect(errorOf(text).message).toBe(message);
  });

  it('parseConfig: every problem is reported at once, in the order of the lines', () => {
    const text = `version: 2
modle: m.onnx
quantise: {}
budget: {}
size: 3 KB
foo: 1
data:
  calibration: { path: 3, sample: 4 }
`;
    expect(messagesOf(text)).toEqual([
      'bitgate.yml:1:1: `output` is missing, expected a text that is not empty',
      '  fix: add `output`: The quantized ONNX file to write. Folders on the way are made.',
      'bitgate.yml:1:10: `version` is 2, expected 1',
      'bitgate.yml:2:1: unknown key `modle`; did you mean `model`?',
      'bitgate.yml:3:1: unknown key `quantise`; did you mean `quantize`?',
      'bitgate.yml:4:1: `budget` is empty, expected either size or bits',
      'bitgate.yml:5:1: unknown key `size` at the top',
      '  fix: it belongs in `budget`',
      'bitgate.yml:6:1: unknown key `foo` at the top',
      '  fix: allowed keys: version, model, output, report, budget, constraints, quantize, data, sensitivity, search, gate, evaluate, seed, device, cache, cache-dir, cache-verify, memory-limit',
      'bitgate.yml:7:1: `data.evaluation` is missing, expected the samples that top1 is measured on',
      '  fix: add `evaluation: { path: … }`',
      'bitgate.yml:8:24: `data.calibration.path` is 3, expected a text that is not empty',
      'bitgate.yml:8:27: unknown key `sample`; did you mean `samples`?',
    ]);
  });

  it.each([
    ['quantize: { bits: [2, 9] }', '8:23', '`quantize.bits[1]` is 9, expected a whole number from 2 to 8'],
    ['quantize: { bits: [2.5] }', '8:20', '`quantize.bits[0]` is 2.5, expected a whole number from 2 to 8'],
    [
      'quantize: { bits: [4, 2, 4] }',
      '8:26',
      '`quantize.bits` has 4 twice, expected no repetition\n  fix: remove one of them',
    ],
    [
      'quantize: { bits: [] }',
      '8:19',
      '`quantize.bits` is an empty list, expected a list that is not empty, each item a whole number from 2 to 8',
    ],
    ['quantize: { bitz: [2] }', '8:13', 'unknown key `bitz`; did you mean `bits`?'],
    [
      'quantize: { method: gpta }',
      '8:21',
      '`quantize.method` is "gpta", expected one of rtn, gptq, gpfq; did you mean gptq?',
    ],
    ['quantize: { format: qdk }', '8:21', '`quantize.format` is "qdk", expected one of packed, qdq; did you mean qdq?'],
    [
      'quantize: { bits: [8], activations: { bits: 8 } }',
      '8:24',
      '`quantize.activations` needs the format qdq\n  fix: set `quantize.format: qdq`',
    ],
    [
      'quantize: { format: qdq, bits: [4, 8], activations: {} }',
      '8:40',
      '`quantize.activations` needs weights of 8 bits\n  fix: set `quantize.bits: [8]`',
    ],
    [
      'quantize: { pin: { "/a/b": 9 } }',
      '8:28',
      '`quantize.pin["/a/b"]` is 9, expected one of 2, 3, 4, 5, 6, 7, 8, float',
    ],
    [
      'quantize: { pin: { a: flaot } }',
      '8:23',
      '`quantize.pin.a` is "flaot", expected one of 2, 3, 4, 5, 6, 7, 8, float; did you mean float?',
    ],
    [
      'quantize: { pin: 3 }',
      '8:18',
      '`quantize.pin` is 3, expected a map from names to one of 2, 3, 4, 5, 6, 7, 8, float',
    ],
    [
      'sensitivity: { time-limit: 5 days }',
      '8:28',
      '`sensitivity.time-limit` is "5 days", expected a time such as 90 (seconds), "90s", "10m" or "2h"',
    ],
    [
      'search: { time-limit: -1 }',
      '8:23',
      '`search.time-limit` is -1, expected auto, or a time such as 90 (seconds), "90s", "10m" or "2h"',
    ],
    [
      'sensitivity: { method: external }',
      '8:24',
      'the method external reads sensitivities from a file, and `sensitivity.path` names none\n  fix: set `sensitivity.path`, or name a method that measures',
    ],
    [
      'sensitivity: { path: s.json }',
      '8:16',
      '`sensitivity.path` is read only with the method external\n  fix: set `sensitivity.method: external`, or remove the path',
    ],
    [
      'sensitivity: { method: pairwize }',
      '8:24',
      '`sensitivity.method` is "pairwize", expected one of local, diagonal, block, pairwise, auto, external; did you mean pairwise?',
    ],
    ['sensitivity: { psd: yes }', '8:21', '`sensitivity.psd` is "yes", expected true or false'],
    [
      'sensitivity:',
      '8:1',
      '`sensitivity` is empty, expected a map with the keys method, path, time-limit, loss, transform, psd',
    ],
    ['gate: { min: 90 }', '8:14', '`gate.min` is 90, expected a share from 0 to 1 (0.9 is 90 %)'],
    [
      'gate: { min: 90% }',
      '8:14',
      '`gate.min` is "90%", expected a share from 0 to 1 (0.9 is 90 %), or any number for a command',
    ],
    [
      'gate: { min: .nan }',
      '8:14',
      '`gate.min` is NaN, expected a share from 0 to 1 (0.9 is 90 %), or any number for a command',
    ],
    ['gate: { warn: { min: -1 } }', '8:22', '`gate.warn.min` is -1, expected a share from 0 to 1 (0.9 is 90 %)'],
    ['gate: { metric: kl, max: .inf }', '8:26', '`gate.max` is Infinity, expected a number'],
    ['gate: { metric: kl, max: -1 }', '8:26', '`gate.max` is -1, expected a number, at least 0'],
    [
      'gate: { max: 0.1 }',
      '8:9',
      '`gate.max` does not fit the metric top1, where more is better\n  fix: use `min` or `max-drop`',
    ],
    [
      'gate: { metric: kl, min: 0.9 }',
      '8:21',
      '`gate.min` does not fit the metric kl, where less is better\n  fix: use `max`',
    ],
    [
      'gate: { metric: top5, max-drop: 5 }',
      '8:33',
      '`gate.max-drop` is 5, expected a share from 0 to 1 for top5\n  fix: one percentage point is 0.01',
    ],
    ['gate: { max-drop: -0.1 }', '8:19', '`gate.max-drop` is -0.1, expected a number, at least 0'],
    [
      'gate: { max-size: 12 kilo }',
      '8:19',
      '`gate.max-size` is "12 kilo", expected a size such as 125000 (bytes), "125 KB" or "300 KiB"',
    ],
    ['gate: { max-size: 0 KB }', '8:19', '`gate.max-size` is "0 KB", expected at least 1 byte'],
    [
      'gate: { max-size: 25% }',
      '8:19',
      '`gate.max-size` is "25%", expected a size such as 125000 (bytes), "125 KB" or "300 KiB"',
    ],
    ['gate: { confidense: 0.95 }', '8:9', 'unknown key `confidense`; did you mean `confidence`?'],
    [
      'gate: { retries: 2 }',
      '8:9',
      'unknown key `retries` in `gate`\n  fix: allowed keys: metric, output, min, max, max-drop, max-size, confidence, inconclusive, warn',
    ],
    [
      'gate: { confidence: 95 }',
      '8:21',
      '`gate.confidence` is 95, expected a confidence level from 0.5 to 0.9999 (0.95 is 95 %)',
    ],
    [
      'gate: { confidence: 1 }',
      '8:21',
      '`gate.confidence` is 1, expected a confidence level from 0.5 to 0.9999 (0.95 is 95 %)',
    ],
    ['gate: { inconclusive: pass }', '8:23', '`gate.inconclusive` is "pass", expected one of fail, warn'],
    ['gate: { warn: 0.9 }', '8:15', '`gate.warn` is 0.9, expected a map with the keys min, max, max-drop, max-size'],
    [
      'gate: { warn: { max: 0.1 } }',
      '8:17',
      '`gate.warn.max` does not fit the metric top1, where more is better\n  fix: use `min` or `max-drop`',
    ],
    [
      'gate: { metric: kl, warn: { min: 0.9 } }',
      '8:29',
      '`gate.warn.min` does not fit the metric kl, where less is better\n  fix: use `max`',
    ],
    [
      'gate: { warn: { max-drop: 5 } }',
      '8:27',
      '`gate.warn.max-drop` is 5, expected a share from 0 to 1 for top1\n  fix: one percentage point is 0.01',
    ],
    [
      'gate: { min: 0.9, warn: { min: 0.9 } }',
      '8:32',
      '`gate.warn.min` is no stricter than `gate.min`, so it would never warn\n  fix: set it above `gate.min`, or remove it',
    ],
    [
      'gate: { max-drop: 0.01, warn: { max-drop: 0.02 } }',
      '8:43',
      '`gate.warn.max-drop` is no stricter than `gate.max-drop`, so it would never warn\n  fix: set it below `gate.max-drop`, or remove it',
    ],
    [
      'gate: { max-size: 1 KiB, warn: { max-size: 1025 } }',
      '8:44',
      '`gate.warn.max-size` is no stricter than `gate.max-size`, so it would never warn\n  fix: set it below `gate.max-size`, or remove it',
    ],
    ['gate: { warn: { max-size: 0 KB } }', '8:27', '`gate.warn.max-size` is "0 KB", expected at least 1 byte'],
    [
      'gate: { samples: 3 }',
      '8:9',
      'unknown key `samples` in `gate`\n  fix: it belongs in `data.calibration` or `data.evaluation`',
    ],
    ['cache: lokal', '8:8', '`cache` is "lokal", expected one of auto, github, local, off; did you mean local?'],
    ['cache-verify: -1', '8:15', '`cache-verify` is -1, expected a whole number from 0 to 2147483647'],
    [
      'memory-limit: 2 gigs',
      '8:15',
      '`memory-limit` is "2 gigs", expected a size such as 2000000000 (bytes), "2 GB" or "512 MiB"',
    ],
    [
      'constraints: [{ bops: 10 percent }]',
      '8:23',
      '`constraints[0].bops` is "10 percent", expected bit operations such as 2500000000, "2.5 G" or "10%"',
    ],
    [
      'constraints: [{ bops: 0 }]',
      '8:23',
      '`constraints[0].bops` is 0, expected bit operations such as 2500000000, "2.5 G" or "10%"',
    ],
    ['constraints: [{ bops: 0 G }]', '8:23', '`constraints[0].bops` is "0 G", expected more than 0 and at most 100%'],
    ['constraints: [{ bops: 101% }]', '8:23', '`constraints[0].bops` is "101%", expected more than 0 and at most 100%'],
    [
      'constraints: [{ bops: 5 G, limit: 3 }]',
      '8:15',
      '`constraints[0]` has `bops` and `limit`\n  fix: write either `bops` alone, or `name`, `costs` and `limit`',
    ],
    [
      'constraints: [{ name: latency, unit: ms }]',
      '8:15',
      '`constraints[0]` lacks `costs` and `limit`\n  fix: write either `bops` alone, or `name`, `costs` and `limit`',
    ],
    [
      'constraints: [{ bops: 1 G }, { bops: 2 G }]',
      '8:30',
      '`constraints[1]` is a second limit on bit operations\n  fix: keep one of the two',
    ],
    [
      'constraints: [{ name: bops, costs: c.json, limit: 1 }]',
      '8:23',
      '`constraints[0].name` is bops, which another limit is called\n  fix: choose another name',
    ],
    [
      'constraints: [{ name: a, costs: c.json, limit: 1 }, { name: a, costs: d.json, limit: 1 }]',
      '8:61',
      '`constraints[1].name` is "a", as an earlier one is\n  fix: give each limit its own name',
    ],
    [
      'constraints: [{ name: a, costs: c.json, limit: -1 }]',
      '8:48',
      '`constraints[0].limit` is -1, expected a number, at least 0',
    ],
    ['constraints: [{ name: a, cost: c.json, limit: 1 }]', '8:26', 'unknown key `cost`; did you mean `costs`?'],
    [
      'constraints: { bops: 1 }',
      '8:14',
      '`constraints` is a map, expected a list, each item a map with the keys bops, name, costs, limit, unit',
    ],
    ['memory-limit: 0 GB', '8:15', '`memory-limit` is "0 GB", expected at least 1 byte'],
    ['seed: -1', '8:7', '`seed` is -1, expected a whole number from 0 to 4294967295'],
    ['report: ""', '8:9', '`report` is "", expected a text that is not empty'],
    [
      '__proto__: 1',
      '8:1',
      'unknown key `__proto__` at the top\n  fix: allowed keys: version, model, output, report, budget, constraints, quantize, data, sensitivity, search, gate, evaluate, seed, device, cache, cache-dir, cache-verify, memory-limit',
    ],
  ])('parseConfig: %s', (line, place, message) => {
    expect(errorOf(`${MINIMAL}${line}\n`).message).toBe(`bitgate.yml:${place}: ${message}`);
  });

  it.each([
    [
      '{ size: 12 kilo }',
      '4:17',
      '`budget.size` is "12 kilo", expected a size such as 125000 (bytes), "125 KB", "300 KiB" or "25%", or auto',
    ],
    [
      '{ size: 0 }',
      '4:17',
      '`budget.size` is 0, expected a size such as 125000 (bytes), "125 KB", "300 KiB" or "25%", or auto',
    ],
    [
      '{ size: 1.5 }',
      '4:17',
      '`budget.size` is 1.5, expected a size such as 125000 (bytes), "125 KB", "300 KiB" or "25%", or auto',
    ],
    ['{ size: 150% }', '4:17', '`budget.size` is "150%", expected at least 1 byte and at most 100%'],
    ['{ size: 0 B }', '4:17', '`budget.size` is "0 B", expected at least 1 byte and at most 100%'],
    ['{ bits: 0 }', '4:17', '`budget.bits` is 0, expected a number, above 0 and at most 32'],
    ['{ bits: 33 }', '4:17', '`budget.bits` is 33, expected a number, above 0 and at most 32'],
    ['{ size: 1 KB, bits: 3 }', '4:1', '`budget` has size and bits, expected either size or bits'],
    ['{ byte: 3 }', '4:11', 'unknown key `byte` in `budget`\n  fix: allowed keys: size, bits'],
    ['125 KB', '4:9', '`budget` is "125 KB", expected a map with size or bits, or auto'],
  ])('parseConfig: budget %s', (budget, place, message) => {
    expect(errorOf(MINIMAL.replace('{ size: 125 KB }', budget)).message).toBe(`bitgate.yml:${place}: ${message}`);
  });

  it.each([
    ['{ scale: 0 }', '8:24', '`data.preprocess.scale` is 0, expected a number, above 0'],
    [
      '{ mean: x }',
      '8:23',
      '`data.preprocess.mean` is "x", expected a number or a list that is not empty, each item a number',
    ],
    ['{ std: [1, 0, 1] }', '8:26', '`data.preprocess.std[1]` is 0, expected a number, above 0'],
    [
      '{ mean: [1, 2, 3], std: [1, 2] }',
      '8:39',
      '`data.preprocess.std` has 2 numbers where `mean` has 3, expected as many\n  fix: give one number per channel in both',
    ],
    ['{ order: rbg }', '8:24', '`data.preprocess.order` is "rbg", expected one of rgb, bgr; did you mean rgb?'],
    [
      '{ resize: [256] }',
      '8:25',
      '`data.preprocess.resize` is a list of 1, expected a whole number of pixels, or a list [height, width]',
    ],
    [
      '{ resize: 0 }',
      '8:25',
      '`data.preprocess.resize` is 0, expected a whole number of pixels, or a list [height, width]',
    ],
  ])('parseConfig: preprocess %s', (preprocess, place, message) => {
    expect(errorOf(`${MINIMAL}  preprocess: ${preprocess}\n`).message).toBe(`bitgate.yml:${place}: ${message}`);
  });

  it('parseConfig: fewer than one sample is refused', () => {
    const text = MINIMAL.replace('{ path: data/c.npz }', '{ path: data/c.npz, samples: 0 }');
    expect(errorOf(text).message).toBe(
      'bitgate.yml:6:45: `data.calibration.samples` is 0, expected a whole number from 1 to 2147483647',
    );
  });

  it('parseConfig: calibration data cannot also be the evaluation data, however the path is written', () => {
    expect(errorOf(MINIMAL.replace('/data/t.npz', './data/../data/c.npz')).message).toBe(
      'bitgate.yml:7:23: `data.evaluation.path` is the calibration data\n' +
        '  fix: evaluate on samples that were not used to choose the bit-widths',
    );
  });

  it('parseConfig: an output that would overwrite an input is refused', () => {
    const text = MINIMAL.replace('../build/m.quant.onnx', 'models/m.onnx');
    expect(errorOf(text, { workingDirectory: '/w' }).message).toBe(
      'bitgate.yml:3:9: the output /w/models/m.onnx is one of the inputs and would overwrite it\n' +
        '  fix: choose another path for the output',
    );
  });

  it('parseConfig: a problem carries the place where it starts and ends', () => {
    expect(errorOf(`${MINIMAL}quantize: { method: gpta }\n`).problems[0]?.where).toEqual({
      file: 'bitgate.yml',
      line: 8,
      column: 21,
      endLine: 8,
      endColumn: 25,
    });
  });

  it('parseConfig: a long text is cut in the message', () => {
    expect(errorOf(`${MINIMAL}seed: ${'x'.repeat(100)}\n`).message).toBe(
      `bitgate.yml:8:7: \`seed\` is "${'x'.repeat(60)}…", expected a whole number from 0 to 4294967295`,
    );
  });
});

describe('parseConfig, overrides', () => {
  const overrides = { workingDirectory: '/home/me' };

  it('parseConfig: options come before the file, and their paths start in the working directory', () => {
    const config = parseConfig(FULL, 'ci/bitgate.yml', {
      ...overrides,
      model: 'other.onnx',
      output: '../out.onnx',
      size: '300 KiB',
      method: 'pairwise',
      reportDirectory: 'r',
      cache: 'off',
      cacheDirectory: 'c',
      device: 'cuda',
      runtimePath: 'ort',
      allowDownload: 'true',
    });
    expect(config).toMatchObject({
      path: '/home/me/ci/bitgate.yml',
      options: expect.arrayContaining(['--size', '300 KiB', '--method', 'pairwise', '--device', 'cuda']),
      modelPath: '/home/me/other.onnx',
      outputPath: '/home/out.onnx',
      reportDirectory: '/home/me/r',
      cache: { setting: 'off', directory: '/home/me/c', verifyCount: 3 },
      runtime: { device: 'cuda', path: '/home/me/ort', allowsDownload: true },
      budget: { kind: 'bytes', sizeBytes: 307_200 },
      sensitivity: { method: 'pairwise', loss: 'cross-entropy' },
    });
    expect(config.data.calibration.path).toBe('/home/me/ci/c');
  });

  it.each([
    ['auto', {}],
    ['{ size: auto }', {}],
    ['{ size: 1 KB }', { size: 'auto' }],
  ])(
    'parseConfig: budget %s with %j is the smallest model that passes, no larger than max-size',
    (budget, overrides) => {
      const text = `${MINIMAL.replace('{ size: 125 KB }', budget)}gate: { max-drop: 0.01 }\n`;
      expect(parseConfig(text, 'bitgate.yml', overrides).budget).toEqual({ kind: 'auto' });
      const limited = parseConfig(text.replace('0.01', '0.01, max-size: 90 KB'), 'bitgate.yml', overrides);
      expect(limited.budget).toEqual({ kind: 'auto', maxSizeBytes: 90_000 });
    },
  );

  it.each([
    ['auto', '', '4:9', '`gate.min`'],
    ['{ size: auto }', 'gate: { max-size: 9 KB, warn: { min: 0.9 } }\n', '4:17', '`gate.min`'],
    ['auto', 'gate: { metric: kl }\n', '4:9', '`gate.max`'],
  ])('parseConfig: budget %s without a limit on the accuracy, %j', (budget, gate, place, limit) => {
    expect(errorOf(MINIMAL.replace('{ size: 125 KB }', budget) + gate).message).toBe(
      `bitgate.yml:${place}: the budget is auto, the smallest model that passes the gate, and the gate has no limit on the accuracy\n  fix: set \`gate.max-drop\` or ${limit}, or name a size`,
    );
  });

  it('parseConfig: sensitivities from a file are relative to the config; --method may turn to a file, and away from it', () => {
    const text = `${MINIMAL}sensitivity: { method: external, path: s.json }\n`;
    expect(parseConfig(text, '/x/b.yml').sensitivity).toMatchObject({ method: 'external', path: '/x/s.json' });
    expect(parseConfig(text, '/x/b.yml', { method: 'diagonal' }).sensitivity).not.toHaveProperty('path');
    const idle = text.replace('external', 'auto');
    expect(parseConfig(idle, '/x/b.yml', { method: 'external' }).sensitivity).toMatchObject({ path: '/x/s.json' });
    expect(errorOf(MINIMAL, { method: 'external' }).message).toBe(
      'the method external reads sensitivities from a file, and `sensitivity.path` names none\n  fix: set `sensitivity.path`, or name a method that measures',
    );
    expect(errorOf(text.replace('s.json', '../build/m.quant.onnx'), { workingDirectory: '/w' }).message).toContain(
      'm.quant.onnx is one of the inputs and would overwrite it',
    );
  });

  it('parseConfig: an allocation needs no budget, and leaves nothing to search; it is relative to the config', () => {
    const text = `${MINIMAL.replace('budget: { size: 125 KB }\n', '')}quantize: { allocation: a.json }\n`;
    const config = parseConfig(text, '/x/b.yml');
    expect(config.budget).toEqual({ kind: 'none' });
    expect(config.quantize.allocationPath).toBe('/x/a.json');
    expect(config.search).toEqual({ timeLimitSeconds: 0 });
    expect(config.gate.locations).toEqual({});
    expect(parseConfig(text, '/x/b.yml', { size: '9 KB' }).budget).toEqual({ kind: 'bytes', sizeBytes: 9000 });
  });

  it.each([
    [
      'budget: auto\ngate: { min: 0.9 }',
      {},
      '7:13',
      'the budget is auto, which chooses the widths that `quantize.allocation` gives\n  fix: name a size or no budget, or remove the allocation',
    ],
    [
      'gate: { min: 0.9 }',
      { size: 'auto' },
      '7:13',
      'the budget is auto, which chooses the widths that `quantize.allocation` gives\n  fix: name a size or no budget, or remove the allocation',
    ],
    [
      'sensitivity: { method: external, path: s.json }',
      {},
      '7:13',
      'the method external serves a choice of widths, and `quantize.allocation` leaves none\n  fix: remove one of the two',
    ],
  ])('parseConfig: an allocation beside %j and %j', (line, options, where, message) => {
    const text = `${MINIMAL.replace('budget: { size: 125 KB }\n', '')}quantize: { allocation: a.json }\n${line}\n`;
    expect(errorOf(text, options).message).toBe(`bitgate.yml:${where}: ${message}`);
  });

  it('parseConfig: an allocation without anything that is checked', () => {
    const free = MINIMAL.replace('budget: { size: 125 KB }\n', '');
    const command = 'gate: { metric: command }\nevaluate: { command: ./score }\n';
    const text = `${free}quantize: { allocation: a.json }\n`;
    const alone = text.replace('  evaluation: { path: /data/t.npz }\n', '') + command;
    expect(errorOf(alone).message).toBe(
      'bitgate.yml:6:13: `quantize.allocation` without a budget, a command for a metric and no limit: nothing would be checked\n  fix: set a budget, or a limit under `gate`',
    );
    expect(parseConfig(alone.replace('command }', 'command, max-size: 9 KB }'), 'b.yml').budget.kind).toBe('none');
    expect(parseConfig(text, 'b.yml').budget.kind).toBe('none');
  });

  it('parseConfig: without a budget and without an allocation, the budget is what is missed, once', () => {
    const text = MINIMAL.replace('budget: { size: 125 KB }\n', '');
    for (const more of ['', 'quantize: { bits: [2] }\n'])
      expect(errorOf(text + more).message).toMatch(
        /^bitgate\.yml:1:1: `budget` is missing, expected a map with size or bits, or auto\n {2}fix: add `budget`: How large [^\n]+$/,
      );
    expect(errorOf(`${text}buget: { bits: 3 }\n`).message).toBe(
      'bitgate.yml:7:1: unknown key `buget`; did you mean `budget`?',
    );
  });

  it('parseConfig: a budget from the command line has no place in the file', () => {
    expect(parseConfig(MINIMAL, 'b.yml', { size: '25%' }).gate.locations).toEqual({});
    expect(parseConfig(MINIMAL, 'b.yml', { bitsPerWeight: '3.5' }).budget).toEqual({
      kind: 'bits-per-weight',
      bitsPerWeight: 3.5,
    });
  });

  it('parseConfig: what an option supplies may be missing in the file', () => {
    const text = 'version: 1\ndata: { calibration: { path: a }, evaluation: { path: b } }\n';
    const config = parseConfig(text, '/x/b.yml', { ...overrides, model: 'm', output: 'q', size: '1 KB' });
    expect(config).toMatchObject({ modelPath: '/home/me/m', outputPath: '/home/me/q' });
    expect(config.budget).toEqual({ kind: 'bytes', sizeBytes: 1000 });
  });

  it.each([
    [{ size: '3 kilo' }, '--size is "3 kilo", expected a size such as 125000, "125 KB", "300 KiB" or "25%", or auto'],
    [{ size: '' }, '--size is "", expected a size such as 125000, "125 KB", "300 KiB" or "25%", or auto'],
    [{ bitsPerWeight: '0' }, '--bits-per-weight is "0", expected a number above 0 and at most 32'],
    [{ bitsPerWeight: '3 bits' }, '--bits-per-weight is "3 bits", expected a number above 0 and at most 32'],
    [{ bitsPerWeight: 'NaN' }, '--bits-per-weight is "NaN", expected a number above 0 and at most 32'],
    [
      { method: 'diagonl' },
      '--method is "diagonl", expected one of local, diagonal, block, pairwise, auto, external; did you mean diagonal?',
    ],
    [{ model: '' }, '--model is empty, expected a path'],
    [
      { size: '1 KB', bitsPerWeight: '3' },
      '--size and --bits-per-weight both set the budget, expected one of them\n  fix: remove one of the two',
    ],
  ])('parseConfig: %j names the option', (bad, message) => {
    expect(errorOf(MINIMAL, { ...overrides, ...bad }).message).toBe(message);
  });

  it('parseConfig: an option is named as its caller calls it', () => {
    const nameOption = (option: string) => `input ${option}`;
    expect(errorOf(MINIMAL, { method: 'x', nameOption }).message).toBe(
      'input method is "x", expected one of local, diagonal, block, pairwise, auto, external',
    );
  });

  it('parseConfig: problems of the file and of options come together, the file first', () => {
    expect(errorOf(`${MINIMAL}foot: 1\n`, { method: 'x' }).problems.map(({ what }) => what)).toEqual([
      'unknown key `foot` at the top',
      '--method is "x", expected one of local, diagonal, block, pairwise, auto, external',
    ]);
  });

  it('parseConfig: an --output that would overwrite an input is refused without a place', () => {
    expect(errorOf(MINIMAL, { workingDirectory: '/w', output: 'data/c.npz' }).message).toBe(
      'the output /w/data/c.npz is one of the inputs and would overwrite it\n  fix: choose another path for the output',
    );
  });
});

describe('parseConfig: a metric of the user', () => {
  const COMMAND = `version: 1
model: m.onnx
output: q.onnx
budget: { size: 1 KB }
data: { calibration: { path: c.npz } }
`;

  it('parseConfig: a command with its defaults, and no evaluation data', () => {
    const { gate, data, evaluate } = parse(
      `${COMMAND}gate: { metric: command, min: 22.5, warn: { min: 23 } }\nevaluate: { command: [python3, measure.py] }\n`,
    );
    expect(gate).toMatchObject({ metric: 'command', min: 22.5, warn: { min: 23 } });
    expect(data.evaluation).toBeUndefined();
    expect(evaluate).toEqual({
      command: ['python3', 'measure.py'],
      timeLimitSeconds: 600,
      better: 'higher',
      location: { file: '/repo/ci/bitgate.yml', line: 7, column: 22, endLine: 7, endColumn: 43 },
    });
  });

  it('parseConfig: a line for the shell, of which less is better', () => {
    const { gate, evaluate } = parse(
      `${COMMAND}gate: { metric: command, max: -3, max-drop: 40 }\nevaluate: { command: ./measure.sh | tail -1, time-limit: 90s, better: lower }\n`,
    );
    expect(gate).toMatchObject({ max: -3, maxDrop: 40 });
    expect(evaluate).toMatchObject({ command: './measure.sh | tail -1', timeLimitSeconds: 90, better: 'lower' });
  });

  it.each([
    [
      'gate: { metric: command }',
      '6:17: `gate.metric` is command, and there is no `evaluate` that names one\n  fix: add `evaluate: { command: [python3, measure.py] }`',
    ],
    [
      'gate: { metric: command, output: y }\nevaluate: { command: [a] }',
      '6:26: `gate.output` would not be read: the metric is a command, which runs the model by itself\n  fix: remove it',
    ],
    [
      'gate: { metric: command, max: 1 }\nevaluate: { command: [a] }',
      '6:26: `gate.max` does not fit the metric command, where more is better\n  fix: use `min` or `max-drop`, or set `evaluate.better: lower`',
    ],
    [
      'gate: { metric: command, warn: { min: 1 } }\nevaluate: { command: [a], better: lower }',
      '6:34: `gate.warn.min` does not fit the metric command, where less is better\n  fix: use `max`, or set `evaluate.better: higher`',
    ],
    [
      'gate: { metric: command }\nevaluate: { command: [] }',
      '7:22: `evaluate.command` is an empty list, expected a list of a program and its arguments, or a line for the shell',
    ],
    [
      'gate: { metric: command }\nevaluate: { command: [a, 3] }',
      '7:26: `evaluate.command[1]` is 3, expected a text that is not empty',
    ],
    [
      'gate: { metric: command }\nevaluate: { command: [a], time-limit: soon }',
      '7:39: `evaluate.time-limit` is "soon", expected a time such as 90 (seconds), "90s", "10m" or "2h"',
    ],
  ])('parseConfig: %s', (lines, message) => {
    expect(errorOf(`${COMMAND}${lines}\n`).message).toBe(`bitgate.yml:${message}`);
  });

  it('parseConfig: evaluation data beside a command, and a command beside another metric', () => {
    expect(errorOf(`${MINIMAL}gate: { metric: command }\nevaluate: { command: [a] }\n`).message).toBe(
      'bitgate.yml:7:3: `data.evaluation` would not be read: the metric is a command, which runs the model by itself\n  fix: remove it',
    );
    expect(errorOf(`${MINIMAL}evaluate: { command: [a] }\n`).message).toBe(
      'bitgate.yml:8:1: `evaluate` would not be read: the metric is top1\n  fix: set `gate.metric: command`, or remove it',
    );
  });

  it('parseConfig: the smallest model that passes a command needs a limit on its good side', () => {
    const auto = COMMAND.replace('{ size: 1 KB }', 'auto');
    const command = (better: string) =>
      `${auto}gate: { metric: command }\nevaluate: { command: [a], better: ${better} }\n`;
    expect(errorOf(command('lower')).message).toContain('fix: set `gate.max-drop` or `gate.max`, or name a size');
    expect(errorOf(command('higher')).message).toContain('fix: set `gate.max-drop` or `gate.min`, or name a size');
  });
});
