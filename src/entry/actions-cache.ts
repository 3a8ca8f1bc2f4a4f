/** The Actions cache: a process per request (actions-cache-process.ts), and a folder that the archive is packed from. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { lstat, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { ActionsCacheClient, Failure, RestoreReply, SaveReply } from '../cache/actions-cache-client.ts';
import type { CacheFiles } from '../cache/cache-files.ts';
import { MAX_RECORDS_BYTES } from '../cache/record-lines.ts';
import type { CacheAnswer, CacheRequest } from './actions-cache-process.ts';

export type ActionsCacheOptions = {
  /** `actions-cache-process`, as source or bundled. */
  readonly processFile: URL;
  readonly environment: NodeJS.ProcessEnv;
  /** Archives and restored files go below it, and away again. */
  readonly temporaryDirectory: string;
  readonly files: CacheFiles;
  /** A request without an answer is given up. */
  readonly timeoutSeconds?: number;
};

/**
 * The path of the content in every archive. It is part of an entry's identity (@actions/cache, getCacheVersion): written
 * otherwise, `./` before it included, it names another cache.
 */
const CONTENT_FOLDER = '.bitgate-cache';
const CONTENT_FILE = `${CONTENT_FOLDER}/measurements.jsonl`;

/** The client repeats what fails with a server error for half a minute, and an entry has less than a megabyte. */
const TIMEOUT_SECONDS = 90;

/**
 * The client extracts with `tar -P`, which lets an archive write anywhere. GNU tar takes further options from the
 * environment (its manual, "TAR_OPTIONS"): names and targets of links lose their leading slashes and every "..".
 */
const STAY_INSIDE = '--transform=s,^/*,,;s,[.][.],__,g';

const MAX_ERROR_LENGTH = 10_000;

export function createActionsCacheClient(options: ActionsCacheOptions): ActionsCacheClient {
  return {
    restore: async (prefixes) => {
      const [reply, hasZstd] = await Promise.all([
        inFreshFolder(options, (folder): Promise<RestoreOutcome> => restore(options, folder, prefixes)),
        canRun('zstd', options.environment),
      ]);
      return { ...reply, hasZstd };
    },
    save: (key, text) => inFreshFolder(options, (folder): Promise<SaveReply> => save(options, folder, key, text)),
  };
}

type RestoreOutcome =
  | Failure
  | { readonly outcome: 'absent' }
  | Omit<Extract<RestoreReply, { outcome: 'restored' }>, 'hasZstd'>;

/** The folder stands for the workspace, so that a hostile archive does not put its files into the real one. */
async function inFreshFolder<Reply>(
  { files, temporaryDirectory }: ActionsCacheOptions,
  work: (folder: string) => Promise<Reply>,
): Promise<Reply | Failure> {
  let folder: string | undefined;
  try {
    // The client compares paths with the process's directory, whose links are resolved.
    folder = join(await realpath(temporaryDirectory), `bitgate-${randomUUID()}`);
    await files.makePrivateFolder(folder);
    return await work(folder);
  } catch (error) {
    return { outcome: 'failed', reason: error instanceof Error ? error.message : String(error) };
  } finally {
    if (folder !== undefined) await files.remove(folder).catch(() => undefined);
  }
}

async function restore(
  options: ActionsCacheOptions,
  folder: string,
  prefixes: readonly string[],
): Promise<RestoreOutcome> {
  const answer = await ask(options, folder, { kind: 'restore', path: CONTENT_FOLDER, prefixes });
  if (answer.kind === 'absent') return { outcome: 'absent' };
  if (answer.kind !== 'restored') return failure(answer, options.environment);
  // An archive may hold anything: reading a pipe would never end.
  if (!(await lstat(`${folder}/${CONTENT_FILE}`)).isFile())
    throw new Error(`${CONTENT_FILE} in the archive is no file`);
  const content = await options.files.readFile(`${folder}/${CONTENT_FILE}`, MAX_RECORDS_BYTES);
  return { outcome: 'restored', matchedKey: answer.matchedKey, content };
}

async function save(options: ActionsCacheOptions, folder: string, key: string, text: string): Promise<SaveReply> {
  await options.files.makePrivateFolder(`${folder}/${CONTENT_FOLDER}`);
  await options.files.writeFileAtomically(`${folder}/${CONTENT_FILE}`, text);
  const answer = await ask(options, folder, { kind: 'save', path: CONTENT_FOLDER, key });
  return answer.kind === 'saved' || answer.kind === 'exists'
    ? { outcome: answer.kind }
    : failure(answer, options.environment);
}

function failure(answer: CacheAnswer, environment: NodeJS.ProcessEnv): Failure {
  if (answer.kind === 'unavailable') return { outcome: 'unavailable' };
  const complaints = answer.kind === 'failed' ? answer.complaints : [`an unexpected answer, ${answer.kind}`];
  const texts = complaints.map((text) => text.replace(/^Failed to (restore|save): /, '').trim());
  const said = texts.filter((text, index) => !texts.some((other, at) => at > index && other.includes(text)));
  return { outcome: 'failed', reason: withoutSecrets(said.join('; '), environment) || 'the client gave no reason' };
}

/** Upload and download URLs carry signatures, and a proxy may echo a header. */
function withoutSecrets(text: string, { ACTIONS_RUNTIME_TOKEN: token }: NodeJS.ProcessEnv): string {
  const withoutToken = token ? text.replaceAll(token, '***') : text;
  return withoutToken.replace(/([?&]sig=)[^&\s"']+/g, '$1***');
}

function ask(options: ActionsCacheOptions, folder: string, request: CacheRequest): Promise<CacheAnswer> {
  const { processFile, environment, timeoutSeconds = TIMEOUT_SECONDS } = options;
  const child = fork(processFile, [], {
    cwd: folder,
    env: { ...environment, GITHUB_WORKSPACE: folder, RUNNER_TEMP: folder, TAR_OPTIONS: STAY_INSIDE },
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  return new Promise((resolve) => {
    const end = (answer: CacheAnswer) => {
      clearTimeout(timer);
      resolve(answer);
    };
    const giveUp = () => {
      child.kill('SIGKILL');
      end({ kind: 'failed', complaints: [`no answer within ${timeoutSeconds} seconds`] });
    };
    const timer = setTimeout(giveUp, timeoutSeconds * 1000);
    const errors = collectErrors(child);
    child.on('message', (answer) => end(answer as CacheAnswer));
    child.on('error', (error) => end({ kind: 'failed', complaints: [error.message] }));
    child.on('close', (code) =>
      end({ kind: 'failed', complaints: [`the client ended with exit code ${code}${errors()}`] }),
    );
    child.send(request);
  });
}

/** The line that names the error, of what a crashed process wrote. */
function collectErrors(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.on('data', (data) => {
    if (text.length < MAX_ERROR_LENGTH) text += String(data);
  });
  return () => {
    const line = /^\w*Error\b.*$/m.exec(text)?.[0];
    return line === undefined ? '' : `: ${line}`;
  };
}

function canRun(program: string, environment: NodeJS.ProcessEnv): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(program, ['--version'], { env: environment, stdio: 'ignore' });
    child.on('error', () => resolve(false));
    child.on('close', (code) => resolve(code === 0));
  });
}
