import { UserError } from '../errors.ts';

/**
 * How the data stage sees the disk; `entry/` implements it, tests may. Paths are absolute, with `/` before a child's
 * name.
 */
export type DatasetFiles = {
  kindOf(path: string): Promise<FileKind>;
  readFile(path: string): Promise<Uint8Array>;
  /** The entries of a folder in any order; a link is what it leads to. */
  listFolder(path: string): Promise<readonly FolderEntry[]>;
};

export type FileKind = 'file' | 'folder' | 'missing';

export type FolderEntry = { readonly name: string; readonly kind: 'file' | 'folder' | 'other' };

/**
 * The same files, whose failures (no permission, gone in the meantime) name the path and are the user's to repair;
 * errors that already do so stay as they are.
 */
export function explainFailures(files: DatasetFiles): DatasetFiles {
  const explain = async <T>(path: string, result: Promise<T>): Promise<T> => {
    try {
      return await result;
    } catch (error) {
      if (error instanceof UserError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new UserError({ what: `cannot be read: ${reason}`, where: path }, { cause: error });
    }
  };
  return {
    kindOf: (path) => explain(path, files.kindOf(path)),
    readFile: (path) => explain(path, files.readFile(path)),
    listFolder: (path) => explain(path, files.listFolder(path)),
  };
}
