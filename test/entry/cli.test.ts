import { describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import type { Config } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { main } from '../../src/entry/cli.ts';
import type { Commands } from '../../src/entry/commands.ts';
import { USAGE } from '../../src/entry/usage.ts';
import { UnsupportedModelError } from '../../src/errors.ts';
import {
  CHECKS,
  CONFIG,
  completeDisk,
  type Disk,
  EVALUATION_REPORT,
  fakeCommands,
  fakeFiles,
  PARETO_REPORT,
  PROGRAM_REPORT,
  reportOf,
  SOLVED_REPORT,
} from './fakes.ts';

type Setting = {
  readonly disk?: Disk;
  readonly commands?: Partial<Commands>;
  readonly environment?: Record<string, string>;
  readonly isTTY?: boolean;
};

async function run(argv: readonly string[], setting: Setting = {}) {
  let stdout = '';
  let stderr = '';
  const exitCode = await main(argv, {
    stdout: { write: (text) => (stdout += text), isTTY: setting.isTTY ?? false },
    stderr: { write: (text) => (stderr += text), isTTY: setting.isTTY ?? false },
    workingDirectory: '/w',
    environment: setting.environment ?? {},
    files: fakeFiles(setting.disk ?? completeDisk()),
    commands: fakeCommands(setting.commands),
    now: () => 0,
  });
  return { exitCode, stdout, stderr };
}

const PROGRESS = 'measuring: 0/2 forwards 0 %\nmeasuring: 2 forwards in 0.0 s\n';

describe('main, run', () => {
  it('main: a passed gate is exit code 0, the report on stdout, progress on stderr', async () => {
    expect(await run(['run', 'bitgate.yml'])).toEqual({
      exitCode: 0,
      stdout: 'verdict: pass\n\nreport: /w/bitgate-report\n',
      stderr: PROGRESS,
    });
  });

  it('main: a failed gate is exit code 1, with the same report', async () => {
    const commands = { runGate: async () => reportOf(CHECKS) };
    expect(await run(['run'], { commands })).toEqual({
      exitCode: 1,
      stdout: 'verdict: fail\n\nreport: /w/bitgate-report\n',
      stderr: '',
    });
  });

  it.each([
    ['warn', true, 0],
    ['inconclusive', true, 0],
    ['inconclusive', false, 1],
  ] as const)('main: the verdict %s, passed %s, is exit code %d', async (verdict, passed, exitCode) => {
    const commands = { runGate: async () => ({ ...reportOf([]), verdict, passed }) };
    expect(await run(['run'], { commands })).toMatchObject({ exitCode, stdout: expect.stringContaining(verdict) });
  });

  it('main: options reach the work', async () => {
    let received: Config | undefined;
    const runGate: Commands['runGate'] = async (config) => {
      received = config;
      return reportOf([]);
    };
    await run(['run', '--bits-per-weight', '3.5', '--method=diagonal', '--report-dir', 'r'], { commands: { runGate } });
    expect(received).toMatchObject({
      path: '/w/bitgate.yml',
      modelPath: '/w/m.onnx',
      budget: { kind: 'bits-per-weight', bitsPerWeight: 3.5 },
      sensitivity: { method: 'diagonal' },
      reportDirectory: '/w/r',
    });
  });

  it('main: color only on a terminal that wants it', async () => {
    expect((await run(['run'], { isTTY: true })).stdout).toContain('<color>');
    expect((await run(['run'], { isTTY: false })).stdout).not.toContain('<color>');
    expect((await run(['run'], { isTTY: true, environment: { NO_COLOR: '1' } })).stdout).not.toContain('<color>');
    expect((await run(['run'], { isTTY: true, environment: { TERM: 'dumb' } })).stdout).not.toContain('<color>');
  });

  it('main: on a terminal progress is a bar', async () => {
    expect((await run(['run'], { isTTY: true })).stderr).toContain('measuring ░░░░░░░░░░░░░░░░░░░░ 0/2 forwards 0 %');
  });

  it('main: what the config leaves open is said, and fails nothing', async () => {
    const disk = completeDisk(CONFIG.replace(/gate:[\s\S]*/, ''));
    const { exitCode, stderr } = await run(['run', '--cache', 'off', '--cache-dir', 'c'], { disk });
    expect(exitCode).toBe(0);
    expect(stderr).toBe(
      'warning: no limit on top1 is set, so the gate checks the size alone; set `min` or `max-drop` under `gate`\n' +
        `warning: \`cache-dir\` changes nothing while \`cache\` is off\n${PROGRESS}`,
    );
  });
});

describe('main, bad input', () => {
  it('main: a missing config is exit code 2 and names the file', async () => {
    expect(await run(['run', 'none.yml'])).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: 'error: /w/none.yml: no such file or folder\n',
    });
  });

  it('main: a folder for a config names the file that was meant', async () => {
    expect(await run(['run', '.'])).toMatchObject({
      exitCode: 2,
      stderr: 'error: /w: a folder, expected a config file\n  fix: name /w/bitgate.yml\n',
    });
  });

  it('main: a config that is no text is exit code 2', async () => {
    const files = { ...fakeFiles({}), kindOf: async () => 'file' as const, readFile: async () => Uint8Array.of(0x80) };
    let stderr = '';
    const io = { stdout: { write: () => {} }, stderr: { write: (text: string) => (stderr += text) }, files };
    const more = { workingDirectory: '/w', environment: {}, commands: fakeCommands(), now: () => 0 };
    expect(await main(['run', 'm.onnx'], { ...io, ...more })).toBe(2);
    expect(stderr).toBe(
      'error: m.onnx: no UTF-8 text, expected a config in YAML\n  fix: name the config, and save it as UTF-8\n',
    );
  });

  it('main: every problem of a config has a line of its own', async () => {
    const disk = completeDisk('version: 2\nmodel: m.onnx\noutput: q\nbudget: { bits: 3 }\nfoo: 1\n');
    expect(await run(['run'], { disk })).toMatchObject({
      exitCode: 2,
      stderr:
        'error: bitgate.yml:1:1: `data` is missing, expected a map with the keys calibration, evaluation, preprocess\n' +
        '  fix: add `data`: The samples the model is measured on: .npz or .npy files, or folders of images with one sub-folder per class.\n' +
        'error: bitgate.yml:1:10: `version` is 2, expected 1\n' +
        'error: bitgate.yml:5:1: unknown key `foo` at the top\n' +
        '  fix: allowed keys: version, model, output, report, budget, constraints, quantize, data, sensitivity, search, gate, evaluate, seed, device, cache, cache-dir, cache-verify, memory-limit\n',
    });
  });

  it('main: missing inputs are found together, before any work', async () => {
    const { '/w/m.onnx': _model, '/w/t.npz': _data, ...disk } = completeDisk();
    const commands = { runGate: () => Promise.reject(new Error('must not run')) };
    expect(await run(['run'], { disk, commands })).toMatchObject({
      exitCode: 2,
      stderr:
        'error: /w/m.onnx: the model is missing, expected a file\n' +
        '  fix: check the path: `model` is relative to the config, an option to the working directory\n' +
        'error: /w/t.npz: the evaluation data is missing\n  fix: check the path, which is relative to the config\n',
    });
  });

  it.each(['--output', '--report-dir'])(
    'main: %s in a folder that cannot be written is found before any work',
    async (option) => {
      const commands = { runGate: () => Promise.reject(new Error('must not run')) };
      expect(await run(['run', option, '/read-only/x'], { commands })).toMatchObject({
        exitCode: 2,
        stderr: 'error: /read-only/x: cannot be written: read-only\n',
      });
    },
  );

  it('main: an unsupported model is exit code 2', async () => {
    const runGate = () => Promise.reject(new UnsupportedModelError({ what: 'opset 3', where: 'm.onnx' }));
    expect(await run(['run'], { commands: { runGate } })).toMatchObject({
      exitCode: 2,
      stderr: 'error: m.onnx: opset 3\n',
    });
  });

  it('main: a wrong option is exit code 2', async () => {
    expect(await run(['run', '--sise', '3'])).toMatchObject({
      exitCode: 2,
      stderr: 'error: unknown option --sise; did you mean --size?\n  fix: see `bitgate --help`\n',
    });
  });
});

describe('main, faults', () => {
  it('main: any other error is exit code 3, with stack, causes and the request to report it', async () => {
    const runGate = () => Promise.reject(new Error('outer', { cause: new RangeError('inner') }));
    const { exitCode, stdout, stderr } = await run(['run'], { commands: { runGate } });
    expect(exitCode).toBe(3);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^Error: outer\n {4}at /);
    expect(stderr).toMatch(/\ncaused by: RangeError: inner\n {4}at /);
    expect(stderr).toMatch(
      /\n\nThis is a fault of bitgate or of the runtime it uses\. Please report it with the lines above\.\n$/,
    );
  });

  it('main: an error that causes itself still ends', async () => {
    const circular = new Error('again');
    circular.cause = circular;
    const { exitCode } = await run(['run'], { commands: { runGate: () => Promise.reject(circular) } });
    expect(exitCode).toBe(3);
  });

  it('main: progress ends also when the work fails', async () => {
    const runGate: Commands['runGate'] = async (_config, reportProgress) => {
      reportProgress({ activity: 'measuring', done: 0, total: 2, unit: 'forwards' });
      throw new Error('broken');
    };
    expect((await run(['run'], { commands: { runGate } })).stderr).toMatch(
      /^measuring: 0\/2 forwards 0 %\nmeasuring: stopped at 0 of 2 forwards in 0\.0 s\nError: broken\n/,
    );
  });
});

describe('main, the other commands', () => {
  it('main: inspect prints what there is to say', async () => {
    expect(await run(['inspect'])).toEqual({ exitCode: 0, stdout: '20 layers\n', stderr: '' });
  });

  it('main: validate says that a config is valid, and runs nothing', async () => {
    const commands = { runGate: () => Promise.reject(new Error('must not run')) };
    expect(await run(['validate', 'bitgate.yml'], { commands })).toEqual({
      exitCode: 0,
      stdout: 'bitgate.yml is valid\n',
      stderr: '',
    });
  });

  it('main: validate finds a missing model', async () => {
    expect(await run(['validate', '--model', 'none.onnx'])).toMatchObject({
      exitCode: 2,
      stderr:
        'error: /w/none.onnx: the model is missing, expected a file\n' +
        '  fix: check the path: `model` is relative to the config, an option to the working directory\n',
    });
  });

  it('main: cache says what it did, in the folder that is named or in none', async () => {
    expect(await run(['cache', 'list'])).toEqual({ exitCode: 0, stdout: 'list undefined\n', stderr: '' });
    expect((await run(['cache', 'clear', '--cache-dir', 'c'])).stdout).toBe('clear /w/c\n');
  });

  it('main: init writes a config that is valid for the model, its path relative to the config', async () => {
    const disk: Disk = { '/w/models/m.onnx': 'x' };
    expect(await run(['init', 'models/m.onnx', 'ci/gate.yml'], { disk })).toEqual({
      exitCode: 0,
      stdout: 'ci/gate.yml is written; name your data in it, then: bitgate run ci/gate.yml\n',
      stderr: '',
    });
    expect(parseConfig(disk['/w/ci/gate.yml'] ?? '', '/w/ci/gate.yml').modelPath).toBe('/w/models/m.onnx');
  });

  it('main: init never overwrites a config', async () => {
    const disk = completeDisk();
    expect(await run(['init', 'm.onnx'], { disk })).toMatchObject({
      exitCode: 2,
      stderr: 'error: bitgate.yml: exists already\n  fix: remove it, or name another file to write\n',
    });
    expect(disk).toEqual(completeDisk());
  });

  it('main: solve without a program answers the budget of the config, as a table or as one line of JSON', async () => {
    let asked: unknown;
    const solveKept: Commands['solveKept'] = async (_config, budgets) => {
      asked = budgets;
      return { report: SOLVED_REPORT, problems: [] };
    };
    expect(await run(['solve'], { commands: { solveKept } })).toEqual({
      exitCode: 0,
      stdout: `/w/m.onnx: pairwise sensitivities that are kept, kl on 384 samples; nothing was measured

budget 125,000 bytes
  layer   bits  bytes
  conv1      8    120
  head   float     40
file 124,800 bytes, 3.25 bits per weight; predicted loss 0.0123, proven optimal, in 0.0 s

budget 1.5 bits per weight: no allocation fits, the smallest has 2 bits per weight
`,
      stderr: '',
    });
    expect(asked).toEqual([{ kind: 'bytes', sizeBytes: 125_000 }]);
    const { stdout } = await run(['solve', '--budgets', '3', '--json'], { commands: { solveKept } });
    expect([stdout.split('\n').length, JSON.parse(stdout), asked]).toEqual([
      2,
      SOLVED_REPORT,
      [{ kind: 'bits-per-weight', bitsPerWeight: 3 }],
    ]);
  });

  it('main: solve prints what it has also when a budget is infeasible, says why, and is exit code 2', async () => {
    const solveKept = async () => ({
      report: SOLVED_REPORT,
      problems: [{ what: 'no allocation fits', fix: 'raise it' }],
    });
    expect(await run(['solve', '--json'], { commands: { solveKept } })).toEqual({
      exitCode: 2,
      stdout: `${JSON.stringify(SOLVED_REPORT)}\n`,
      stderr: 'error: no allocation fits\n  fix: raise it\n',
    });
  });

  it('main: solve cannot answer a budget that is auto', async () => {
    const disk = completeDisk(CONFIG.replace('\n  size: 125 KB', ' auto').replace('  max-size: 130 KB\n', ''));
    expect(await run(['solve'], { disk })).toEqual({
      exitCode: 2,
      stdout: '',
      stderr:
        'error: bitgate.yml:4:9: the budget is auto, which only measuring can answer\n  fix: name a budget: --size, --bits-per-weight or --budgets\n',
    });
    expect(await run(['solve', '--size', '9 KB'], { disk })).toMatchObject({ exitCode: 0 });
  });

  it('main: pareto prints one row per budget, and where its picture is', async () => {
    let asked: unknown;
    const pareto: Commands['pareto'] = async (_config, budgets) => {
      asked = budgets;
      return PARETO_REPORT;
    };
    expect(await run(['pareto'], { commands: { pareto } })).toEqual({
      exitCode: 0,
      stdout: `/w/m.onnx: float top1 91.70 %, 1,094,321 bytes; on 846 samples

budget             file bytes  bits per weight     top1         drop  verdict
3 bits per weight     122,950             3.00  91.35 %  0.35 points  passed
160,000 bytes         159,700             4.00  90.99 %  0.71 points  failed      dominated
9,000 bytes                                                           infeasible  the smallest is 89,012 bytes

report: /w/bitgate-report
`,
      stderr: '',
    });
    expect(asked).toBeUndefined();
  });

  it('main: evaluate prints the verdict of a model, and the exit code says it too', async () => {
    const { exitCode, stdout, stderr } = await run(['evaluate', 'models/other.onnx']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
    expect(stdout).toMatch(/^bitgate: FAIL, 5 checks of 5 failed\n/);
    expect(stdout).toContain('  model        /w/models/other.onnx, 131,000 bytes, 13100.0 % of the float file\n');
    expect(stdout).toContain('  evaluation   top1 91.00 % in float, 87.00 % quantized, on 100 samples\n');
  });

  it('main: evaluate prints JSON where it is asked to', async () => {
    const passing = { ...EVALUATION_REPORT, verdict: 'pass', passed: true, checks: [], drop: Number.NaN } as const;
    const result = await run(['evaluate', 'm.onnx', '--json'], { commands: { evaluate: async () => passing } });
    expect(result).toEqual({ exitCode: 0, stdout: `${JSON.stringify(passing)}\n`, stderr: '' });
    expect(JSON.parse(result.stdout).drop).toBeNull();
  });

  it('main: solve prints its report as one line of JSON', async () => {
    const received: unknown[] = [];
    const solveProgram: Commands['solveProgram'] = async (options) => {
      received.push(options);
      return { report: PROGRAM_REPORT, problems: [] };
    };
    const result = await run(['solve', '--program', 'p.json', '--bits-per-weight', '3'], {
      commands: { solveProgram },
    });
    expect(result).toEqual({
      exitCode: 0,
      stdout: '{"status":"optimal","objective":2,"bestBound":2,"relativeGap":0,"seconds":0.5,"bits":[2,8]}\n',
      stderr: '',
    });
    expect(received).toEqual([{ program: 'p.json', bitsPerWeight: '3', workingDirectory: '/w' }]);
  });

  it('main: solve without an allocation prints its report, says why, and is exit code 2', async () => {
    const report = { status: 'infeasible', smallestSizeBytes: 30, smallestBitsPerWeight: 2, seconds: 0.5 } as const;
    const solveProgram = async () => ({ report, problems: [{ what: 'no allocation fits', fix: 'raise it' }] });
    expect(await run(['solve', '--program', 'p.json', '--size', '1'], { commands: { solveProgram } })).toEqual({
      exitCode: 2,
      stdout: '{"status":"infeasible","smallestSizeBytes":30,"smallestBitsPerWeight":2,"seconds":0.5}\n',
      stderr: 'error: no allocation fits\n  fix: raise it\n',
    });
  });

  it('main: --help prints the usage, --version the version of the package', async () => {
    expect(await run(['--help'])).toEqual({ exitCode: 0, stdout: USAGE, stderr: '' });
    expect(await run(['--version'])).toEqual({ exitCode: 0, stdout: `${packageJson.version}\n`, stderr: '' });
  });
});
