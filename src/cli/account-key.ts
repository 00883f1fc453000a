/**
 * Where the storage account key comes from: `--sk-file` (a file, or `-` for standard input), the environment, and, for
 * scripts of the original, the plain switch `/sk`, which every process list shows.
 */
import { readFileSync } from "node:fs";
import { describeErrno, UsageError } from "../platform/app-error.ts";
import type { CommandContext } from "./command-context.ts";
import type { Switches } from "./switches.ts";

export const KEY_VARIABLE = "WAIMPORTEXPORT_SK";

export function readAccountKey(
  switches: Switches,
  context: CommandContext,
  resolvePath: (path: string) => string,
): string | undefined {
  const plain = switches.value("sk");
  const file = switches.value("sk-file");
  if (plain !== undefined && file !== undefined) {
    throw new UsageError("USAGE_CONFLICT", "/sk and --sk-file exclude each other");
  }
  if (file !== undefined) return fromFile(file === "-" ? 0 : resolvePath(file), file);
  if (plain === "-") return fromFile(0, "-");
  if (plain !== undefined) {
    context.output.event({
      type: "warning",
      message: `the account key on the command line is visible to others on this machine; use --sk-file or ${KEY_VARIABLE}`,
    });
    return plain;
  }
  const fromEnvironment = context.environment[KEY_VARIABLE]?.trim();
  return fromEnvironment === "" ? undefined : fromEnvironment;
}

/** `source` is a path, or 0 for standard input. */
function fromFile(source: string | number, shown: string): string {
  const name = source === 0 ? "standard input" : `"${shown}"`;
  let text: string;
  try {
    text = readFileSync(source, "utf8")
      .replace(/^\ufeff/, "")
      .trim();
  } catch (error) {
    throw new UsageError("USAGE_BAD_VALUE", `cannot read the account key from ${name}: ${describeErrno(error)}`, {
      hint: "check the file given with --sk-file",
      cause: error,
    });
  }
  if (text === "" || /\s/.test(text)) {
    throw new UsageError("USAGE_BAD_VALUE", `${name} does not hold one account key`, {
      hint: "put the key, and nothing else, into it",
    });
  }
  return text;
}
