/** The disk as a config of strangers may use it: some folders and what is in them, wherever links lead. */
import { realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { UserError } from '../errors.ts';
import { type Files, isMissing } from './files.ts';

/**
 * The same files, of which every path outside `roots` is refused. A path is followed through its links, as far as it
 * exists; what does not exist yet is inside where its nearest folder is.
 */
export function confineFiles(files: Files, roots: readonly string[]): Files {
  const inside = <Rest extends unknown[], Result>(use: (path: string, ...rest: Rest) => Promise<Result>) => {
    return async (path: string, ...rest: Rest): Promise<Result> => {
      await refuseOutside(path, roots);
      return use(path, ...rest);
    };
  };
  const toWrite = <Rest extends unknown[], Result>(use: (path: string, ...rest: Rest) => Promise<Result>) => {
    return inside(async (path: string, ...rest: Rest): Promise<Result> => {
      refuseGitFolder(path);
      return use(path, ...rest);
    });
  };
  return {
    kindOf: inside(files.kindOf),
    listFolder: inside(files.listFolder),
    readFile: inside(files.readFile),
    // Kept inside the model's folder by itself, and that is inside.
    externalDataOf: files.externalDataOf,
    makeFolder: toWrite(files.makeFolder),
    writeFileAtomically: toWrite(files.writeFileAtomically),
    useTemporaryFile: async (folder, name, content, use) => {
      await refuseOutside(folder, roots);
      refuseGitFolder(folder);
      return files.useTemporaryFile(folder, name, content, use);
    },
    assertFileCanBeWritten: toWrite(files.assertFileCanBeWritten),
    assertFolderCanBeWritten: toWrite(files.assertFolderCanBeWritten),
  };
}

async function refuseOutside(path: string, roots: readonly string[]): Promise<void> {
  const real = await resolveLinks(path);
  for (const root of roots) if (isWithin(real, await resolveLinks(root))) return;
  const target = real === path ? '' : `, it leads to ${real}`;
  throw new UserError({
    what: `the path is outside the workspace${target}`,
    where: path,
    fix: 'keep it in the workspace, or name its folder in the input `allow-paths` of the workflow',
  });
}

/** The path without links; of what does not exist, the part that does. */
async function resolveLinks(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (cause) {
    if (!isMissing(cause) || dirname(path) === path) throw cannotFollow(path, cause);
    return join(await resolveLinks(dirname(path)), relative(dirname(path), path));
  }
}

function cannotFollow(path: string, cause: unknown): UserError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new UserError({ what: `the path cannot be followed: ${reason}`, where: path }, { cause });
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** Git runs what stands in its folder. */
function refuseGitFolder(path: string): void {
  if (!path.split(sep).some((part) => part.toLowerCase() === '.git')) return;
  throw new UserError({ what: 'nothing is written into a .git folder', where: path, fix: 'choose another folder' });
}
