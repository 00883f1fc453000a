/**
 * The words in which verbs and switches are described. Parsing, help, completion and the manual all read the same table
 * (verbs.ts), so a switch is written down once.
 */
import type { ExitCode } from "../platform/exit-codes.ts";
import type { CommandContext } from "./command-context.ts";
import type { Switches } from "./switches.ts";

export type SwitchGroup =
  | "Session"
  | "Account"
  | "Data"
  | "Drives"
  | "Copying"
  | "Secrets"
  | "Output"
  | "Version 1 form";

export interface SwitchSpec {
  /** Long option without its dashes, in kebab case. */
  name: string;
  /** The original's spelling after the slash, where it is more than another case of `name`. */
  slash?: string;
  kind: "flag" | "value" | "repeatable";
  /** Placeholder of the value in help texts. */
  value?: string;
  description: string;
  group: SwitchGroup;
  /** Values allowed; compared without regard to case unless `caseSensitive`. */
  choices?: readonly string[];
  caseSensitive?: true;
  /** Its value is never printed. */
  secret?: true;
  /** Understood, but left out of help texts. */
  hidden?: true;
}

export interface ArgumentSpec {
  name: string;
  description: string;
  required: boolean;
}

export interface VerbSpec {
  /** Words in kebab case, one blank between them: `prep-import`, `journal show`. */
  name: string;
  /** The original's spelling, where the verb comes from there. */
  original?: string;
  summary: string;
  description: string;
  arguments: readonly ArgumentSpec[];
  switches: readonly SwitchSpec[];
  examples: readonly { text: string; line: string }[];
  /** Loads the command; nothing of it is loaded before. */
  load: () => Promise<CommandFunction>;
}

export type CommandFunction = (
  switches: Switches,
  args: readonly string[],
  context: CommandContext,
) => Promise<ExitCode>;

/** Names compare without regard to case and hyphens: `/InitialDriveSet` is `--initial-drive-set`. */
export function nameKey(name: string): string {
  return name.toLowerCase().replaceAll("-", "");
}

/** The switch called `name` in either spelling. */
export function findSwitch(switches: readonly SwitchSpec[], name: string): SwitchSpec | undefined {
  const key = nameKey(name);
  return switches.find(
    (spec) => nameKey(spec.name) === key || (spec.slash !== undefined && nameKey(spec.slash) === key),
  );
}

/** How a switch is named in messages: `/InitialDriveSet` as in the original, else `--links`. */
export function displayName(spec: SwitchSpec): string {
  return spec.slash === undefined ? `--${spec.name}` : `/${spec.slash}`;
}
