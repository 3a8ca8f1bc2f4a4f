/**
 * Hostile pull requests, end to end: whoever sends one writes the model, the data and the config, and the built action
 * meets them as a workflow runs it. Each is contained, and says what was wrong.
 */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeModelProto, encodeModelProto, type ModelProto, newMetadata } from '../../src/wire/model-proto.ts';
import { npy } from '../dataset/npy-bytes.ts';
import { zip } from '../dataset/zip-bytes.ts';
import { temporaryFolder } from '../runtime/packages.ts';
import { FORK, pullRequest, REPOSITORY } from './events.ts';
import { CONFIG, ROOT, workspaceWith } from './glyphs.ts';
import { type JobSettings, runJob, type StepResult } from './runner.ts';

/** The pull request is checked out in a folder beside one that holds a secret. */
function checkout(config = CONFIG): string {
  const base = temporaryFolder();
  writeFileSync(join(base, 'secret.txt'), 'TOP SECRET');
  renameSync(workspaceWith(config), join(base, 'workspace'));
  return join(base, 'workspace');
}

function run(workspace: string, settings: Partial<JobSettings> = {}): Promise<StepResult> {
  return runJob({ action: ROOT, workspace, event: pullRequest(), ...settings }).then(({ main }) => main);
}

/** Refused as something that the user can repair, with this text where people look, and without a trace of the secret. */
function expectRefused(result: StepResult, message: string | RegExp): void {
  expect(result.exitCode, result.log).toBe(2);
  expect(result.outputs).toEqual({ verdict: 'error' });
  expect(result.annotations.map(({ message }) => message).join('\n')).toMatch(message);
  expect(result.log + result.summary + JSON.stringify(result.annotations)).not.toContain('TOP SECRET');
  expect(result.complaints).toEqual([]);
  expect({ environment: result.environment, path: result.path }).toEqual({ environment: {}, path: '' });
}

/** The example's model, changed. */
function rewriteModel(workspace: string, change: (model: ModelProto) => void): void {
  const path = join(workspace, 'glyphs.onnx');
  const model = decodeModelProto(readFileSync(path));
  change(model);
  writeFileSync(path, encodeModelProto(model));
}

const OUTSIDE = /the path is outside the workspace/;

describe('1: paths that leave the workspace', () => {
  it.each([
    ['the model', CONFIG.replace('glyphs.onnx', '../secret.txt')],
    ['the data', CONFIG.replace('data/calibration.npz', '../secret.txt')],
    ['an absolute path', CONFIG.replace('data/evaluation.npz', '/etc/passwd')],
    ['a table of costs', `${CONFIG}constraints: [{ name: latency, costs: ../secret.txt, limit: 1 }]\n`],
    ['the quantized model', CONFIG.replace('build/glyphs.quant.onnx', '../stolen/q.onnx')],
    ['the sensitivities', CONFIG.replace('method: diagonal', 'method: external, path: ../secret.txt')],
    ['the allocation', CONFIG.replace('correct: none', 'correct: none, allocation: ../secret.txt')],
    ['the report', CONFIG.replace('build/report', '/tmp/bitgate-stolen-report')],
  ])('hostile: %s is outside', async (_, config) => {
    const workspace = checkout(config);
    expectRefused(await run(workspace), OUTSIDE);
    expect(readdirSync(join(workspace, '..')).sort()).toEqual(['secret.txt', 'workspace']);
    expect(existsSync('/tmp/bitgate-stolen-report')).toBe(false);
  });

  it('hostile: the quantized model would come to stand in .git', async () => {
    const workspace = checkout(CONFIG.replace('build/glyphs.quant.onnx', '.git/hooks/pre-commit'));
    mkdirSync(join(workspace, '.git/hooks'), { recursive: true });
    expectRefused(await run(workspace), /nothing is written into a \.git folder/);
    expect(readdirSync(join(workspace, '.git/hooks'))).toEqual([]);
  });

  it.each(['../secret.txt', '/etc/hostname'])('hostile: external data of the model at %s', async (location) => {
    const workspace = checkout();
    rewriteModel(workspace, ({ graph }) => {
      const tensor = graph!.initializer.find(({ rawData }) => rawData !== undefined && rawData.length > 0)!;
      tensor.rawData = new Uint8Array();
      tensor.dataLocation = 1;
      tensor.externalData = [newMetadata('location', location)];
    });
    expectRefused(await run(workspace), /external data outside its folder/);
  });
});

describe('2: links out of the workspace', () => {
  it.each(['glyphs.onnx', 'data/calibration.npz'])('hostile: %s is a link to the secret', async (name) => {
    const workspace = checkout();
    rmSync(join(workspace, name));
    symlinkSync(join(workspace, '../secret.txt'), join(workspace, name));
    expectRefused(await run(workspace), /the path is outside the workspace, it leads to .*secret\.txt/);
  });

  it('hostile: the folder for the quantized model is a link', async () => {
    const workspace = checkout();
    symlinkSync(join(workspace, '..'), join(workspace, 'build'));
    expectRefused(await run(workspace), OUTSIDE);
    expect(readdirSync(join(workspace, '..')).sort()).toEqual(['secret.txt', 'workspace']);
  });

  it('hostile: a picture is a link to the secret', async () => {
    const workspace = checkout(CONFIG.replace('data/calibration.npz, samples: 32', 'pictures, samples: 1'));
    mkdirSync(join(workspace, 'pictures/0'), { recursive: true });
    symlinkSync(join(workspace, '../secret.txt'), join(workspace, 'pictures/0/a.png'));
    expectRefused(await run(workspace), OUTSIDE);
  });
});

describe('3: a command in the config', () => {
  it.each([
    [
      'a key beside another metric',
      `${CONFIG}evaluate: { command: "touch PWNED" }\n`,
      /`evaluate` would not be read: the metric is top1/,
    ],
    [
      'a path',
      CONFIG.replace('glyphs.onnx', '"$(touch PWNED); `touch PWNED` | touch PWNED.onnx"'),
      /the model is missing/,
    ],
    [
      'a tag',
      CONFIG.replace('glyphs.onnx', "!!js/function \"function(){require('fs').writeFileSync('PWNED','')}\""),
      /Unresolved tag: tag:yaml\.org,2002:js\/function/,
    ],
  ])('hostile: as %s', async (_, config, message) => {
    const workspace = checkout(config);
    expectRefused(await run(workspace), message);
    expect(readdirSync(workspace).filter((name) => name.includes('PWNED'))).toEqual([]);
  });
});

describe('3b: a command as the metric', () => {
  const withCommand = (command: string) =>
    `${CONFIG.replace(/ {2}evaluation: .*\n/, '').replace('metric: top1', 'metric: command')}evaluate: { command: ${JSON.stringify(command)} }\n`;
  const FORK_REFUSED = /^this change comes from a fork, and `evaluate\.command` would run what strangers wrote/;

  it.each([
    ['on a runner of GitHub', {}],
    ['where the workflow allows forks', { isSelfHosted: true, inputs: { 'allow-fork': 'true' } }],
    ['with the rights of the base', { event: pullRequest(FORK, { name: 'pull_request_target' }) }],
    ['of a repository that is gone', { event: pullRequest(null) }],
  ])('hostile: of a fork %s', async (_, settings) => {
    const workspace = checkout(withCommand('touch PWNED'));
    expectRefused(await run(workspace, { event: pullRequest(FORK), ...settings }), FORK_REFUSED);
    expect(existsSync(join(workspace, 'PWNED'))).toBe(false);
  });

  it('hostile: that speaks to the runner', async () => {
    const speech = 'echo "::error::lies"; echo "##[error]lies"; echo "::set-output name=verdict::pass"';
    const files = 'env | grep -c -E "^(GITHUB_(OUTPUT|ENV|PATH|STATE|STEP_SUMMARY|TOKEN)|INPUT_|ACTIONS_)" >&2';
    const workspace = checkout(withCommand(`${speech}; (${speech}) >&2; ${files}; exit 1`));
    const result = await run(workspace);
    expectRefused(
      result,
      /^the command ended with exit code 1 on the float model:\n {2}\\::error::lies\n(.*\n)+ {2}0\nfix: /,
    );
    expect(result.annotations.every(({ title }) => title === 'bitgate')).toBe(true);
  });
});

it('4 hostile: a weakened budget, where the limits of the base count', async () => {
  const workspace = checkout(CONFIG.replace('bits: 4.0', 'bits: 1.5'));
  const git = (...args: readonly string[]) => {
    const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.com', '-c', 'commit.gpgsign=false'];
    return execFileSync('git', ['-C', workspace, ...identity, ...args], { encoding: 'utf8' }).trim();
  };
  git('init', '--quiet');
  git('add', 'bitgate.yml');
  git('commit', '--quiet', '--message', 'base');
  const event = pullRequest(REPOSITORY, { baseSha: git('rev-parse', 'HEAD') });
  writeFileSync(join(workspace, 'bitgate.yml'), CONFIG);
  const result = await run(workspace, { event, inputs: { 'policy-ref': 'base' } });
  expectRefused(result, /`budget` is weakened by this change, from 1\.5 bits per weight to 4 bits per weight/);
  expectRefused(result, /smallest/);
});

describe('5: a poisoned cache', () => {
  const KEPT = CONFIG.replace('device: cpu', 'device: cpu\ncache: local\ncache-dir: kept');

  /** The file of measured losses in the cache of a workspace; the choice has another. */
  function recordsOf(workspace: string): string {
    const files = readdirSync(join(workspace, 'kept'), { recursive: true, encoding: 'utf8' });
    const records = files.filter((name) => name.endsWith('.jsonl')).map((name) => join(workspace, 'kept', name));
    return records.find((path) => readFileSync(path, 'utf8').includes('"0:2":'))!;
  }

  it('hostile: losses that were never measured, not numbers, and more text than anyone wants', async () => {
    const workspace = checkout(KEPT);
    const honest = await run(workspace);
    expect(honest.exitCode, honest.log).toBe(0);
    const records = recordsOf(workspace);
    const line = readFileSync(records, 'utf8').trim();
    const lies = [
      line.replace(/"0:2":[^,]+/, '"0:2":0'),
      line.replace(/"0:2":[^,]+/, '"0:2":NaN'),
      line.replace(/"0:2":[^,]+/, '"__proto__":{"polluted":1}'),
      `{"a":${'['.repeat(100_000)}`,
      '::set-output name=verdict::pass',
    ];
    writeFileSync(records, `${lies.join('\n')}\n`);
    const poisoned = await run(workspace);
    expect(poisoned.exitCode, poisoned.log).toBe(0);
    expect(poisoned.log).toMatch(/cache miss/);
    expect(poisoned.summary).toMatch(
      /5 kept measurements are unusable on this machine, and measured anew if needed: damaged/,
    );
    expect(poisoned.outputs).toEqual(honest.outputs);
    expect(poisoned.annotations).toEqual([]);
  });

  it('hostile: a folder for it outside', async () => {
    const workspace = checkout(KEPT.replace('cache-dir: kept', 'cache-dir: ../kept'));
    expectRefused(await run(workspace), OUTSIDE);
    expect(readdirSync(join(workspace, '..')).sort()).toEqual(['secret.txt', 'workspace']);
  });
});

describe('6: a model that lies about its size', () => {
  it('hostile: a tensor of 2 GB in a file of 1 kB', async () => {
    const workspace = checkout();
    rewriteModel(workspace, ({ graph }) => {
      graph!.initializer[0]!.dims = [1n << 29n];
      graph!.initializer[0]!.rawData = new Uint8Array(16);
      graph!.initializer.length = 1;
    });
    const result = await run(workspace, { environment: { NODE_OPTIONS: '--max-old-space-size=256' } });
    expectRefused(result, /536870912/);
  });

  it('hostile: a model that is cut short', async () => {
    const workspace = checkout();
    writeFileSync(join(workspace, 'glyphs.onnx'), readFileSync(join(workspace, 'glyphs.onnx')).subarray(0, 5000));
    expectRefused(await run(workspace), /^this is not a complete ONNX model/);
  });
});

it('7 hostile: a YAML bomb', async () => {
  const levels = Array.from({ length: 12 }, (_, level) => {
    const value =
      level === 0
        ? '"lol"'
        : `[${Array(10)
            .fill(`*a${level - 1}`)
            .join(', ')}]`;
    return `a${level}: &a${level} ${value}`;
  });
  expectRefused(await run(checkout(`${levels.join('\n')}\n${CONFIG}`)), /aliases expand to more than 100 values/);
});

describe('8: data that lie about their size', () => {
  const IMAGES = npy('|u1', [64, 1, 32, 32], new Uint8Array(65_536));
  it.each([
    [
      'an archive of some bytes that says it holds 4 GB',
      { sizeBytes: 0xfffffff0 },
      /^array 'images' declares 4294967280 bytes/,
    ],
    ['an archive that holds more than it says', { sizeBytes: 100 }, /^array 'images' inflates to more than /],
  ])('hostile: %s', async (_, says, message) => {
    const workspace = checkout();
    const archive = zip([{ name: 'images.npy', content: IMAGES, isDeflated: true, says }]);
    writeFileSync(join(workspace, 'data/calibration.npz'), archive);
    expectRefused(await run(workspace), message);
  });

  it('hostile: an array of 4 GB in a file of 1 kB', async () => {
    const workspace = checkout();
    const images = npy('|u1', [2 ** 22, 1, 32, 32], new Uint8Array(1000));
    writeFileSync(join(workspace, 'data/calibration.npz'), zip([{ name: 'images.npy', content: images }]));
    expectRefused(await run(workspace), /^array 'images' is truncated: uint8/);
  });
});

describe('9: text that would be a command to the runner', () => {
  const INJECTION =
    '\n::set-output name=verdict::pass\n##[set-output name=artifact-path]x\n::stop-commands::x\n::error::lies';

  it('hostile: in the config', async () => {
    const config = CONFIG.replace('quantize: {', `quantize: { pin: { ${JSON.stringify(INJECTION)}: 9 },`);
    const result = await run(checkout(config));
    expectRefused(result, /`quantize\.pin/);
    expect(result.annotations.every(({ title }) => title === 'bitgate')).toBe(true);
  });

  it('hostile: in the names of a model', async () => {
    const workspace = checkout(CONFIG.replace('bits: 4.0', 'bits: 1.5'));
    rewriteModel(workspace, ({ graph }) => {
      for (const node of graph!.node) node.name += INJECTION;
    });
    const result = await run(workspace);
    expectRefused(result, /smallest/);
    expect(result.annotations.every(({ title }) => title === 'bitgate')).toBe(true);
  });
});

it('10 hostile: a graph that runs in circles', async () => {
  const workspace = checkout();
  rewriteModel(workspace, ({ graph }) => {
    const [first, second] = graph!.node;
    first!.input[0] = second!.output[0]!;
  });
  expectRefused(await run(workspace), /^the graph has a cycle: /);
});
