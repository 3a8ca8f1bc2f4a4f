/** The pictures of a folder and their classes. */
import { UserError } from '../errors.ts';
import type { DatasetFiles, FolderEntry } from './dataset-files.ts';

export type ImageList = {
  /** Relative to the folder, sorted by class and name. */
  readonly names: readonly string[];
  /** Class index of each picture, shape [names.length]; absent for a folder without sub-folders. */
  readonly labels?: Int32Array;
};

const IMAGE_NAME = /\.(jpe?g|png)$/i;
const OTHER_IMAGE_NAME = /\.(bmp|gif|heic|jp2|tiff?|webp|avif)$/i;

/**
 * List a folder: one sub-folder per class, or pictures alone, which then have no labels. Sub-folders that are all
 * numbers are class indices; otherwise the index of a class is its place in the sorted names. Hidden entries and
 * other files are passed over.
 *
 * @throws UserError if there are no pictures, or their classes are not clear
 */
export async function listImages(folder: string, files: DatasetFiles): Promise<ImageList> {
  const entries = await listVisible(folder, files);
  const classes = entries.filter(({ kind }) => kind === 'folder').map(({ name }) => name);
  const ownImages = imageNames(entries, folder);
  if (classes.length === 0) {
    if (ownImages.length === 0) throw noImages(folder);
    return { names: ownImages };
  }
  if (ownImages.length > 0) {
    throw new UserError({
      what: `the folder holds pictures ('${ownImages[0]}') next to class folders ('${classes[0]}')`,
      where: folder,
      fix: 'move every picture into the folder of its class',
    });
  }
  return listClasses(folder, numberClasses(classes, folder), files);
}

type ImageClass = { readonly name: string; readonly label: number };

async function listClasses(folder: string, classes: readonly ImageClass[], files: DatasetFiles): Promise<ImageList> {
  const names: string[] = [];
  const labels: number[] = [];
  for (const { name, label } of classes) {
    const path = `${folder}/${name}`;
    const entries = await listVisible(path, files);
    const nested = entries.find(({ kind }) => kind === 'folder');
    if (nested !== undefined) {
      throw new UserError({
        what: `the class folder holds another folder: '${nested.name}'`,
        where: path,
        fix: 'put the pictures of a class directly into its folder',
      });
    }
    for (const image of imageNames(entries, path)) {
      names.push(`${name}/${image}`);
      labels.push(label);
    }
  }
  if (names.length === 0) throw noImages(folder);
  return { names, labels: Int32Array.from(labels) };
}

/** Classes by ascending label. */
function numberClasses(names: readonly string[], folder: string): ImageClass[] {
  if (!names.every((name) => /^\d{1,9}$/.test(name))) return names.map((name, label) => ({ name, label }));
  const classes = names.map((name) => ({ name, label: Number(name) })).sort((a, b) => a.label - b.label);
  const twin = classes.findIndex(({ label }, index) => label === classes[index + 1]?.label);
  if (twin >= 0) {
    throw new UserError({
      what: `the folders '${classes[twin]!.name}' and '${classes[twin + 1]!.name}' are the same class index`,
      where: folder,
      fix: 'merge them',
    });
  }
  return classes;
}

/** Entries in the order of their names' character codes, the same on every machine. */
async function listVisible(folder: string, files: DatasetFiles): Promise<FolderEntry[]> {
  const entries = await files.listFolder(folder);
  return entries.filter(({ name }) => !name.startsWith('.')).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function imageNames(entries: readonly FolderEntry[], folder: string): string[] {
  const names = entries.filter(({ kind }) => kind === 'file').map(({ name }) => name);
  const other = names.find((name) => OTHER_IMAGE_NAME.test(name));
  if (other !== undefined) {
    throw new UserError({
      what: `'${other}' is neither JPEG nor PNG`,
      where: folder,
      fix: 'convert it, or move it away',
    });
  }
  return names.filter((name) => IMAGE_NAME.test(name));
}

function noImages(folder: string): UserError {
  return new UserError({
    what: 'the folder has no pictures',
    where: folder,
    fix: 'put .jpg, .jpeg or .png files into it, or into one sub-folder per class',
  });
}
