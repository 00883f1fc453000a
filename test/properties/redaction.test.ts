import fc from "fast-check";
import { expect, test } from "vitest";
import { Redactor } from "../../src/platform/redaction.ts";

/** Shorter ones are not secrets; one made of the mask's own character cannot be told from the mask. */
const secrets = fc.string({ minLength: 6, maxLength: 60, unit: "grapheme" }).filter((text) => !text.includes("*"));
/** Cannot hold a part of a secret by accident: none of these characters is in any of its spellings' alphabets. */
const surroundings = fc.string({ unit: fc.constantFrom(" ", "\n", "[", "]", "(", "§"), maxLength: 10 });

const spellings: readonly ((secret: string) => string)[] = [
  (secret) => secret,
  (secret) => JSON.stringify(secret).slice(1, -1),
  (secret) => encodeURIComponent(secret),
  (secret) => encodeURIComponent(secret).replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
  (secret) => Buffer.from(secret).toString("base64"),
  (secret) => Buffer.from(secret).toString("base64url"),
  (secret) => encodeURIComponent(Buffer.from(secret).toString("base64")),
  (secret) => Buffer.from(secret).toString("hex"),
];

test("no spelling of a registered secret survives, wherever it stands", () => {
  fc.assert(
    fc.property(
      fc.array(secrets, { minLength: 1, maxLength: 4 }),
      fc.nat(),
      surroundings,
      surroundings,
      (list, pick, before, after) => {
        const redactor = new Redactor();
        for (const secret of list) redactor.add(secret);
        for (const spell of spellings) {
          const spelling = spell(list[pick % list.length] ?? "");
          const redacted = redactor.redact(before + spelling + after);
          expect(redacted).toContain("***");
          expect(redacted).not.toContain(spelling.replace(/=+$/, ""));
        }
      },
    ),
  );
});

test("a BitLocker key that nobody registered keeps its last group only", () => {
  const group = fc.integer({ min: 0, max: 65_535 }).map((value) => String(value * 11).padStart(6, "0"));
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), surroundings, (groups, around) => {
      const redacted = new Redactor().redact(`${around}${groups.join("-")}${around}`);
      expect(redacted).toBe(`${around}${"******-".repeat(7)}${groups[7]}${around}`);
    }),
  );
});
