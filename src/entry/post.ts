/** The action's post step as a program, which runs also when the main step failed or was killed; bundled to dist/post.mjs. */
import { createActionHost } from './action-host.ts';
import { runPostStep } from './post-step.ts';

process.exitCode = runPostStep(createActionHost(process.env, process.cwd()));
