/** The table of verbs as a commander program: help texts, and the call of the one command that was asked for. */
import { Command, Option } from "commander";
import type { ExitCode } from "../platform/exit-codes.ts";
import type { CommandContext } from "./command-context.ts";
import type { SwitchSpec, VerbSpec } from "./switch-table.ts";
import { displayName, nameKey } from "./switch-table.ts";
import { switchesFrom } from "./switches.ts";
import { GROUP_SUMMARIES, VERBS } from "./verbs.ts";

export const PROGRAM_NAME = "waimportexport";

const HELP_WIDTH = 100;

const ROOT_EXAMPLES = `Examples:
    waimportexport init
    waimportexport plan --journal trip.jrn --id day#1 --initial-drive-set drives.csv --dataset data.csv
    waimportexport prep-import --journal trip.jrn --id day#1 --initial-drive-set drives.csv --dataset data.csv
    waimportexport verify /mnt/drive1 --journal trip.jrn`;

const SPELLING_NOTE = `Verbs and switches may be written as in WAImportExport: "PrepImport /j:trip.jrn" is
"prep-import --journal trip.jrn". Names ignore case and hyphens.`;

export interface Program {
  root: Command;
  /** Exit code of the command that ran. */
  exitCode: () => ExitCode | undefined;
}

export function createProgram(context: CommandContext, write: (text: string) => void): Program {
  let exitCode: ExitCode | undefined;
  const root = prepareCommand(new Command(PROGRAM_NAME), write)
    .description(
      "Prepares drives for Azure Import/Export on Windows, Linux and macOS: plans, copies, hashes, seals, verifies.",
    )
    .usage("<verb> [switches]")
    .option("--version", "print the version")
    .helpOption("--help", "show this help")
    .helpCommand(false);
  for (const verb of VERBS) {
    addVerb(root, verb, write).action(async (...given: unknown[]) => {
      const command = given.at(-1) as Command;
      const run = await verb.load();
      exitCode = await run(switchesFrom(verb.switches, command.opts()), command.args, context);
    });
  }
  return { root, exitCode: () => exitCode };
}

/** The help of the whole program, with what holds for every verb. */
export function rootHelp(program: Program): string {
  return `${program.root.helpInformation()}\n${ROOT_EXAMPLES}\n\n${SPELLING_NOTE}\nRun '${PROGRAM_NAME} <verb> --help' for switches and examples.\n`;
}

function addVerb(root: Command, verb: VerbSpec, write: (text: string) => void): Command {
  const words = verb.name.split(" ");
  let parent = root;
  for (const word of words.slice(0, -1)) {
    parent = root.commands.find((child) => child.name() === word) ?? group(root, word, write);
  }
  const command = prepareCommand(new Command(words.at(-1)), write)
    .summary(verb.summary)
    .description(`${verb.description}\n\n${examples(verb)}`);
  parent.addCommand(command);
  for (const argument of verb.arguments) {
    command.argument(argument.required ? `<${argument.name}>` : `[${argument.name}]`, argument.description);
  }
  command.usage(usageOf(verb)).addHelpOption(new Option("--help", "show this help").helpGroup("Output:"));
  for (const spec of verb.switches) if (spec.name !== "help") command.addOption(toOption(spec));
  if (verb.switches.some((spec) => spec.group === "Version 1 form")) {
    command.addHelpText(
      "after",
      "\nThe first version's switches (/srcdir, /dstdir, ...) are recognised, but not available in this release.",
    );
  }
  return command;
}

/** A first word with verbs below it, as in `journal show`. */
function group(root: Command, word: string, write: (text: string) => void): Command {
  const command = prepareCommand(new Command(word), write).usage("<verb> [switches]").helpCommand(false);
  command.summary(GROUP_SUMMARIES[word] ?? VERBS.find((verb) => verb.name.startsWith(`${word} `))?.summary ?? "");
  root.addCommand(command);
  return command;
}

function prepareCommand(command: Command, write: (text: string) => void): Command {
  return command
    .exitOverride()
    .configureOutput({
      writeOut: write,
      writeErr: () => {},
      outputError: () => {},
      getOutHelpWidth: () => HELP_WIDTH,
      getErrHelpWidth: () => HELP_WIDTH,
    })
    .configureHelp({ optionTerm: termOf, subcommandTerm: subcommandTermOf });
}

function toOption(spec: SwitchSpec): Option {
  const option = new Option(
    spec.kind === "flag" ? `--${spec.name}` : `--${spec.name} <${spec.value}>`,
    spec.description,
  );
  if (spec.kind === "repeatable") {
    option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]);
  }
  return option.hideHelp(spec.hidden === true).helpGroup(`${spec.group}:`);
}

/** The slash spelling is shown where it is not merely another case of the long one. */
function termOf(option: Option): string {
  const spec = VERBS.flatMap((verb) => verb.switches).find((one) => `--${one.name}` === option.long);
  if (spec?.slash === undefined || nameKey(spec.slash) === nameKey(spec.name)) return option.flags;
  return `${option.flags}, ${displayName(spec)}${spec.kind === "flag" ? "" : ":"}`;
}

function subcommandTermOf(command: Command): string {
  const verbs = VERBS.filter((verb) => verb.name === command.name() || verb.name.startsWith(`${command.name()} `));
  if (verbs.length > 1) {
    return `${command.name()} ${verbs.map((verb) => verb.name.slice(command.name().length + 1)).join("|")}`;
  }
  return verbs
    .map((verb) =>
      [verb.name, ...verb.arguments.map((one) => (one.required ? `<${one.name}>` : `[${one.name}]`))].join(" "),
    )
    .join(", ");
}

function usageOf(verb: VerbSpec): string {
  return [...verb.arguments.map((one) => (one.required ? `<${one.name}>` : `[${one.name}]`)), "[switches]"].join(" ");
}

function examples(verb: VerbSpec): string {
  const lines = verb.examples.flatMap(({ text, line }) => [...(text === "" ? [] : [`  ${text}:`]), `    ${line}`]);
  return ["Examples:", ...lines].join("\n");
}
