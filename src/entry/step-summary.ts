/** Beyond 1 MiB the runner drops a step's whole summary (actions/runner, FileCommandManager.cs). */
const MAX_SUMMARY_BYTES = 1_048_576;

/** Room for the note that says where the rest is. */
const NOTE_BYTES = 4_096;

/** Cuts a summary that the runner would drop, at the end of a line; `whole` says where all of it is. */
export function fitSummary(markdown: string, whole: string): string {
  const bytes = new TextEncoder().encode(markdown);
  if (bytes.length <= MAX_SUMMARY_BYTES) return markdown;
  const head = new TextDecoder().decode(bytes.subarray(0, MAX_SUMMARY_BYTES - NOTE_BYTES));
  const lastLineEnd = head.lastIndexOf('\n');
  return `${lastLineEnd < 0 ? head : head.slice(0, lastLineEnd)}\n\nCut at 1 MiB; ${whole} has all of it.\n`;
}
