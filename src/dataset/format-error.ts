import { UserError } from '../errors.ts';

/** Bytes that cannot be used; the message ends a sentence that begins with the name of the file or entry. */
export class FormatError extends Error {
  readonly fix: string | undefined;

  constructor(message: string, options: ErrorOptions & { readonly fix?: string } = {}) {
    super(message, options);
    this.fix = options.fix;
  }
}

/**
 * The value of `decode`.
 *
 * @param subject begins the sentence: "the picture", "array 'images'"
 * @param fix for errors that do not bring their own
 * @throws UserError that names the subject and the file when the bytes cannot be used
 */
export function decodeFile<T>(subject: string, path: string, fix: string, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new UserError({ what: `${subject} ${error.message}`, where: path, fix: error.fix ?? fix }, { cause: error });
  }
}
