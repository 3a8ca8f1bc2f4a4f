/** Branches share a session as far as its estimated memory, in bytes, stays below this. */
export const SESSION_MEMORY_BYTES = 2e9;
