/** How the cache sees the disk; `entry/` implements it. Paths are absolute, with `/` before a child's name. */
export type CacheFiles = {
  listFolder(path: string): Promise<readonly { readonly name: string; readonly kind: string }[]>;
  /** @throws UserError if the file is missing, no regular file, unreadable, or larger than `maxBytes` */
  readFile(path: string, maxBytes?: number): Promise<Uint8Array>;
  writeFileAtomically(path: string, content: Uint8Array | string): Promise<void>;
  /** Makes a folder, and those above it, that only its user can enter (0700); it alone becomes so where it was there. */
  makePrivateFolder(path: string): Promise<void>;
  /**
   * Adds to the end of a file, made when it is missing. The text is on the disk, in the file that `path` names, when the
   * call returns, also when another process renames the file in the meantime; it may then be in both.
   */
  appendAndFlush(path: string, text: string): Promise<void>;
  /** Undefined when there is no such file or folder; milliseconds since 1970. */
  statusOf(path: string): Promise<{ readonly sizeBytes: number; readonly modifiedAt: number } | undefined>;
  /** Renames a file or folder; false when it is not there. */
  rename(from: string, to: string): Promise<boolean>;
  /** Removes a file, or a folder with all that is in it; what is missing is no error. */
  remove(path: string): Promise<void>;
};
