/** The command line as a program; bundled to dist/cli.mjs. */
import { main } from './cli.ts';
import { createCommands } from './create-commands.ts';
import { createWorld } from './create-world.ts';

const world = createWorld();
process.exitCode = await main(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  workingDirectory: process.cwd(),
  environment: process.env,
  files: world.files,
  commands: createCommands(world),
  now: world.now,
});
