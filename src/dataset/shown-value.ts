/** A value of an input file as messages may repeat it: bounded, and nothing that looks like a credential. */

const MAX_LENGTH = 200;
/** Three groups of a BitLocker key in a row, its digits in one piece, or the signature of a SAS. */
const SECRET = /\d{6}[ -]\d{6}[ -]\d{6}|\d{40}|\bsig(=|%3d)/i;

export function shownValue(text: string): string {
  if (SECRET.test(text)) return "(not shown: it looks like a secret)";
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}...` : text;
}
