/** Text on its way into a log. What XML 1.0 cannot carry becomes U+FFFD: a log is for reading, it must never fail. */

const NEEDS_LOOK = /[^\x20-\x7e]|[&<>"]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to replace
const NOT_IN_XML = /[\x00-\x1f\ufffe\uffff]|\p{Cs}/gu;
const ENTITY: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** For element text and attribute values alike. */
export function escapeLogText(text: string): string {
  if (!NEEDS_LOOK.test(text)) return text;
  return text.replace(NOT_IN_XML, "\ufffd").replace(/[&<>"]/g, (character) => ENTITY[character] ?? character);
}

/** What goes into a message: short, on one line. */
export function clipText(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}...` : text).slice(1, -1);
}
