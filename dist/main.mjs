/** The action's main step as a program; dist/main.mjs. */
import { startAction } from './bitgate.mjs';
await startAction();
