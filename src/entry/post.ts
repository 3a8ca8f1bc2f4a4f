/** The action's post step as a program, which runs also when the main step failed or was killed; bundled to dist/post.mjs. */
import { saveKept } from '../cache/measurement-cache.ts';
import { createActionHost } from './action-host.ts';
import { cacheDirectory, githubStore, storeAt } from './open-cache.ts';
import { runPostStep } from './post-step.ts';

/** Beside this file, or beside its bundle; in a variable, or the bundler would copy it as an asset. */
const CACHE_PROCESS = import.meta.url.endsWith('.ts') ? './actions-cache-process.ts' : './actions-cache-process.mjs';

const environment = process.env;
process.exitCode = await runPostStep(createActionHost(environment, process.cwd()), (measurement) => {
  // Only a run with the Actions cache keeps its measurements there; any other has kept them where the next one looks.
  const directory = cacheDirectory('github', {}, { environment, isAction: true });
  const github = githubStore(environment, new URL(CACHE_PROCESS, import.meta.url));
  return saveKept(measurement, { local: storeAt(directory), github });
});
