/**
 * Names of files, drives and sessions come from elsewhere and may hold escape sequences that move the cursor, rename the
 * window or hide text. Everything untrusted passes here before it reaches a terminal or a log.
 */

/**
 * Control characters (C0, DEL, C1), line and paragraph separators, the invisible direction marks that reorder a line, and
 * lone surrogates.
 */
const HARMFUL = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Cs}\ufeff]/gu;

/** `text` on one line, with every harmful character shown as `\xNN` or `\u{NNNN}`. */
export function safeText(text: string): string {
  return text.replace(HARMFUL, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}
