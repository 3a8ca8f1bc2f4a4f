/** The stand-in for the runner is itself held against what actions/runner does. */
import { describe, expect, it } from 'vitest';
import { temporaryFolder, writeFiles } from '../runtime/packages.ts';
import { runJob } from './runner.ts';
import { createCommandReader } from './runner-commands.ts';
import { parseArtifacts, parseNamedValues } from './runner-files.ts';

function read(...lines: string[]) {
  const reader = createCommandReader();
  for (const line of lines) reader.read(line);
  return reader;
}

describe('createCommandReader', () => {
  it('createCommandReader: an annotation has its place and its text, unescaped', () => {
    const line = '::error file=a%2Cb.yml,line=3,endLine=3,col=5,endColumn=9,title=x%3A y::100%25%0Amore: a, b';
    expect(read(line).annotations).toEqual([
      {
        level: 'error',
        file: 'a,b.yml',
        line: 3,
        endLine: 3,
        column: 5,
        endColumn: 9,
        title: 'x: y',
        message: '100%\nmore: a, b',
      },
    ]);
  });

  it.each([
    ['  ::set-output name=a::b'],
    ['##[set-output name=a;]b'],
    ['text before ##[set-output name=a]b'],
    ['::SET-OUTPUT name=a::b'],
  ])('createCommandReader: %j sets an output', (line) => {
    expect(read(line).outputs).toEqual({ a: 'b' });
  });

  it.each([['text before ::set-output name=a::b'], [':: set-output name=a::b'], ['::no-such-command::b']])(
    'createCommandReader: %j is text',
    (line) => {
      const { outputs, shown } = read(line);
      expect({ outputs, shown }).toEqual({ outputs: {}, shown: [line] });
    },
  );

  it('createCommandReader: between stop-commands and its token nothing is a command', () => {
    const hostile = ['::set-output name=a::b', '##[error]x', '::other::', '::stop-commands::mine'];
    const { outputs, annotations, shown, isStopped } = read('::stop-commands::T0', ...hostile, '::t0::', '::error::y');
    expect({ outputs, shown }).toEqual({ outputs: {}, shown: hostile });
    expect(annotations).toEqual([{ level: 'error', message: 'y' }]);
    expect(isStopped()).toBe(false);
  });

  it('createCommandReader: ten annotations of a level, of 4,096 characters', () => {
    const { annotations } = read(...Array(12).fill(`::error::${'x'.repeat(5000)}`), '::warning::w');
    expect(annotations.map(({ level, message }) => [level, message.length])).toEqual([
      ...Array(10).fill(['error', 4096]),
      ['warning', 1],
    ]);
  });
});

describe('parseNamedValues', () => {
  it('parseNamedValues: values on a line, and between delimiters', () => {
    expect(parseNamedValues('a=b=c<<d\nx<<E\none\n\nE=\nE\n\n')).toEqual({ a: 'b=c<<d', x: 'one\n\nE=' });
  });

  it.each([
    ['a<<E\nb', "Invalid value. Matching delimiter not found 'E'"],
    ['a', "Invalid format 'a'"],
  ])('parseNamedValues: %j is refused', (text, message) => {
    expect(() => parseNamedValues(text)).toThrow(message);
  });
});

it('parseArtifacts: names of files that are there', () => {
  const folder = writeFiles(temporaryFolder(), { 'a/m.onnx': '' });
  expect(parseArtifacts(`# comment\na/m.onnx\n${folder}/a/m.onnx\n`, folder)).toEqual(['m.onnx', 'm.onnx']);
  expect(() => parseArtifacts('b.onnx', folder)).toThrow("file 'b.onnx' does not exist");
  expect(() => parseArtifacts('a=b', folder)).toThrow("entries containing '=' are reserved");
});

describe('runJob', () => {
  /** An action that runs a script as its main step, and tells its state in its post step. */
  function scripted(main: string) {
    const action = writeFiles(temporaryFolder(), {
      'action.yml': `inputs: { a b: { default: x }, c-d: {} }\nruns: { using: node24, main: main.mjs, post: post.mjs }\n`,
      'main.mjs': `import { appendFileSync } from 'node:fs';\nconst { env } = process;\n${main}`,
      'post.mjs': 'console.log("state", process.env.STATE_s);\n',
    });
    return { action, workspace: temporaryFolder() };
  }

  it('runJob: inputs come with their defaults, and state goes to the post step', async () => {
    const job = scripted(
      "console.log(env.INPUT_A_B, env['INPUT_C-D'], process.cwd() === env.GITHUB_WORKSPACE, env.GITHUB_TOKEN);" +
        "appendFileSync(env.GITHUB_STATE, 's=1\\n'); process.exit(3);",
    );
    const { main, post } = await runJob({ ...job, inputs: { 'c-d': 'y' } });
    expect({ exitCode: main.exitCode, log: main.log }).toEqual({ exitCode: 3, log: 'x y true undefined\n' });
    expect(post.log).toBe('state 1\n');
    await expect(runJob({ ...job, inputs: { e: '' } })).rejects.toThrow("Unexpected input(s) 'e'");
  });

  it('runJob: a summary beyond 1 MiB is dropped whole', async () => {
    const job = scripted("appendFileSync(env.GITHUB_STEP_SUMMARY, 'x'.repeat(2 ** 20 + 1));");
    const { main } = await runJob(job);
    expect(main.summary).toBe('');
    expect(main.complaints).toEqual([expect.stringContaining('$GITHUB_STEP_SUMMARY upload aborted')]);
  });

  it('runJob: a cancelled step is interrupted, and killed when it does not care', async () => {
    const polite = scripted(
      "process.on('SIGINT', () => process.exit(130)); setInterval(() => {}, 1e3); console.log('go');",
    );
    expect((await runJob({ ...polite, cancelAt: /go/ })).main.exitCode).toBe(130);
    const deaf = scripted(
      "process.on('SIGINT', () => {}); process.on('SIGTERM', () => {}); setInterval(() => {}, 1e3); console.log('go');",
    );
    const { main, post } = await runJob({ ...deaf, cancelAt: /go/, patienceMilliseconds: [50, 100] });
    expect(main).toMatchObject({ exitCode: null, signal: 'SIGKILL' });
    expect(post.exitCode).toBe(0);
  });
});
