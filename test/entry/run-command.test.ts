import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type CommandRequest, createRunCommand } from '../../src/entry/run-command.ts';
import { temporaryFolder, writeFiles } from '../runtime/packages.ts';
import { isAlive } from './is-alive.ts';

const NEVER = new AbortController().signal;

/** A node script in a folder of its own, run on a model that nobody reads. */
function request(script: string, changes: Partial<CommandRequest> = {}): CommandRequest {
  const folder = writeFiles(temporaryFolder(), { 'metric.mjs': script });
  const command = [process.execPath, 'metric.mjs'];
  return { command, modelPath: '/models/a b.onnx', folder, timeLimitSeconds: 30, ...changes };
}

function run(
  script: string,
  changes: Partial<CommandRequest> = {},
  environment: NodeJS.ProcessEnv = process.env,
  signal = NEVER,
) {
  return createRunCommand(environment)(request(script, changes), signal);
}

const PRINT_WORLD = `console.log(JSON.stringify({
  args: process.argv.slice(2), model: process.env.BITGATE_MODEL, folder: process.cwd(),
}))`;

describe('createRunCommand', () => {
  it('createRunCommand: a list gets the model as its last argument and in the environment, in its folder', async () => {
    const asked = request(PRINT_WORLD, { command: [process.execPath, 'metric.mjs', '--split', '$HOME;ls'] });
    const end = await createRunCommand(process.env)(asked, NEVER);
    expect(end).toEqual({ kind: 'done', lastLine: expect.any(String), complaint: [] });
    expect(JSON.parse((end as { lastLine: string }).lastLine)).toEqual({
      args: ['--split', '$HOME;ls', '/models/a b.onnx'],
      model: '/models/a b.onnx',
      folder: asked.folder,
    });
  });

  it('createRunCommand: a text goes through the shell, which has the model in the environment', async () => {
    const command = `echo first; printf '%s|' "$BITGATE_MODEL" && printf two`;
    expect(await run('', { command })).toEqual({ kind: 'done', lastLine: '/models/a b.onnx|two', complaint: [] });
  });

  it('createRunCommand: the last line that is not empty counts, and no line at all is no line', async () => {
    expect(await run("process.stdout.write('a\\n{}\\n\\n  \\n')")).toMatchObject({ kind: 'done', lastLine: '{}' });
    const nothing = await run('console.log()');
    expect(nothing).toEqual({ kind: 'done', complaint: [] });
  });

  it('createRunCommand: a line of many parts is whole, with its characters', async () => {
    const script = "process.stdout.write('ä'.repeat(300_000) + '\\n' + '€'.repeat(200_000))";
    const end = await run(script);
    expect(end.kind === 'done' && end.lastLine === '€'.repeat(200_000)).toBe(true);
  });

  it('createRunCommand: a failure has its exit code and the last ten lines of its complaint', async () => {
    const script = "for (let line = 1; line <= 30; line++) console.error('line ' + line);\nprocess.exitCode = 3;";
    const complaint = Array.from({ length: 10 }, (_, index) => `line ${index + 21}`);
    expect(await run(script)).toEqual({ kind: 'failed', reason: 'exit code 3', complaint });
  });

  it('createRunCommand: a crash has its signal', async () => {
    const end = await run("process.kill(process.pid, 'SIGSEGV'); setTimeout(() => {}, 9e5)");
    expect(end).toMatchObject({ kind: 'failed', reason: 'signal SIGSEGV' });
  });

  it('createRunCommand: a program that is not there is not started', async () => {
    const end = await run('', { command: ['./no-such-program'] });
    expect(end).toEqual({ kind: 'not-started', reason: expect.stringContaining('ENOENT'), complaint: [] });
  });

  it('createRunCommand: what is between the runner and this process is not handed on, all else is', async () => {
    const kept = { PATH: process.env.PATH, GITHUB_WORKSPACE: '/w', HF_TOKEN: 'h' };
    const secrets = {
      INPUT_GITHUB_TOKEN: 's',
      ACTIONS_RUNTIME_TOKEN: 's',
      STATE_phase: 's',
      GITHUB_TOKEN: 's',
      GH_TOKEN: 's',
      GITHUB_OUTPUT: '/o',
      GITHUB_ENV: '/e',
      GITHUB_PATH: '/p',
      GITHUB_STATE: '/s',
      GITHUB_STEP_SUMMARY: '/m',
      GITHUB_ARTIFACTS: '/a',
    };
    const end = await run('console.log(JSON.stringify(process.env))', {}, { ...kept, ...secrets });
    const environment = JSON.parse((end as { lastLine: string }).lastLine);
    expect(environment).toMatchObject({ ...kept, BITGATE_MODEL: '/models/a b.onnx' });
    expect(Object.keys(secrets).filter((name) => name in environment)).toEqual([]);
  });
});

/** Starts a child that writes down its number and lives on, as the script does; both are deaf to SIGTERM if wanted. */
function withChild(isDeaf: boolean, afterwards: string): string {
  const deaf = isDeaf ? "process.on('SIGTERM', () => {});" : '';
  const child = `${deaf} require('fs').writeFileSync('child', String(process.pid)); setInterval(() => {}, 1000)`;
  return `import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
${deaf}
writeFileSync('parent', String(process.pid));
spawn(process.execPath, ['-e', ${JSON.stringify(child)}], { stdio: 'inherit' });
const timer = setInterval(() => { if (existsSync('child')) { clearInterval(timer); ${afterwards} } }, 20);`;
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 250 && !condition(); tries++) await sleep(20);
  expect(condition()).toBe(true);
}

function numbersIn(folder: string): number[] {
  return ['parent', 'child'].map((name) => Number(readFileSync(join(folder, name), 'utf8')));
}

describe('createRunCommand: nothing of it is left', () => {
  it.each([false, true])('createRunCommand: out of time, deaf to SIGTERM: %s', async (isDeaf) => {
    const asked = request(withChild(isDeaf, 'setInterval(() => {}, 1000)'), { timeLimitSeconds: 1 });
    const begun = performance.now();
    expect(await createRunCommand(process.env)(asked, NEVER)).toMatchObject({ kind: 'out-of-time' });
    expect(performance.now() - begun).toBeLessThan(isDeaf ? 4_500 : 2_500);
    await until(() => !numbersIn(asked.folder).some(isAlive));
  });

  it.each([false, true])('createRunCommand: aborted, deaf to SIGTERM: %s', async (isDeaf) => {
    const asked = request(withChild(isDeaf, 'setInterval(() => {}, 1000)'));
    const controller = new AbortController();
    const running = createRunCommand(process.env)(asked, controller.signal);
    await until(() => existsSync(join(asked.folder, 'child')) && numbersIn(asked.folder).every(isAlive));
    const begun = performance.now();
    controller.abort(new Error('interrupted'));
    await expect(running).rejects.toThrow('interrupted');
    // The runner gives a cancelled job 7.5 s, and interrupt.ts takes 5 of them.
    expect(performance.now() - begun).toBeLessThan(4_000);
    await until(() => !numbersIn(asked.folder).some(isAlive));
  });

  it('createRunCommand: what it left in the background', async () => {
    const asked = request(withChild(true, 'console.log("{}"); process.exit(0)'));
    expect(await createRunCommand(process.env)(asked, NEVER)).toMatchObject({ kind: 'done', lastLine: '{}' });
    await until(() => !numbersIn(asked.folder).some(isAlive));
  });

  it('createRunCommand: a line without end', async () => {
    const endless = "const part = 'x'.repeat(2 ** 20); const more = () => process.stdout.write(part, more); more();";
    const begun = performance.now();
    expect(await run(endless)).toMatchObject({ kind: 'too-long-a-line' });
    expect(performance.now() - begun).toBeLessThan(15_000);
  });

  it('createRunCommand: aborted before, it does not start', async () => {
    const asked = request("import { writeFileSync } from 'node:fs'; writeFileSync('child', '1')");
    const aborted = AbortSignal.abort(new Error('too late'));
    await expect(createRunCommand(process.env)(asked, aborted)).rejects.toThrow('too late');
    expect(existsSync(join(asked.folder, 'child'))).toBe(false);
  });
});
