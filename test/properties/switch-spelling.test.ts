import fc from "fast-check";
import { expect, it } from "vitest";
import { parseSwitches } from "../../src/cli/slash-syntax.ts";
import type { SwitchSpec, VerbSpec } from "../../src/cli/switch-table.ts";
import { VERBS } from "../../src/cli/verbs.ts";

/** A switch of a verb with a value, and two random spellings of the same. */
const spelled = fc.constantFrom(...VERBS).chain((verb) =>
  fc.constantFrom(...verb.switches.filter((spec) => spec.name !== "help")).chain((spec) =>
    fc.record({
      verb: fc.constant(verb),
      spec: fc.constant(spec),
      value: spec.choices === undefined ? plainValue : fc.constantFrom(...spec.choices),
      first: spelling,
      second: spelling,
    }),
  ),
);

/** Values as people type them: no quote, which has rules of its own. */
const plainValue = fc
  .string({ minLength: 1, maxLength: 30 })
  .filter((text) => !text.includes('"') && !/^(--|\/)/.test(text));

interface Spelling {
  form: "slash" | "assigned" | "separate";
  useAlias: boolean;
  upper: boolean[];
}

const spelling: fc.Arbitrary<Spelling> = fc.record({
  form: fc.constantFrom("slash", "assigned", "separate"),
  useAlias: fc.boolean(),
  upper: fc.array(fc.boolean(), { minLength: 24, maxLength: 24 }),
});

function write(spec: SwitchSpec, value: string, { form, useAlias, upper }: Spelling): string[] {
  const base = useAlias && spec.slash !== undefined ? spec.slash : spec.name;
  const name = [...base].map((letter, i) => (upper[i] ? letter.toUpperCase() : letter.toLowerCase())).join("");
  if (spec.kind === "flag") return [form === "slash" ? `/${name}` : `--${name}`];
  if (form === "slash") return [`/${name}:${value}`];
  return form === "assigned" ? [`--${name}=${value}`] : [`--${name}`, value];
}

it("any switch means the same in every spelling, on every system", () => {
  fc.assert(
    fc.property(spelled, fc.constantFrom("linux", "win32"), ({ verb, spec, value, first, second }, platform) => {
      const read = (how: Spelling): string[] => parse(verb, write(spec, value, how), platform);
      expect(read(first)).toEqual(read(second));
      expect(read(first)[0]).toBe(spec.kind === "flag" ? `--${spec.name}` : `--${spec.name}=${value}`);
    }),
  );
});

function parse(verb: VerbSpec, argv: string[], platform: string): string[] {
  const others = verb.arguments.map((argument) => argument.name);
  return parseSwitches([...argv, ...others], verb, platform).args;
}
