/** The action as a program; bundled to dist/main.mjs. */
import { runAction } from './action.ts';
import { createActionHost } from './action-host.ts';
import { createCommands } from './create-commands.ts';
import { createWorld } from './create-world.ts';

const world = createWorld();
process.exitCode = await runAction({
  host: createActionHost(process.env, process.cwd()),
  files: world.files,
  commands: createCommands(world),
  now: world.now,
});
