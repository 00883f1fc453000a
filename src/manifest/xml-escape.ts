/**
 * Text on its way into XML. What XML 1.0 cannot carry, or would change in passing (a line end in an attribute), never
 * gets here: names are checked while planning. Meeting it is a bug, not a user's mistake.
 */
import { AppError } from "../platform/app-error.ts";

const NEEDS_LOOK = /[^\x20-\x7e]|[&<>"]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to find
const NOT_IN_XML = /[\x00-\x1f\ufffe\uffff]|\p{Cs}/u;
const SPECIAL = /[&<>"]/g;
const ENTITY: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Escapes for element text and attribute values alike. `what` names the value in the error. */
export function escapeXml(text: string, what: string): string {
  if (!NEEDS_LOOK.test(text)) return text;
  if (NOT_IN_XML.test(text)) {
    throw new AppError("INTERNAL", `${what} ${JSON.stringify(text)} holds a character that XML cannot carry`);
  }
  return text.replace(SPECIAL, (character) => ENTITY[character] ?? character);
}
