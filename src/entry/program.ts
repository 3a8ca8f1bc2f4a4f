/** The programs of the bundle. Each starter in dist/ (bin.ts, main.ts) calls one. */
import { BITGATE_VERSION } from '../version.ts';
import { runAction } from './action.ts';
import { createActionHost } from './action-host.ts';
import { readAllowedPaths } from './action-inputs.ts';
import { main } from './cli.ts';
import { commentOnPullRequest } from './comment-on-pull-request.ts';
import { confineFiles } from './confine-files.ts';
import { createCommands } from './create-commands.ts';
import { createWorld } from './create-world.ts';
import { nodeFiles } from './files.ts';
import { readCommitted } from './git.ts';
import { abortOnInterrupt } from './interrupt.ts';
import { separateLine } from './terminal-progress.ts';
import { readWorkflowContext } from './workflow-context.ts';

/** The command line. */
export async function startCli(): Promise<void> {
  const { stdout, stderr, env: environment } = process;
  const note = (line: string) => void stderr.write(separateLine(line, stderr.isTTY));
  const world = createWorld({ environment, note, signal: abortOnInterrupt() });
  process.exitCode = await main(process.argv.slice(2), {
    stdout,
    stderr,
    workingDirectory: process.cwd(),
    environment,
    files: world.files,
    commands: createCommands(world),
    now: world.now,
  });
}

/** The action's main step. */
export async function startAction(): Promise<void> {
  const environment = process.env;
  const host = createActionHost(environment, process.cwd());
  host.write(`bitgate ${BITGATE_VERSION} on node ${process.versions.node}, ${process.platform}-${process.arch}\n`);
  const world = createWorld({
    environment,
    note: (line) => host.write(`${line}\n`),
    signal: abortOnInterrupt(),
    isAction: true,
    announceMeasurement: (measurement) => host.saveState('measurement', JSON.stringify(measurement)),
    files: confineFiles(nodeFiles, [host.workspace, ...readAllowedPaths(host)]),
  });
  const context = readWorkflowContext(environment, await readEvent(environment));
  const addresses = {
    api: environment.GITHUB_API_URL ?? 'https://api.github.com',
    graphql: environment.GITHUB_GRAPHQL_URL ?? 'https://api.github.com/graphql',
  };
  process.exitCode = await runAction({
    host,
    context,
    files: world.files,
    commands: createCommands(world),
    readCommitted,
    comment: (inputs, passed, markdown) => commentOnPullRequest(inputs, passed, markdown, context, addresses, host),
    now: world.now,
  });
}

/** An event is at most so long (GitHub Docs, "Webhook events and payloads"). */
const MAX_EVENT_BYTES = 25 * 2 ** 20;

/** The event's payload; undefined where there is none to read, which counts as knowing nothing. */
async function readEvent({ GITHUB_EVENT_PATH: path }: NodeJS.ProcessEnv): Promise<unknown> {
  if (!path) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(await nodeFiles.readFile(path, MAX_EVENT_BYTES)));
  } catch {
    return undefined;
  }
}
