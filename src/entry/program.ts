/** The programs of the bundle. Each starter in dist/ (bin.ts, main.ts, post.ts) calls one. */
import { BITGATE_VERSION } from '../version.ts';
import { runAction } from './action.ts';
import { createActionHost } from './action-host.ts';
import { main } from './cli.ts';
import { createCommands } from './create-commands.ts';
import { createWorld } from './create-world.ts';
import { abortOnInterrupt } from './interrupt.ts';
import { runPostStep } from './post-step.ts';

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
  host.write(`bitgate ${BITGATE_VERSION} on node ${process.versions.node}, ${process.platform}-${process.arch}\n`);
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

/** The action's post step, which runs also when the main step failed or was killed. */
export async function startPost(): Promise<void> {
  process.exitCode = runPostStep(createActionHost(process.env, process.cwd()));
}
