import { plainText } from './plain-text.ts';

const REFERENCES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Untrusted text inside an HTML element or a quoted attribute. */
export function htmlText(text: string, maxLength?: number): string {
  return plainText(text, maxLength).replaceAll(/[&<>"']/g, (character) => REFERENCES[character]!);
}
