import type { DatasetFiles, FolderEntry } from '../../src/dataset/dataset-files.ts';

/** A disk in memory: file contents by absolute path. Folders are there through their files, or as a path that ends in "/". */
export function memoryFiles(contents: Readonly<Record<string, Uint8Array>>): DatasetFiles {
  const paths = Object.keys(contents);
  return {
    kindOf: async (path) => {
      if (path.endsWith('/')) throw new Error('a path to a folder does not end in "/"');
      if (Object.hasOwn(contents, path)) return 'file';
      return paths.some((other) => other.startsWith(`${path}/`)) ? 'folder' : 'missing';
    },
    readFile: async (path) => {
      const content = contents[path];
      if (content === undefined) throw new Error(`ENOENT: no such file, open '${path}'`);
      return content;
    },
    listFolder: async (folder) => {
      const inside = paths.filter((path) => path.startsWith(`${folder}/`)).map((path) => path.slice(folder.length + 1));
      const entries = new Map<string, FolderEntry>();
      for (const path of inside.filter((path) => path !== '')) {
        const [name] = path.split('/') as [string];
        entries.set(name, { name, kind: path.includes('/') ? 'folder' : 'file' });
      }
      // Backwards, because no order is promised.
      return [...entries.values()].reverse();
    },
  };
}
