import { describe, expect, it } from "vitest";
import { type ColorChoice, describeTerminal } from "../../src/ui/terminal.ts";

const stream = (isTTY: boolean) => ({ isTTY, write: () => true });

describe("colour", () => {
  it.each<[string, boolean, Record<string, string>, ColorChoice, boolean]>([
    ["a terminal", true, {}, "auto", true],
    ["a pipe", false, {}, "auto", false],
    ["NO_COLOR", true, { NO_COLOR: "1" }, "auto", false],
    ["an empty NO_COLOR", true, { NO_COLOR: "" }, "auto", true],
    ["FORCE_COLOR on a pipe", false, { FORCE_COLOR: "1" }, "auto", true],
    ["FORCE_COLOR=0", true, { FORCE_COLOR: "0" }, "auto", false],
    ["TERM=dumb", true, { TERM: "dumb" }, "auto", false],
    ["--color always over NO_COLOR", false, { NO_COLOR: "1" }, "always", true],
    ["--color never over FORCE_COLOR", true, { FORCE_COLOR: "1" }, "never", false],
  ])("%s", (_, isTTY, environment, choice, expected) => {
    const terminal = describeTerminal(stream(isTTY), environment, choice);
    expect(terminal.hasColor).toBe(expected);
    expect(terminal.paint("red", "x")).toBe(expected ? "\u001b[31mx\u001b[39m" : "x");
  });
});

describe("interaction", () => {
  it.each<[string, boolean, Record<string, string>, boolean]>([
    ["a terminal", true, {}, true],
    ["a pipe", false, {}, false],
    ["a pipe with forced colour", false, { FORCE_COLOR: "1" }, false],
    ["a dumb terminal", true, { TERM: "dumb" }, false],
  ])("%s", (_, isTTY, environment, expected) => {
    expect(describeTerminal(stream(isTTY), environment, "auto").isInteractive).toBe(expected);
  });
});
