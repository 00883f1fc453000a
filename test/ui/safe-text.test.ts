import fc from "fast-check";
import { expect, it } from "vitest";
import { safeText } from "../../src/ui/safe-text.ts";

it.each([
  ["plain name.txt", "plain name.txt"],
  ["年次報告 Ä 🚀", "年次報告 Ä 🚀"],
  ["red\u001b[31m", "red\\x1b[31m"],
  ["two\nlines\r", "two\\x0alines\\x0d"],
  ["title\u009b0;x\u0007", "title\\x9b0;x\\x07"],
  ["gpj.\u202etxt.exe", "gpj.\\u{202e}txt.exe"],
  ["lone \ud800 half", "lone \\u{d800} half"],
])("%j is shown as %j", (text, shown) => {
  expect(safeText(text)).toBe(shown);
});

it("leaves no control character in anything", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      for (const character of safeText(text)) expect(character.codePointAt(0)).toBeGreaterThanOrEqual(0x20);
      expect(safeText(text)).not.toMatch(/\p{Cc}|\p{Bidi_Control}/u);
    }),
  );
});
