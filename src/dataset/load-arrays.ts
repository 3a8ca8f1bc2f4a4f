/** Which array of a .npz or .npy file belongs to which input of the model. */
import { UserError } from '../errors.ts';
import { decodeFile, FormatError } from './format-error.ts';
import { decodeNpy, type NpyArray } from './npy-array.ts';
import type { InputSpec } from './sample-set.ts';
import { listZipEntries, readZipEntry, type ZipEntry } from './zip-archive.ts';

/** An array and how messages call it. */
export type NamedArray = { readonly subject: string; readonly array: NpyArray };

export type LoadedArrays = {
  /** In the order of the model's inputs. */
  readonly inputs: readonly NamedArray[];
  readonly labels?: NamedArray;
};

const LABELS = 'labels';
const IMAGES = 'images';

/** A .npy file alone: the samples of a model with one input, without labels. */
export function loadNpy(bytes: Uint8Array, path: string, inputs: readonly InputSpec[]): LoadedArrays {
  if (inputs.length !== 1) {
    const names = quoteList(inputs.map(({ name }) => name));
    throw new UserError({
      what: `a .npy file holds one array, but the model has ${inputs.length} inputs: ${names}`,
      where: path,
      fix: 'save a .npz file with one array per input, named like the inputs',
    });
  }
  const array = decodeFile('the array', path, SAVE_AGAIN, () => decodeNpy(bytes));
  return { inputs: [{ subject: 'the array', array }] };
}

/**
 * A .npz archive: one array per input, named like it; for a model with one input also `images`, or the only array
 * besides `labels`. Arrays that are not needed are not inflated.
 *
 * @param limitBytes what the arrays may take together
 */
export function loadNpz(
  archive: Uint8Array,
  path: string,
  inputs: readonly InputSpec[],
  limitBytes: number,
): LoadedArrays {
  const entries = decodeFile('the file', path, SAVE_AGAIN, () => listArrays(archive));
  let bytesLeft = limitBytes;
  const load = (name: string): NamedArray => {
    const subject = `array '${name}'`;
    const array = decodeFile(subject, path, SAVE_AGAIN, () => {
      const bytes = readZipEntry(archive, entries.get(name)!, bytesLeft);
      bytesLeft -= bytes.length;
      return decodeNpy(bytes);
    });
    return { subject, array };
  };
  const names = inputs.map(({ name }) => arrayNameFor(name, inputs.length, [...entries.keys()], path));
  const loaded = names.map(load);
  return { inputs: loaded, ...(entries.has(LABELS) && !names.includes(LABELS) ? { labels: load(LABELS) } : {}) };
}

const SAVE_AGAIN = 'save it again with numpy.savez, or fetch it again if it was cut short';

function listArrays(archive: Uint8Array): Map<string, ZipEntry> {
  const arrays = listZipEntries(archive).filter(({ name }) => name.endsWith('.npy'));
  if (arrays.length === 0) throw new FormatError('holds no .npy arrays', { fix: 'save it with numpy.savez' });
  return new Map(arrays.map((entry) => [entry.name.slice(0, -'.npy'.length), entry]));
}

function arrayNameFor(inputName: string, inputCount: number, names: readonly string[], path: string): string {
  if (names.includes(inputName)) return inputName;
  if (inputCount === 1) {
    if (names.includes(IMAGES)) return IMAGES;
    const others = names.filter((name) => name !== LABELS);
    if (others.length === 1) return others[0]!;
  }
  throw new UserError({
    what: `there is no array for the model's input '${inputName}'; the file holds ${quoteList(names)}`,
    where: path,
    fix: inputCount === 1 ? `name the array '${inputName}' or '${IMAGES}'` : `save an array named '${inputName}'`,
  });
}

function quoteList(names: readonly string[]): string {
  const shown = names.slice(0, 10).map((name) => `'${name}'`);
  return names.length > shown.length ? `${shown.join(', ')} and ${names.length - shown.length} more` : shown.join(', ');
}
