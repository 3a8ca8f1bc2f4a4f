/** The command line as a program; dist/cli.mjs. */
import { startCli } from './bitgate.mjs';
await startCli();
