import { execFile } from 'node:child_process';
import { basename, dirname } from 'node:path';
import { MAX_TEXT_BYTES } from '../config/yaml-document.ts';
import { UserError } from '../errors.ts';

/** Reads a text file as it was in a commit; undefined when the commit has no such file. */
export type ReadCommitted = (path: string, commit: string) => Promise<string | undefined>;

const TIMEOUT_MILLISECONDS = 60_000;
const COMMIT = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

/**
 * Read from the repository that holds `path`.
 *
 * @throws UserError if there is no git, no repository, or the commit is not in this checkout
 */
export const readCommitted: ReadCommitted = async (path, commit) => {
  if (!COMMIT.test(commit)) throw new Error(`no commit: ${JSON.stringify(commit)}`);
  const folder = dirname(path);
  const hasCommit = await git(folder, ['cat-file', '-e', `${commit}^{commit}`]);
  if (!hasCommit.isDone) {
    const what = `the base commit ${commit} is not in this checkout: ${hasCommit.text}`;
    throw new UserError({
      what,
      fix: 'give actions/checkout `fetch-depth: 0`, so that the limits of the base can be read',
    });
  }
  // Plumbing, because `git show` runs what the repository's attributes say.
  const object = `${commit}:./${basename(path)}`;
  if (!(await git(folder, ['cat-file', '-e', object])).isDone) return undefined;
  const { isDone, text } = await git(folder, ['cat-file', 'blob', object]);
  if (!isDone) throw new UserError({ what: `the base's file cannot be read: ${text}`, where: path });
  return text;
};

/** Standard output, or on failure the last line of the complaint. */
function git(folder: string, args: readonly string[]): Promise<{ readonly isDone: boolean; readonly text: string }> {
  // In a container the workspace belongs to another user; git trusts it when told so on its command line.
  const options = ['-c', 'safe.directory=*', '-C', folder];
  return new Promise((resolve) => {
    execFile(
      'git',
      [...options, ...args],
      { timeout: TIMEOUT_MILLISECONDS, maxBuffer: MAX_TEXT_BYTES },
      (error, stdout, stderr) => {
        const complaint = stderr.trim().split('\n').at(-1) || error?.message || '';
        resolve(error === null ? { isDone: true, text: stdout } : { isDone: false, text: complaint });
      },
    );
  });
}
