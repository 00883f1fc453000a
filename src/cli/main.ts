/** From the command line to an exit code: find the verb, read its switches, run it, turn errors into words. */
import { UsageError } from "../platform/app-error.ts";
import { ExitCode } from "../platform/exit-codes.ts";
import { Redactor } from "../platform/redaction.ts";
import { createOutput, type Output } from "../ui/output.ts";
import type { CommandContext } from "./command-context.ts";
import { readGlobals } from "./globals.ts";
import { nearest } from "./nearest.ts";
import { createProgram, PROGRAM_NAME, rootHelp } from "./program.ts";
import { parseSwitches } from "./slash-syntax.ts";
import type { VerbSpec } from "./switch-table.ts";
import { nameKey } from "./switch-table.ts";
import { findVerb, ORIGINAL_VERBS_NOT_HERE, VERBS } from "./verbs.ts";
import { readVersion } from "./version.ts";

/** Runs one command line (without node and script) and returns the process's exit code. Never rejects. */
export async function run(argv: string[]): Promise<number> {
  const globals = readGlobals(argv);
  const output = createOutput({
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    json: globals.json,
    quiet: globals.quiet,
    color: globals.color,
  });
  const redactor = new Redactor();
  // Keys that were asked for are recognised by their shape too and would be masked again.
  if (!globals.showSecrets) output.setRedaction(redactor);
  try {
    return await dispatch(globals.rest, output, redactor);
  } catch (error) {
    return output.error(error);
  } finally {
    output.close();
  }
}

async function dispatch(argv: readonly string[], output: Output, redactor: Redactor): Promise<ExitCode> {
  const context = createContext(output, redactor);
  const help: string[] = [];
  const program = createProgram(context, (text) => help.push(text));
  const first = argv[0];
  if (first === undefined) {
    if (output.json) throw new UsageError("USAGE_UNKNOWN_VERB", "no verb was given");
    // Nothing was asked for: the help as the original prints it, but as a diagnosis, so that a script notices.
    output.diagnosis(rootHelp(program));
    return ExitCode.Usage;
  }
  if (isSwitch(first, "version")) {
    output.text(`${context.version}\n`);
    return ExitCode.Done;
  }
  if (isSwitch(first, "help") || first === "-h" || first === "/?" || first === "-?") {
    output.text(rootHelp(program));
    return ExitCode.Done;
  }
  const asksHelp = nameKey(first) === "help";
  const words = asksHelp ? argv.slice(1) : argv;
  if (asksHelp && words.length === 0) return dispatch(["--help"], output, redactor);
  const { verb, words: wordCount } = findVerb(words) ?? noSuchVerb(words);
  const rest = asksHelp ? ["--help"] : words.slice(wordCount);
  const line = parseSwitches(rest, verb, context.platform);
  for (const message of line.warnings) output.event({ type: "warning", message });
  try {
    await program.root.parseAsync([...verb.name.split(" "), ...line.args], { from: "user" });
  } catch (error) {
    if (!isHelpShown(error)) throw error;
    output.text(help.join(""));
  }
  return program.exitCode() ?? ExitCode.Done;
}

function createContext(output: Output, redactor: Redactor): CommandContext {
  return {
    output,
    redactor,
    platform: process.platform,
    environment: takeOwnVariables(process.env),
    cwd: process.cwd(),
    version: readVersion(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
  };
}

/** A copy; our own variables, which may be secrets, go from the original: programs that we start need none of them. */
function takeOwnVariables(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const copy = { ...environment };
  for (const name of Object.keys(environment)) if (name.startsWith("WAIMPORTEXPORT_")) delete environment[name];
  return copy;
}

function isSwitch(arg: string, name: string): boolean {
  return /^(--|\/)/.test(arg) && nameKey(arg.replace(/^(--|\/)/, "")) === name;
}

function noSuchVerb(words: readonly string[]): { verb: VerbSpec; words: number } {
  const typed = words[0] ?? "";
  const known = ORIGINAL_VERBS_NOT_HERE.find((name) => nameKey(name) === nameKey(typed));
  if (known !== undefined) {
    throw new UsageError("USAGE_UNKNOWN_VERB", `the verb "${known}" is not available in this release yet`);
  }
  const below = VERBS.filter((verb) => verb.name.startsWith(`${typed.toLowerCase()} `)).map((verb) => verb.name);
  if (below.length > 0) {
    throw new UsageError("USAGE_UNKNOWN_VERB", `"${[typed, ...words.slice(1, 2)].join(" ")}" is not a verb`, {
      hint: `did you mean: ${below.map((name) => `'${PROGRAM_NAME} ${name}'`).join(", ")}?`,
    });
  }
  const near = nearest(
    typed,
    VERBS.flatMap((verb) => [verb.name, ...(verb.original === undefined ? [] : [verb.original])]),
  );
  throw new UsageError("USAGE_UNKNOWN_VERB", `unknown verb "${typed}"`, {
    ...(near === undefined ? {} : { hint: `did you mean '${PROGRAM_NAME} ${near}'?`, facts: { suggestion: near } }),
  });
}

/** commander leaves by throwing when it has shown a help text. */
function isHelpShown(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === "commander.helpDisplayed";
}
