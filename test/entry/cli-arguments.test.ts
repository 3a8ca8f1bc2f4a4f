import { describe, expect, it } from 'vitest';
import { parseCliArguments } from '../../src/entry/cli-arguments.ts';
import { UserError } from '../../src/errors.ts';

function messageOf(argv: readonly string[]): string {
  try {
    parseCliArguments(argv);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as UserError).message;
  }
  throw new Error('nothing was thrown');
}

describe('parseCliArguments', () => {
  it.each(['run', 'inspect', 'validate'] as const)(
    'parseCliArguments: %s takes a config and every option',
    (command) => {
      const argv = [command, 'c.yml', '--model', 'm', '--output=o', '--size', '125 KB', '--bits-per-weight', '3.5'];
      argv.push('--method', 'diagonal', '--report-dir', 'r', '--cache', 'off', '--cache-dir', 'c');
      argv.push('--device', 'cpu', '--allow-download', '--runtime-path', 'p');
      expect(parseCliArguments(argv)).toEqual({
        command,
        ...(command === 'run' ? { sharding: { mode: 'all' } } : {}),
        configPath: 'c.yml',
        overrides: {
          model: 'm',
          output: 'o',
          size: '125 KB',
          bitsPerWeight: '3.5',
          method: 'diagonal',
          reportDirectory: 'r',
          cache: 'off',
          cacheDirectory: 'c',
          device: 'cpu',
          allowDownload: 'true',
          runtimePath: 'p',
        },
      });
    },
  );

  it('parseCliArguments: options may stand before the config, which is bitgate.yml by default', () => {
    expect(parseCliArguments(['run', '--size', '1 KB', 'c.yml'])).toMatchObject({ configPath: 'c.yml' });
    expect(parseCliArguments(['validate'])).toEqual({ command: 'validate', configPath: 'bitgate.yml', overrides: {} });
  });

  it('parseCliArguments: init takes a model and the config to write', () => {
    expect(parseCliArguments(['init', 'm.onnx'])).toEqual({
      command: 'init',
      modelPath: 'm.onnx',
      configPath: 'bitgate.yml',
    });
    expect(parseCliArguments(['init', 'm.onnx', 'x.yml'])).toMatchObject({ configPath: 'x.yml' });
  });

  it('parseCliArguments: solve takes a program, a budget and its limits, as they are typed', () => {
    const argv = ['solve', '--program', 'p.json', '--bits-per-weight', '3.0', '--time-limit=10s', '--gap', '1e-3'];
    expect(parseCliArguments(argv)).toEqual({
      command: 'solve-program',
      options: { program: 'p.json', bitsPerWeight: '3.0', timeLimit: '10s', gap: '1e-3' },
    });
  });

  it('parseCliArguments: evaluate takes a model, a config, and what decides over a model that is there', () => {
    expect(parseCliArguments(['evaluate', 'q.onnx'])).toEqual({
      command: 'evaluate',
      modelPath: 'q.onnx',
      configPath: 'bitgate.yml',
      overrides: {},
      asJson: false,
    });
    const argv = [
      'q.onnx',
      'c.yml',
      '--json',
      '--model',
      'm.onnx',
      '--size',
      '9',
      '--device',
      'cpu',
      '--allow-download',
    ];
    expect(parseCliArguments(['evaluate', ...argv])).toEqual({
      command: 'evaluate',
      modelPath: 'q.onnx',
      configPath: 'c.yml',
      overrides: { model: 'm.onnx', size: '9', device: 'cpu', allowDownload: 'true' },
      asJson: true,
    });
  });

  it('parseCliArguments: solve without a program, and pareto, take a config, what comes before it, and budgets', () => {
    const config = { configPath: 'bitgate.yml', overrides: {} };
    expect(parseCliArguments(['solve'])).toEqual({ command: 'solve', ...config, asJson: false });
    expect(parseCliArguments(['solve', 'c.yml', '--size', '9', '--json'])).toEqual({
      command: 'solve',
      configPath: 'c.yml',
      overrides: { size: '9' },
      asJson: true,
    });
    const argv = ['--budgets', '2.5, 3,120KB,25%,33', '--method', 'diagonal', '--allow-download'];
    const budgets = [
      { kind: 'bits-per-weight', bitsPerWeight: 2.5 },
      { kind: 'bits-per-weight', bitsPerWeight: 3 },
      { kind: 'bytes', sizeBytes: 120_000 },
      { kind: 'ratio', ratio: 0.25 },
      { kind: 'bytes', sizeBytes: 33 },
    ];
    const overrides = { method: 'diagonal', allowDownload: 'true' };
    expect(parseCliArguments(['pareto', ...argv])).toEqual({ command: 'pareto', ...config, overrides, budgets });
    expect(parseCliArguments(['pareto'])).toEqual({ command: 'pareto', ...config });
  });

  it.each([
    [['--shard', '2/4', '--share-dir', 'd'], { mode: 'measure', shard: '2/4', shareDirectory: 'd' }],
    [['--mode', 'measure', '--shard', '2/4', '--plan', '4:0-9'], { mode: 'measure', shard: '2/4', plan: '4:0-9' }],
    [['--mode', 'plan', '--shards', '4'], { mode: 'plan', shards: '4' }],
    [['--mode', 'decide', '--share-dir', 'd'], { mode: 'decide', shareDirectory: 'd' }],
  ])('parseCliArguments: run with %j', (options, sharding) => {
    expect(parseCliArguments(['run', ...options, '--size', '9'])).toEqual({
      command: 'run',
      configPath: 'bitgate.yml',
      overrides: { size: '9' },
      sharding,
    });
  });

  it('parseCliArguments: cache lists or clears, in a folder or in that of the user', () => {
    expect(parseCliArguments(['cache', 'list'])).toEqual({ command: 'cache', action: 'list' });
    expect(parseCliArguments(['cache', 'clear', '--cache-dir', 'c'])).toEqual({
      command: 'cache',
      action: 'clear',
      directory: 'c',
    });
  });

  it.each([[[]], [['--help']], [['-h']], [['run', '--help']]])('parseCliArguments: %j asks for help', (argv) => {
    expect(parseCliArguments(argv)).toEqual({ command: 'help' });
  });

  it('parseCliArguments: --version and -v ask for the version', () => {
    expect(parseCliArguments(['--version'])).toEqual({ command: 'version' });
    expect(parseCliArguments(['-v'])).toEqual({ command: 'version' });
  });

  it.each([
    [['runn', 'x'], 'unknown command runn; did you mean run?\n  fix: see `bitgate --help`'],
    [
      ['quantize'],
      'unknown command quantize, expected one of run, inspect, validate, init, evaluate, cache, solve, pareto\n  fix: see `bitgate --help`',
    ],
    [
      ['--size', '3'],
      'no command given, expected one of run, inspect, validate, init, evaluate, cache, solve, pareto\n  fix: see `bitgate --help`',
    ],
    [['run', '--sise', '3'], 'unknown option --sise; did you mean --size?\n  fix: see `bitgate --help`'],
    [['run', '--bits', '3'], 'unknown option --bits\n  fix: see `bitgate --help`'],
    [['run', '-x'], 'unknown option -x\n  fix: see `bitgate --help`'],
    [['run', '--size'], '--size needs a value\n  fix: see `bitgate --help`'],
    [['run', '--size', '--model', 'm'], '--size needs a value, found --model\n  fix: see `bitgate --help`'],
    [['run', '--help=yes'], '--help takes no value\n  fix: see `bitgate --help`'],
    [['run', '--size', '1', '--size=2'], '--size is given twice\n  fix: see `bitgate --help`'],
    [['run', 'a', 'b'], 'run takes no further argument, found b\n  fix: see `bitgate --help`'],
    [
      ['solve', '--program', 'p.json', 'x'],
      'solve --program takes no further argument, found x\n  fix: see `bitgate --help`',
    ],
    [
      ['solve', '--program', 'p', '--model', 'm'],
      '--model does not apply to solve --program\n  fix: see `bitgate --help`',
    ],
    [['solve', 'a.yml', 'b.yml'], 'solve takes no further argument, found b.yml\n  fix: see `bitgate --help`'],
    [['solve', '--gap', '1'], '--gap does not apply to solve without --program\n  fix: see `bitgate --help`'],
    [['solve', '--json=x'], '--json takes no value\n  fix: see `bitgate --help`'],
    [
      ['solve', '--size', '9', '--budgets', '3'],
      '--size and --budgets both name budgets, expected one of them\n  fix: put all of them into --budgets',
    ],
    [
      ['pareto', '--budgets', '2.5,,x,auto,101%'],
      [
        '--budgets has an empty item, expected',
        '--budgets has "x", expected',
        '--budgets has "auto", expected',
        '--budgets has "101%", expected',
      ]
        .map((what) => `${what} bits per weight such as 3.5, or a size such as "120KB" or "25%"`)
        .map((what) => `${what}\n  fix: separate budgets by commas: --budgets 2.5,3,120KB`)
        .join('\n'),
    ],
    [['pareto', '--gap', '1'], '--gap does not apply to pareto\n  fix: see `bitgate --help`'],
    [['run', '--gap', '1'], '--gap does not apply to run\n  fix: see `bitgate --help`'],
    [['cache'], 'cache needs list or clear\n  fix: see `bitgate --help`'],
    [['cache', 'remove'], 'cache needs list or clear, found remove\n  fix: see `bitgate --help`'],
    [['cache', 'list', 'x'], 'cache list takes no further argument, found x\n  fix: see `bitgate --help`'],
    [['cache', 'clear', '--size', '3'], '--size does not apply to cache clear\n  fix: see `bitgate --help`'],
    [
      ['run', '--mode', 'measur'],
      '--mode is "measur", expected one of all, plan, measure, decide; did you mean measure?',
    ],
    [['run', '--mode', 'plan'], '--mode plan needs --shards\n  fix: see `bitgate --help`'],
    [['run', '--mode', 'measure'], '--mode measure needs --shard\n  fix: see `bitgate --help`'],
    [
      ['run', '--share-dir', 'd'],
      '--share-dir means nothing with --mode all\n  fix: remove it, or use it with --mode measure or --mode decide',
    ],
    [
      ['run', '--mode', 'decide', '--shard', '1/2'],
      '--shard means nothing with --mode decide\n  fix: remove it, or use it with --mode measure',
    ],
    [['inspect', '--shard', '1/2'], '--shard does not apply to inspect\n  fix: see `bitgate --help`'],
    [['evaluate'], 'evaluate needs a model\n  fix: bitgate evaluate <model.onnx> [bitgate.yml]'],
    [['evaluate', 'm', 'c', 'x'], 'evaluate takes no further argument, found x\n  fix: see `bitgate --help`'],
    [['evaluate', 'm', '--method', 'local'], '--method does not apply to evaluate\n  fix: see `bitgate --help`'],
    [['init'], 'init needs a model\n  fix: bitgate init <model.onnx> [bitgate.yml]'],
    [['init', 'm', '--size', '3'], '--size does not apply to init\n  fix: edit the config afterwards'],
    [['init', 'm', 'c', 'x'], 'init takes no further argument, found x\n  fix: see `bitgate --help`'],
  ])('parseCliArguments: %j', (argv, message) => {
    expect(messageOf(argv)).toBe(message);
  });

  it('parseCliArguments: all wrong options are named at once', () => {
    expect(
      messageOf(['run', '--sise', '3', '--modle', 'x'])
        .split('\n')
        .filter((line) => !line.startsWith(' ')),
    ).toEqual(['unknown option --sise; did you mean --size?', 'unknown option --modle; did you mean --model?']);
  });
});
