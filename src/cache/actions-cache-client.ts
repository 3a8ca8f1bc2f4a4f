/** How the GitHub store sees the client of the Actions cache; `entry/` implements it over @actions/cache. */
export type ActionsCacheClient = {
  /**
   * The newest entry whose key begins with the first prefix, in whatever scope the run may read, else with the second,
   * and so on. Never rejects.
   */
  restore(prefixes: readonly string[]): Promise<RestoreReply>;
  /** Saves one text under a key that is never written again. Never rejects. */
  save(key: string, text: string): Promise<SaveReply>;
};

export type RestoreReply = (
  | { readonly outcome: 'restored'; readonly matchedKey: string; readonly content: Uint8Array }
  | { readonly outcome: 'absent' }
  | Failure
) & {
  /** Entries made with zstd are invisible to runners without it, and the other way round. */
  readonly hasZstd: boolean;
};

export type SaveReply = { readonly outcome: 'saved' | 'exists' } | Failure;

export type Failure =
  | { readonly outcome: 'failed'; readonly reason: string }
  /** There is no cache service: a server without one, or no workflow at all. */
  | { readonly outcome: 'unavailable' };
