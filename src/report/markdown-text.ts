/**
 * Untrusted text inside GitHub-flavoured markdown. Character references are text and never structure (CommonMark 0.31,
 * section 2.5), so everything that could be structure is written as one.
 */
import { plainText } from './plain-text.ts';

/** What could open structure inside a line; the text never starts one. An underline inside a word opens nothing. */
const SPECIAL = /[&<>"'`*~|\\[\]!#$@{}]|:(?! )|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g;

/** GitHub makes links of bare host names. */
const WWW = /www\./gi;

/** Markdown that shows `text` as code, on one line. */
export function markdownCode(text: string, maxLength?: number): string {
  return `<code>${escapeMarkdown(plainText(text, maxLength).trim())}</code>`;
}

/** Markdown that shows `text` as prose; a name in it mentions nobody and refers to no issue. */
export function markdownProse(text: string, maxLength?: number): string {
  return escapeMarkdown(plainText(text, maxLength).trim()).replaceAll(/&#(?:64|35);/g, '$&&#8203;');
}

function escapeMarkdown(text: string): string {
  return text.replaceAll(SPECIAL, reference).replaceAll(WWW, (host) => `${host.slice(0, -1)}&#46;`);
}

function reference(character: string): string {
  return `&#${character.codePointAt(0)};`;
}
