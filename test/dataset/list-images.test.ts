import { describe, expect, it } from 'vitest';
import type { FolderEntry } from '../../src/dataset/dataset-files.ts';
import { listImages } from '../../src/dataset/list-images.ts';
import { memoryFiles } from './memory-files.ts';

const NOTHING = new Uint8Array(0);

function list(...paths: string[]) {
  return listImages('/p', memoryFiles(Object.fromEntries(paths.map((path) => [`/p/${path}`, NOTHING]))));
}

describe('listImages', () => {
  it('listImages: pictures alone have no labels and are sorted by name', async () => {
    expect(await list('b.JPG', 'a.jpeg', 'C.png', '10.jpg', '9.PNG')).toEqual({
      names: ['10.jpg', '9.PNG', 'C.png', 'a.jpeg', 'b.JPG'],
    });
  });

  it('listImages: folders of numbers are class indices, in their order as numbers', async () => {
    expect(await list('10/a.jpg', '2/b.jpg', '2/a.jpg', '007/c.jpg')).toEqual({
      names: ['2/a.jpg', '2/b.jpg', '007/c.jpg', '10/a.jpg'],
      labels: Int32Array.of(2, 2, 7, 10),
    });
  });

  it('listImages: other folders are classes in the order of their names', async () => {
    expect(await list('dog/1.jpg', 'cat/2.jpg', 'cat/1.jpg', 'Zebra/1.jpg', '3/1.jpg')).toEqual({
      names: ['3/1.jpg', 'Zebra/1.jpg', 'cat/1.jpg', 'cat/2.jpg', 'dog/1.jpg'],
      labels: Int32Array.of(0, 1, 2, 2, 3),
    });
  });

  it('listImages: a class without pictures keeps its index', async () => {
    expect(await list('a/1.jpg', 'b/', 'c/1.jpg')).toEqual({
      names: ['a/1.jpg', 'c/1.jpg'],
      labels: Int32Array.of(0, 2),
    });
  });

  it('listImages: hidden entries and files of other kinds are passed over', async () => {
    expect(await list('.DS_Store', '.git/a.jpg', '._1.jpg', '1.jpg', 'README.md', 'labels.csv', 'jpg')).toEqual({
      names: ['1.jpg'],
    });
    expect(await list('0/1.jpg', '0/.hidden/2.jpg', '0/Thumbs.db', 'notes.txt')).toEqual({
      names: ['0/1.jpg'],
      labels: Int32Array.of(0),
    });
  });

  it('listImages: what is neither file nor folder is passed over', async () => {
    const entries: FolderEntry[] = [
      { name: 'broken-link.jpg', kind: 'other' },
      { name: '1.jpg', kind: 'file' },
    ];
    const files = { ...memoryFiles({}), listFolder: async () => entries };
    expect(await listImages('/p', files)).toEqual({ names: ['1.jpg'] });
  });

  it.each(['bmp', 'gif', 'heic', 'jp2', 'tif', 'TIFF', 'webp', 'avif'])(
    'listImages: a picture in a format that is not read is named, not left out: %s',
    async (ending) => {
      await expect(list('a.jpg', `b.${ending}`)).rejects.toThrow(
        `/p: 'b.${ending}' is neither JPEG nor PNG\n  fix: convert it, or move it away`,
      );
      await expect(list('0/a.jpg', `0/b.${ending}`)).rejects.toThrow(`/p/0: 'b.${ending}' is neither JPEG nor PNG`);
    },
  );

  it('listImages: a folder inside a class is refused', async () => {
    await expect(list('cat/1.jpg', 'cat/indoor/2.jpg')).rejects.toThrow(
      "/p/cat: the class folder holds another folder: 'indoor'\n" +
        '  fix: put the pictures of a class directly into its folder',
    );
  });

  it('listImages: pictures next to class folders are refused', async () => {
    await expect(list('0/1.jpg', 'stray.jpg')).rejects.toThrow(
      "/p: the folder holds pictures ('stray.jpg') next to class folders ('0')\n" +
        '  fix: move every picture into the folder of its class',
    );
  });

  it('listImages: two folders of one index are refused', async () => {
    await expect(list('1/a.jpg', '01/a.jpg', '2/a.jpg')).rejects.toThrow(
      "/p: the folders '01' and '1' are the same class index\n  fix: merge them",
    );
  });

  it.each([[['notes.txt']], [['0/notes.txt']], [['0/']], [['.hidden/1.jpg']]])(
    'listImages: a folder without pictures is refused: %j',
    async (paths) => {
      await expect(list(...paths)).rejects.toThrow(
        '/p: the folder has no pictures\n  fix: put .jpg, .jpeg or .png files into it, or into one sub-folder per class',
      );
    },
  );
});
