/** The programs of the bundle. Each starter in dist/ (bin.ts, main.ts, post.ts) calls one. */
import { runAction } from './action.ts';
import { createActionHost } from './action-host.ts';
import { main } from './cli.ts';
import { createCommands } from './create-commands.ts';
import { createWorld } from './create-world.ts';
import { abortOnInterrupt } from './interrupt.ts';

/** The command line. */
export async function startCli(): Promise<void> {
  const { stdout, stderr, env: environment } = process;
  const world = createWorld({ environment, note: (line) => stderr.write(`${line}\n`), signal: abortOnInterrupt() });
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
  const host = createActionHost(process.env, process.cwd());
  const world = createWorld({
    environment: process.env,
    note: (line) => host.write(`${line}\n`),
    signal: abortOnInterrupt(),
  });
  process.exitCode = await runAction({
    host,
    files: world.files,
    commands: createCommands(world),
    now: world.now,
  });
}
