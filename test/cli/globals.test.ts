import { expect, it } from "vitest";
import { readGlobals } from "../../src/cli/globals.ts";

it.each([
  [[], { json: false, quiet: false, showSecrets: false, color: "auto", rest: [] }],
  [["plan", "--json"], { json: true, rest: ["plan", "--json"] }],
  [["plan", "/JSON"], { json: true }],
  [["plan", "--json=x"], { json: false }],
  [["--json", "plan", "/j:a"], { json: true, rest: ["plan", "/j:a", "--json"] }],
  [
    ["--color", "never", "--quiet", "drives"],
    { color: "never", quiet: true, rest: ["drives", "--color", "never", "--quiet"] },
  ],
  [["--color=always", "drives"], { color: "always", rest: ["drives", "--color=always"] }],
  [["drives", "/color:NEVER"], { color: "never" }],
  [["drives", "--color", "purple"], { color: "auto" }],
  [["--json"], { json: true, rest: [] }],
  [["journal", "show", "x", "--show-secrets"], { showSecrets: true }],
  [["journal", "show", "--", "--show-secrets", "--json"], { showSecrets: false, json: false }],
])("%j", (argv, expected) => {
  expect(readGlobals(argv)).toMatchObject(expected);
});
