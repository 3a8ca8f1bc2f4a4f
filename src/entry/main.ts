/** The action's main step as a program; dist/main.mjs. */
import { startAction } from './program.ts';

await startAction();
