/** The command line over the real pipeline, in this process: the disk, onnxruntime and HiGHS as a user would have them. */
import { main } from '../../src/entry/cli.ts';
import { createCommands, type World } from '../../src/entry/create-commands.ts';
import { createWorld } from '../../src/entry/create-world.ts';
import { nodeFiles } from '../../src/entry/files.ts';

export type Outcome = {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** How many sessions the run opened: none, where bad input is found before a model runs. */
  readonly sessionCount: number;
};

/** HiGHS starts once for all runs of a test file. */
const { solve } = createWorld({ environment: {}, note: () => {}, signal: new AbortController().signal });

/**
 * Run one command.
 *
 * @param argv the arguments after the program's name
 * @param folder the working directory, and the home of whatever caches
 * @param variables of the environment
 */
export async function bitgate(
  argv: readonly string[],
  folder: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  let [stdout, stderr, sessionCount] = ['', '', 0];
  const write = (text: string) => {
    stderr += text;
  };
  const environment = { ...process.env, XDG_CACHE_HOME: `${folder}/cache`, ...variables };
  const note = (line: string) => write(`${line}\n`);
  const world = createWorld({ environment, note, signal: new AbortController().signal });
  const counting: World = {
    ...world,
    solve,
    openRuntime: async (config) => {
      const runtime = await world.openRuntime(config);
      const openSession: typeof runtime.openSession = (...model) => {
        sessionCount += 1;
        return runtime.openSession(...model);
      };
      return { ...runtime, openSession };
    },
  };
  const exitCode = await main(argv, {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write },
    workingDirectory: folder,
    environment,
    files: nodeFiles,
    commands: createCommands(counting),
    now: world.now,
  });
  return { exitCode, stdout, stderr, sessionCount };
}

/** Only what a failure says, without the progress and the warnings before it. */
export function errorsOf({ stderr }: Outcome): string {
  return stderr.slice(Math.max(0, stderr.search(/^error: /m)));
}
