/** The command line as a program; dist/cli.mjs. */
import { startCli } from './program.ts';

await startCli();
