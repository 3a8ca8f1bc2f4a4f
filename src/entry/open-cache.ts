/** Where measurements are kept: a folder of the user or of the runner, or the Actions cache behind a folder of the job. */
import { randomUUID } from 'node:crypto';
import { availableParallelism, homedir, tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { type CachePolicy, cachePolicy } from '../cache/cache-policy.ts';
import { createGithubStore, type GithubStore } from '../cache/github-store.ts';
import { createLocalStore, type LocalStore } from '../cache/local-store.ts';
import { openMeasurementCache } from '../cache/measurement-cache.ts';
import type { CacheConfig } from '../config/config.ts';
import type { OpenCache } from '../pipeline/known-units.ts';
import { createActionsCacheClient } from './actions-cache.ts';
import { nodeCacheFiles } from './cache-files.ts';

export type CachePlace = {
  readonly environment: NodeJS.ProcessEnv;
  /** The action alone reaches the Actions cache. */
  readonly isAction: boolean;
};

/** @param processFile `actions-cache-process`, as source or bundled */
export function createOpenCache({ environment, isAction }: CachePlace, processFile: URL): OpenCache {
  const { GITHUB_EVENT_NAME: name, GITHUB_REF: ref = '' } = environment;
  const event = name ? { event: { name, ref } } : {};
  return async (config, set) => {
    // Who wants nothing needs no store.
    const configured = set.wanted.length === 0 ? 'off' : config.setting;
    const policy = cachePolicy({ configured, isAction, ...event });
    const local = storeAt(cacheDirectory(policy.store, config, { environment, isAction }));
    const github = policy.store === 'github' ? { github: githubStore(environment, processFile) } : {};
    return openMeasurementCache(
      { ...set, policy },
      { local, ...github, now: Date.now, environment: describeMachine() },
    );
  };
}

export function storeAt(directory: string): LocalStore {
  return createLocalStore({ directory, files: nodeCacheFiles, newName: randomUUID });
}

export function githubStore(environment: NodeJS.ProcessEnv, processFile: URL): GithubStore {
  const temporaryDirectory = environment.RUNNER_TEMP ?? tmpdir();
  const client = createActionsCacheClient({ processFile, environment, temporaryDirectory, files: nodeCacheFiles });
  const { ACTIONS_CACHE_MODE: mode } = environment;
  return createGithubStore({ client, ...(mode === undefined ? {} : { mode }) });
}

/** The folder of what is kept on this machine; for the Actions cache, of what the job has measured until it is saved. */
export function cacheDirectory(
  store: CachePolicy['store'],
  { directory }: Pick<CacheConfig, 'directory'>,
  { environment, isAction }: CachePlace,
): string {
  const { RUNNER_TEMP, RUNNER_TOOL_CACHE } = environment;
  if (store === 'github') return join(RUNNER_TEMP ?? tmpdir(), 'bitgate-measurements');
  if (directory !== undefined) return directory;
  const home = isAction && RUNNER_TOOL_CACHE ? RUNNER_TOOL_CACHE : cacheHome(environment);
  return join(home, 'bitgate', 'measurements');
}

/** XDG Base Directory Specification, which has relative paths ignored. */
export function cacheHome({ XDG_CACHE_HOME = '' }: NodeJS.ProcessEnv): string {
  return isAbsolute(XDG_CACHE_HOME) ? XDG_CACHE_HOME : join(homedir(), '.cache');
}

/** For people who wonder where a record comes from. */
function describeMachine(): string {
  const { platform, arch, versions } = process;
  return `${platform}-${arch}, ${availableParallelism()} cores, node ${versions.node}`;
}
