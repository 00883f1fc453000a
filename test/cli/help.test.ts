import { describe, expect, it } from "vitest";
import { createProgram, rootHelp } from "../../src/cli/program.ts";
import { VERBS } from "../../src/cli/verbs.ts";
import { expectGolden } from "../golden.ts";
import { fakeContext } from "./fake-context.ts";

function helpOf(words: readonly string[]): Promise<string> {
  const written: string[] = [];
  const program = createProgram(fakeContext().context, (text) => written.push(text));
  return program.root.parseAsync([...words, "--help"], { from: "user" }).then(
    () => written.join(""),
    () => written.join(""),
  );
}

describe("help", () => {
  it("of the program", () => {
    expectGolden("fixtures/golden/help/waimportexport.txt", rootHelp(createProgram(fakeContext().context, () => {})));
  });

  it.each(VERBS.map((verb) => verb.name))("of %s", async (name) => {
    expectGolden(`fixtures/golden/help/${name.replace(" ", "-")}.txt`, await helpOf(name.split(" ")));
  });

  it.each(VERBS.map((verb) => [verb.name, verb] as const))("%s has at least three examples", (_, verb) => {
    expect(verb.examples.length).toBeGreaterThanOrEqual(3);
  });

  it.each(VERBS.map((verb) => verb.name))("of %s fits 100 columns", async (name) => {
    const help = await helpOf(name.split(" "));
    expect(help.split("\n").filter((line) => line.length > 104)).toEqual([]);
  });
});
