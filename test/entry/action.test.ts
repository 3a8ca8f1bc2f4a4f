import { describe, expect, it } from 'vitest';
import { runAction } from '../../src/entry/action.ts';
import type { ActionHost, Annotation } from '../../src/entry/action-host.ts';
import type { Commands } from '../../src/entry/commands.ts';
import { UserError } from '../../src/errors.ts';
import type { Check } from '../../src/gate/verdict.ts';
import type { GateReport } from '../../src/report/gate-report.ts';
import { CHECKS, CONFIG, completeDisk, fakeCommands, fakeFiles, reportOf } from './fakes.ts';

type Setting = {
  readonly inputs?: Readonly<Record<string, string>>;
  readonly base?: string;
  readonly isFork?: boolean;
};

async function run(runGate: Commands['runGate'], config = CONFIG, { inputs = {}, base, isFork = false }: Setting = {}) {
  const annotations: Annotation[] = [];
  const outputs: Record<string, string | number> = {};
  let summary = '';
  let log = '';
  const host: ActionHost = {
    input: (name) => inputs[name],
    setOutput: (name, value) => void Object.assign(outputs, { [name]: value }),
    annotate: (annotation) => void annotations.push(annotation),
    addSummary: (markdown) => {
      summary += markdown;
    },
    addArtifact: () => {},
    saveState: () => {},
    state: () => undefined,
    write: (text) => {
      log += text;
    },
    workspace: '/w',
  };
  const files = fakeFiles(completeDisk(config));
  const exitCode = await runAction({
    host,
    context: { eventName: 'push', isFork, isSelfHosted: false, ...(base === undefined ? {} : { baseCommit: 'b' }) },
    files,
    commands: fakeCommands({ runGate }),
    readCommitted: async () => base,
    comment: async () => {},
    now: () => 0,
  });
  return { exitCode, annotations, outputs, summary, log };
}

function deciding(report: GateReport): Commands['runGate'] {
  return async () => report;
}

/** `level file line: message` of every annotation. */
function outline(annotations: readonly Annotation[]): readonly string[] {
  return annotations.map(({ level, where, message }) => {
    const place = typeof where === 'object' ? `${where.file}:${where.line}` : (where ?? 'nowhere');
    return `${level} ${place}: ${message}`;
  });
}

it('runAction: a passed gate is exit code 0, outputs and a summary, and no annotation', async () => {
  const { exitCode, annotations, outputs, summary } = await run(deciding(reportOf([])));
  expect({ exitCode, annotations, summary }).toEqual({ exitCode: 0, annotations: [], summary: '## pass\n' });
  expect(outputs).toEqual({
    verdict: 'pass',
    'artifact-path': '/w/out/q.onnx',
    'artifact-size-bytes': 131_000,
    accuracy: 0.87,
    'accuracy-drop': 0.04,
    'report-path': '/w/bitgate-report',
  });
});

it('runAction: every failed check is an error on the line of the config that set its limit', async () => {
  const { exitCode, annotations, outputs } = await run(deciding(reportOf(CHECKS)));
  expect({ exitCode, verdict: outputs.verdict }).toEqual({ exitCode: 1, verdict: 'fail' });
  expect(outline(annotations)).toEqual([
    'error bitgate.yml:5: artifact size is 131,000 bytes, the limit is at most 125,000 bytes; 104.8 % of it used',
    'error bitgate.yml:12: artifact size is 131,000 bytes, the limit is at most 130,000 bytes; 100.8 % of it used',
    'error bitgate.yml:10: top1 is 87.00 %, the limit is at least 90.00 %',
    'error bitgate.yml:11: top1 drop is 4.00 points, the limit is at most 1.00 points',
    'error nowhere: non-finite outputs is 2 samples, the limit is at most 0 samples',
  ]);
  expect(annotations.every(({ title }) => title === 'bitgate: failed')).toBe(true);
});

it('runAction: a warning limit is a warning on its own line, and the step succeeds', async () => {
  const config = CONFIG.replace('gate:\n', 'gate:\n  warn: { max-drop: 0.005 }\n');
  const check: Check = { ...CHECKS[3]!, limit: 0.005, limitName: 'warn.max-drop', outcome: 'warn' };
  const report: GateReport = { ...reportOf([check]), verdict: 'warn', passed: true };
  const { exitCode, annotations, outputs } = await run(deciding(report), config);
  expect({ exitCode, verdict: outputs.verdict }).toEqual({ exitCode: 0, verdict: 'warn' });
  expect(outline(annotations)).toEqual([
    'warning bitgate.yml:10: top1 drop is 4.00 points, it warns above 0.50 points',
  ]);
});

it.each([
  ['fail', 1, 'error'],
  ['warn', 0, 'warning'],
] as const)(
  'runAction: an inconclusive check that counts as %s is exit code %d and a note of level %s',
  async (counts, code, level) => {
    const config = `${CONFIG}  confidence: 0.95\n  inconclusive: ${counts}\n`;
    const interval = { lower: -0.01, upper: 0.02, confidence: 0.95, method: 'tango' } as const;
    const check: Check = { ...CHECKS[3]!, outcome: 'inconclusive', interval, samplesToSettle: 4300 };
    const report: GateReport = { ...reportOf([check]), verdict: 'inconclusive', passed: counts === 'warn' };
    const { exitCode, annotations, outputs } = await run(deciding(report), config);
    expect({ exitCode, verdict: outputs.verdict }).toEqual({ exitCode: code, verdict: 'inconclusive' });
    expect(outline(annotations)).toEqual([
      `${level} bitgate.yml:11: top1 drop is 4.00 points, the limit is at most 1.00 points; ` +
        '95 % interval -1.00 to 2.00 points; about 4,300 samples like these would settle it (an estimate)',
    ]);
    expect(annotations[0]!.title).toBe('bitgate: inconclusive');
  },
);

it('runAction: input that cannot be used is exit code 2, an error in its place, and the verdict error', async () => {
  const where = { file: 'bitgate.yml', line: 7, column: 3 };
  const refuse = () => Promise.reject(new UserError({ what: 'no labels', where, fix: 'add some' }));
  const { exitCode, annotations, outputs, summary } = await run(refuse);
  expect({ exitCode, outputs }).toEqual({ exitCode: 2, outputs: { verdict: 'error' } });
  expect(outline(annotations)).toEqual(['error bitgate.yml:7: no labels\nfix: add some']);
  expect(summary).toContain('bitgate.yml:7:3: no labels');
});

it('runAction: more problems than the runner shows are counted in the last annotation', async () => {
  const problems = Array.from({ length: 14 }, (_, index) => ({ what: `problem ${index}` }));
  const { annotations } = await run(() => Promise.reject(new UserError(problems)));
  expect(annotations).toHaveLength(10);
  expect(annotations.at(-1)!.message).toBe('and 5 more, see the log');
});

it('runAction: what the work and the report print is no command to the runner', async () => {
  const { log } = await run(async (_config, reportProgress) => {
    reportProgress({ activity: '::error::pwned', done: 0, total: 2, unit: 'forwards' });
    return reportOf([]);
  });
  const [before, ...parts] = log.split(/::stop-commands::/);
  expect(before).toBe('');
  const stopped = parts.map((part) => {
    const [token] = part.split('\n');
    expect(token).toMatch(/^[0-9a-f-]{36}$/);
    return part.slice(0, part.indexOf(`\n::${token}::\n`));
  });
  expect(stopped[0]).toContain('::error::pwned');
  expect(stopped[1]).toContain('verdict: pass');
});

describe('runAction: a command in the config of a fork', () => {
  const COMMAND = CONFIG.replace('  evaluation: { path: t.npz }\n', '')
    .replace('gate:\n', 'gate:\n  metric: command\n')
    .concat('evaluate: { command: [./measure.py] }\n');
  const MESSAGE =
    '`evaluate.command` would run what strangers wrote, with all that this job may do\n' +
    'fix: give forks a config with a metric of bitgate (top1, top5 or kl), and run the command when the change is merged';

  async function runCounting(config: string, setting: Setting) {
    let runs = 0;
    const result = await run(
      async () => {
        runs += 1;
        return reportOf([]);
      },
      config,
      setting,
    );
    return { ...result, runs };
  }

  it('runAction: is refused, on its line, though forks are allowed', async () => {
    const { exitCode, annotations, outputs, runs } = await runCounting(COMMAND, {
      isFork: true,
      inputs: { 'allow-fork': 'true' },
    });
    expect({ exitCode, runs, outputs }).toEqual({ exitCode: 2, runs: 0, outputs: { verdict: 'error' } });
    expect(outline(annotations)).toEqual([`error bitgate.yml:13: this change comes from a fork, and ${MESSAGE}`]);
  });

  it.each([
    ['the fork brings it', COMMAND, CONFIG],
    ['the base has it, and its script is of the fork', CONFIG, COMMAND],
  ])('runAction: is refused with the limits of the base too: %s', async (_, head, base) => {
    const inputs = { 'policy-ref': 'base' };
    const { exitCode, annotations, runs } = await runCounting(head, { isFork: true, inputs, base });
    expect({ exitCode, runs }).toEqual({ exitCode: 2, runs: 0 });
    expect(annotations.at(-1)!.message).toContain(MESSAGE);
  });

  it('runAction: runs for a branch, and is no matter where there is none', async () => {
    expect(await runCounting(COMMAND, {})).toMatchObject({ exitCode: 0, runs: 1 });
    expect(await runCounting(CONFIG, { isFork: true })).toMatchObject({ exitCode: 0, runs: 1 });
  });
});
