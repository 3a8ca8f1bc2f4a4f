/** Beyond 1 MiB the runner drops a step's whole summary (actions/runner, FileCommandManager.cs). */
export const MAX_SUMMARY_BYTES = 1_048_576;

/** Room for the note that says where the rest is. */
const NOTE_BYTES = 512;

/** Cuts markdown that is longer than `maxBytes` at the end of a line; `whole` says where all of it is. */
export function fitText(markdown: string, maxBytes: number, whole: string): string {
  const bytes = new TextEncoder().encode(markdown);
  if (bytes.length <= maxBytes) return markdown;
  const head = new TextDecoder().decode(bytes.subarray(0, maxBytes - NOTE_BYTES));
  const lastLineEnd = head.lastIndexOf('\n');
  return `${lastLineEnd < 0 ? head : head.slice(0, lastLineEnd)}\n\nCut at ${maxBytes} bytes; ${whole} has all of it.\n`;
}
