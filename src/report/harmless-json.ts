/** JSON in which no name from a model is a command to a terminal or, as `##[`, to the workflow runner. */
export function harmlessJson(value: unknown, indent = 2): string {
  const json = JSON.stringify(value, undefined, indent);
  return json.replaceAll(UNSEEN, escapeUnits).replaceAll('##[', '##\\u005b');
}

/** What JSON.stringify leaves as it is; the line feed is its own. */
const UNSEEN = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/gu;

function escapeUnits(character: string): string {
  return character.replaceAll(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
