/**
 * Names from a model, a config or a data set on their way to a person. They are not trusted: what they hold must neither
 * move the cursor, nor turn the line round, nor start a line of its own, nor be a command to the workflow runner.
 */

/** Longer names lose their middle: what tells layers apart is mostly at the end. */
const MAX_LENGTH = 80;

/** Controls, invisible format characters (joiners, direction marks), line and paragraph ends, halves of characters. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** One line of visible characters; what is not visible is spelled out: `\n`, `\u{1b}`. */
export function plainText(text: string, maxLength = MAX_LENGTH): string {
  const visible = skipMiddle(text, maxLength).replaceAll(
    UNSEEN,
    (character) => NAMED[character] ?? `\\u{${codeOf(character)}}`,
  );
  return shorten(disarm(visible), maxLength);
}

/** Leaves out of a very long text what `shorten` would cut anyway, because a hostile one has megabytes. */
function skipMiddle(text: string, maxLength: number): string {
  const reach = 2 * maxLength;
  return text.length <= 2 * reach ? text : text.slice(0, reach) + text.slice(-reach);
}

function codeOf(character: string): string {
  return character.codePointAt(0)!.toString(16);
}

/** The runner reads `::` at the start of a line and `##[` anywhere (actions/runner, ActionCommand.cs). */
function disarm(text: string): string {
  return text.replaceAll('##[', '##\\[').replace(/^\s*::/, '\\$&');
}

function shorten(text: string, maxLength: number): string {
  // By whole characters: half of one would be another.
  const characters = [...text];
  if (characters.length <= maxLength) return text;
  const tailLength = Math.ceil((maxLength - 1) / 2);
  return `${characters.slice(0, maxLength - 1 - tailLength).join('')}…${characters.slice(-tailLength).join('')}`;
}
