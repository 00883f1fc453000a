/**
 * Windows' quoting eats the quote after a trailing backslash: of `/srcdir:"D:\x y\" /j:a.jrn` the program receives the
 * single argument `/srcdir:D:\x y" /j:a.jrn`. Such an argument is cut again before each known switch that follows a
 * blank, and the eaten backslash put back; where a quote is left over, the line is refused and shown corrected.
 */
import { UsageError } from "../platform/app-error.ts";
import { displayName, findSwitch, type SwitchSpec } from "./switch-table.ts";

export interface Unglued {
  args: string[];
  warnings: string[];
}

export function splitGlued(argv: readonly string[], switches: readonly SwitchSpec[], platform: string): Unglued {
  const result: Unglued = { args: [], warnings: [] };
  for (const arg of argv) {
    if (!arg.includes('"') || !(platform === "win32" || looksGlued(arg))) {
      result.args.push(arg);
      continue;
    }
    const parts = cutBeforeSwitches(arg, switches).map(restoreBackslash);
    if (parts.some((part) => part.includes('"'))) throw unsplittable(argv, arg, parts, switches);
    result.args.push(...parts);
    result.warnings.push(
      `an argument held a quote, because a backslash stood before the closing quote; read as: ${parts
        .map((part) => showArgument(part, switches))
        .join(" ")}`,
    );
  }
  return result;
}

/** Away from Windows a quote is an ordinary character of a name; only a Windows path before a switch is the trap. */
function looksGlued(arg: string): boolean {
  return /"\s+(\/|--)[A-Za-z]/.test(arg) && /^((\/|--)[A-Za-z0-9-]+[:=])?([A-Za-z]:|\\\\)/.test(arg);
}

function cutBeforeSwitches(arg: string, switches: readonly SwitchSpec[]): string[] {
  const parts: string[] = [];
  let start = 0;
  for (const match of arg.matchAll(/\s+(?=(?:\/|--)([A-Za-z?][A-Za-z0-9-]*)(?:[:=]|\s|"?$))/g)) {
    if (findSwitch(switches, match[1] ?? "") === undefined) continue;
    parts.push(arg.slice(start, match.index));
    start = match.index + match[0].length;
  }
  parts.push(arg.slice(start));
  return parts;
}

/** A quote at the end stands where `\"` stood. */
function restoreBackslash(part: string): string {
  return part.endsWith('"') && part.indexOf('"') === part.length - 1 ? `${part.slice(0, -1)}\\` : part;
}

function unsplittable(
  argv: readonly string[],
  arg: string,
  parts: readonly string[],
  switches: readonly SwitchSpec[],
): UsageError {
  const corrected = argv.flatMap((one) => (one === arg ? parts : [one])).map((part) => correctPart(part, switches));
  return new UsageError("USAGE_UNSPLITTABLE", `cannot tell the switches in ${showArgument(arg, switches)} apart`, {
    hint: `double the backslash before a closing quote, as in: ${corrected.join(" ")}`,
  });
}

/** What stands before the left-over quote is the value that the backslash belongs to. */
function correctPart(part: string, switches: readonly SwitchSpec[]): string {
  const at = part.indexOf('"');
  if (at === -1) return showArgument(part, switches);
  const after = maskSecrets(part.slice(at + 1).replaceAll('"', ""));
  return `${showArgument(`${part.slice(0, at)}\\`, switches)}${after}`;
}

function maskSecrets(text: string): string {
  return text.replaceAll(/((?:\/|--)(?:sk|csas|bk)[:=])\S+/gi, "$1***");
}

/** As it must be typed on Windows; values of secret switches are left out. */
function showArgument(part: string, switches: readonly SwitchSpec[]): string {
  const [, head = "", value = ""] = /^((?:\/|--)[A-Za-z0-9-]+[:=])?(.*)$/s.exec(part) ?? [];
  const spec = findSwitch(switches, head.replace(/^(\/|--)/, "").replace(/[:=]$/, ""));
  if (spec?.secret === true) return `${displayName(spec)}:***`;
  const masked = maskSecrets(value);
  return /\s/.test(masked) ? `${head}"${masked.replace(/\\+$/, "$&$&")}"` : `${head}${masked}`;
}
