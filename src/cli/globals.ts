import { nameKey } from "./switch-table.ts";

export interface Globals {
  json: boolean;
  quiet: boolean;
  showSecrets: boolean;
  color: "auto" | "always" | "never";
  /** The line with switches that stood before the verb moved behind it. */
  rest: string[];
}

const FLAGS = ["json", "quiet"];

/**
 * How to speak must be known before the line is understood, because its mistakes are told that way too. Also lets
 * `--json`, `--quiet` and `--color` stand before the verb.
 */
export function readGlobals(argv: readonly string[]): Globals {
  const names = argv.map((arg) => nameKey(/^(?:--|\/)([A-Za-z-]+)/.exec(arg)?.[1] ?? ""));
  const end = argv.indexOf("--");
  const given = (name: string): boolean =>
    names.some((one, i) => one === name && (end === -1 || i < end) && !/[:=]/.test(argv[i] ?? ""));
  const lead = leadingGlobals(argv, names);
  return {
    json: given("json"),
    quiet: given("quiet"),
    showSecrets: given("showsecrets"),
    color: readColor(argv, names),
    // Without a verb there is nothing to move them behind.
    rest: lead === argv.length ? [] : [...argv.slice(lead), ...argv.slice(0, lead)],
  };
}

function leadingGlobals(argv: readonly string[], names: readonly string[]): number {
  let i = 0;
  while (i < argv.length) {
    const name = names[i] ?? "";
    if (FLAGS.includes(name)) i++;
    else if (name === "color") i += /[:=]/.test(argv[i] ?? "") ? 1 : 2;
    else break;
  }
  return Math.min(i, argv.length);
}

function readColor(argv: readonly string[], names: readonly string[]): Globals["color"] {
  const at = names.indexOf("color");
  if (at === -1) return "auto";
  const value = (/[:=](.*)$/.exec(argv[at] ?? "")?.[1] ?? argv[at + 1] ?? "").toLowerCase();
  return value === "always" || value === "never" ? value : "auto";
}
