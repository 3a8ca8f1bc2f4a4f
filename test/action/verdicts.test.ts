/** The built action on the example, as a workflow sees it: every outcome of the gate. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { CONFIG, ROOT, workspaceWith } from './glyphs.ts';
import { type JobResult, runJob } from './runner.ts';

type Run = JobResult & { readonly workspace: string };

async function run(config: string, inputs: Readonly<Record<string, string>> = {}): Promise<Run> {
  const workspace = workspaceWith(config);
  return { workspace, ...(await runJob({ action: ROOT, workspace, inputs })) };
}

/** What no run does, whatever its outcome. */
function expectGoodManners({ main, post, workspace }: Run) {
  for (const step of [main, post]) {
    expect(step.complaints).toEqual([]);
    expect({ environment: step.environment, path: step.path }).toEqual({ environment: {}, path: '' });
  }
  expect(post).toMatchObject({ exitCode: 0, summary: '', annotations: [] });
  expect(main.outputs['report-path'] ?? join(workspace, 'build/report')).toBe(join(workspace, 'build/report'));
}

describe('a gate that passes', () => {
  let result: Run;
  beforeAll(async () => {
    result = await run(CONFIG);
  });

  it('pass: exit code 0, and every output', () => {
    const { main, workspace } = result;
    expect(main.exitCode, main.log).toBe(0);
    expect(main.outputs).toEqual({
      verdict: 'pass',
      'artifact-path': join(workspace, 'build/glyphs.quant.onnx'),
      'artifact-size-bytes': expect.stringMatching(/^\d{5}$/),
      accuracy: expect.stringMatching(/^0\.9\d+$|^1$/),
      'accuracy-drop': expect.stringMatching(/^-?0(\.\d+)?$/),
      'report-path': join(workspace, 'build/report'),
    });
    expectGoodManners(result);
  });

  it('pass: the files are there, and the report agrees with the outputs', () => {
    const { main, workspace } = result;
    const report = JSON.parse(readFileSync(join(workspace, 'build/report/result.json'), 'utf8'));
    const artifact = readFileSync(join(workspace, 'build/glyphs.quant.onnx'));
    expect(main.outputs['artifact-size-bytes']).toBe(String(artifact.length));
    expect(report).toMatchObject({
      verdict: 'pass',
      artifact: { sizeBytes: artifact.length },
      quantized: { value: Number(main.outputs.accuracy) },
      environment: { executionProvider: 'cpu', onnxruntime: '1.30.0' },
    });
    for (const name of ['summary.md', 'report.html'])
      expect(existsSync(join(workspace, 'build/report', name))).toBe(true);
  });

  it('pass: the summary begins with the verdict, and there is no annotation but of what the config leaves open', () => {
    const { main, workspace } = result;
    expect(main.summary).toMatch(/^## ✅ bitgate: /);
    expect(main.summary.trim()).toBe(readFileSync(join(workspace, 'build/report/summary.md'), 'utf8').trim());
    expect(main.annotations).toEqual([]);
  });

  it('pass: the file is on the list of what may be attested', () => {
    expect(result.main.artifacts).toEqual(['glyphs.quant.onnx']);
  });

  it('pass: the log says which runtime ran where', () => {
    expect(result.main.log).toMatch(/^bitgate \d+\.\d+\.\d+ on node \d+\./);
    expect(result.main.log).toContain(
      `onnxruntime 1.30.0: node_modules, ${join(ROOT, 'node_modules/onnxruntime-node')}`,
    );
    expect(result.main.log).toContain('\ndevice: cpu\n');
  });
});

describe('other outcomes', () => {
  it('fail: exit code 1, an error on the line of the limit, the file and the report all the same', async () => {
    const result = await run(CONFIG.replace('min: 0.9', 'min: 1'), { 'bits-per-weight': '2.1' });
    const { main, workspace } = result;
    expect(main.exitCode, main.log).toBe(1);
    expect(main.outputs.verdict).toBe('fail');
    expect(main.annotations).toEqual([
      {
        level: 'error',
        title: 'bitgate: failed',
        message: expect.stringMatching(/^top1 is \d+\.\d\d %, the limit is at least 100\.00 %/),
        file: 'bitgate.yml',
        line: 15,
        endLine: 15,
        column: 8,
        endColumn: 9,
      },
    ]);
    expect(main.summary).toMatch(/^## ❌ bitgate: /);
    expect(main.summary).toContain('bitgate run bitgate.yml --bits-per-weight 2.1');
    expect(existsSync(join(workspace, 'build/glyphs.quant.onnx'))).toBe(true);
    expect(existsSync(join(workspace, 'build/report/result.json'))).toBe(true);
    expect(main.artifacts).toEqual([]);
    expectGoodManners(result);
  });

  it('inconclusive: exit code 1 and the samples that would settle it; only a warning where the config says so', async () => {
    const unsure = CONFIG.replace('min: 0.9', 'min: 0.97\n  confidence: 0.99');
    const failing = await run(unsure);
    expect(failing.main.exitCode, failing.main.log).toBe(1);
    expect(failing.main.outputs.verdict).toBe('inconclusive');
    expect(failing.main.annotations).toMatchObject([
      { level: 'error', line: 15, message: expect.stringMatching(/samples/) },
    ]);
    expect(failing.main.summary).toMatch(/^## ❔ bitgate: /);

    const warning = await run(unsure.replace('confidence: 0.99', 'confidence: 0.99\n  inconclusive: warn'));
    expect(warning.main.exitCode).toBe(0);
    expect(warning.main.outputs.verdict).toBe('inconclusive');
    expect(warning.main.annotations).toMatchObject([{ level: 'warning', line: 15 }]);
    expectGoodManners(warning);
  });

  it('warn: exit code 0, and a warning on its line', async () => {
    const result = await run(CONFIG.replace('min: 0.9', 'min: 0.5\n  warn: { min: 1 }'), { 'bits-per-weight': '3' });
    expect(result.main.exitCode, result.main.log).toBe(0);
    expect(result.main.outputs.verdict).toBe('warn');
    expect(result.main.annotations).toMatchObject([{ level: 'warning', line: 16 }]);
    expectGoodManners(result);
  });

  it('infeasible budget: exit code 2 and the smallest one that can be met, and nothing is written', async () => {
    const result = await run(CONFIG.replace('bits: 4.0', 'bits: 1.5'));
    const { main, workspace } = result;
    expect(main.exitCode).toBe(2);
    expect(main.outputs).toEqual({ verdict: 'error' });
    expect(main.annotations).toMatchObject([{ level: 'error', message: expect.stringMatching(/smallest/) }]);
    expect(main.summary).toMatch(/^## bitgate: the input cannot be used\n/);
    expect(existsSync(join(workspace, 'build/glyphs.quant.onnx'))).toBe(false);
    expectGoodManners(result);
  });

  it('bad config: exit code 2, each problem on its line, all of them in log and summary', async () => {
    const result = await run(CONFIG.replace('min: 0.9', 'min: 90').replace('method: rtn', 'method: rtm'));
    const { main } = result;
    expect(main.exitCode).toBe(2);
    expect(main.outputs).toEqual({ verdict: 'error' });
    expect(main.annotations.map(({ level, file, line }) => [level, file, line])).toEqual([
      ['error', 'bitgate.yml', 7],
      ['error', 'bitgate.yml', 15],
    ]);
    for (const text of [main.log, main.summary]) {
      expect(text).toContain('`quantize.method` is "rtm", expected one of rtn, gptq, gpfq; did you mean rtn?');
      expect(text).toContain('`gate.min` is 90');
    }
    expectGoodManners(result);
  });

  it('many problems: ten annotations, of which the last counts the rest', async () => {
    const unknown = Array.from({ length: 15 }, (_, index) => `unknown${index}: 1\n`).join('');
    const { main } = await run(CONFIG + unknown);
    expect(main.annotations).toHaveLength(10);
    expect(main.annotations[9]!.message).toBe('and 6 more, see the log');
    expect(main.complaints).toEqual([]);
  });

  it('bad input: exit code 2 and the words that it takes', async () => {
    const result = await run(CONFIG, { comment: 'alwys', 'allow-fork': 'yes', device: 'gpu' });
    expect(result.main.exitCode).toBe(2);
    expect(result.main.annotations.map(({ message }) => message)).toEqual([
      'input `allow-fork` is "yes", expected one of true, false',
      'input `comment` is "alwys", expected one of off, on-failure, always; did you mean always?',
    ]);
  });

  it('a device that is not there: exit code 2 and the reason, no other device in its place', async () => {
    const result = await run(CONFIG, { device: 'cuda' });
    const { main } = result;
    expect(main.exitCode).toBe(2);
    expect(main.annotations).toMatchObject([
      {
        message: expect.stringMatching(/^the device cuda cannot be used: libonnxruntime_providers_cuda\.so is not in /),
      },
    ]);
    expectGoodManners(result);
  });
});

describe('a budget that is auto', () => {
  it('auto: as an input of the action, the smallest model that passes is what the outputs name', async () => {
    const { main, workspace } = await run(CONFIG, { size: 'auto' });
    expect(main.exitCode, main.log).toBe(0);
    const { sizeSearch, artifact } = JSON.parse(readFileSync(join(workspace, 'build/report/result.json'), 'utf8'));
    const chosen = sizeSearch.steps.find((step: { readonly chosen: boolean }) => step.chosen);
    expect(main.outputs).toMatchObject({ verdict: 'pass', 'artifact-size-bytes': String(chosen.sizeBytes) });
    expect(artifact.sizeBytes).toBe(chosen.sizeBytes);
    expect(main.summary).toContain('Search for the smallest model');
    expect(main.log).toContain('budget auto, step 1: ');
  });

  it('auto: without a limit on the accuracy it is refused, on its line', async () => {
    const { main } = await run(CONFIG.replace('\n  bits: 4.0', ' auto').replace('  min: 0.9\n', ''));
    expect(main.exitCode).toBe(2);
    expect(main.annotations).toEqual([
      expect.objectContaining({ message: expect.stringContaining('the budget is auto'), line: 5 }),
    ]);
  });
});
