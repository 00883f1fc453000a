/**
 * `--include` and `--exclude`: glob patterns on the path relative to the row's directory, `/`-separated on every
 * platform, letter case counts, names that begin with a dot are names like others. Exclude wins.
 */
import picomatch from "picomatch";
import { UsageError } from "../platform/app-error.ts";

export interface PathFilter {
  acceptsFile(relativePath: string): boolean;
  /** Nothing below can be accepted: the directory need not be read. False where that is not certain. */
  excludesAllBelow(relativeDirectory: string): boolean;
}

type Matcher = (path: string) => boolean;

const OPTIONS = { dot: true, nocase: false, windows: false, strictBrackets: true } as const;

/** Undefined without patterns: everything is taken. Throws FILTER_INVALID. */
export function compileFilter(include: readonly string[], exclude: readonly string[]): PathFilter | undefined {
  if (include.length === 0 && exclude.length === 0) return undefined;
  const included = include.map((pattern) => compile("--include", pattern));
  const excluded = exclude.map((pattern) => compile("--exclude", pattern));
  const pruning = exclude.flatMap((pattern) => compilePruning(pattern));
  return {
    acceptsFile: (path) =>
      !excluded.some((matches) => matches(path)) &&
      (included.length === 0 || included.some((matches) => matches(path))),
    excludesAllBelow: (directory) => pruning.some((matches) => matches(directory)),
  };
}

function compile(option: string, pattern: string): Matcher {
  const problem = explainUseless(pattern);
  if (problem !== undefined) throw new UsageError("FILTER_INVALID", `${option} "${pattern}": ${problem}`);
  try {
    return picomatch(pattern, OPTIONS);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.replace(/\.$/, "") : String(cause);
    throw new UsageError("FILTER_INVALID", `${option} "${pattern}": ${reason.toLowerCase()}`, { cause });
  }
}

/** Patterns that can match no relative path; refused, because a filter that does nothing ships the wrong files. */
function explainUseless(pattern: string): string | undefined {
  if (pattern.trim() === "") return "the pattern is empty";
  if (pattern.startsWith("/") || /^[A-Za-z]:/.test(pattern)) {
    return "patterns match paths relative to the source and begin with no slash or drive";
  }
  if (pattern.startsWith("./")) return "leave out the './' at the beginning";
  if (pattern.endsWith("/")) return `files only are matched; write "${pattern}**" for all below a directory`;
  if (/\\[A-Za-z0-9_. -]/.test(pattern)) return "separate directories by '/', on Windows too";
  return undefined;
}

/** `<directory>/**` takes everything below what `<directory>` matches; other forms are not tried. */
function compilePruning(pattern: string): Matcher[] {
  if (!pattern.endsWith("/**") || pattern.startsWith("!")) return pattern === "**" ? [() => true] : [];
  const whole = picomatch(pattern, OPTIONS);
  let directory: Matcher;
  try {
    directory = picomatch(pattern.slice(0, -3), OPTIONS);
  } catch {
    return [];
  }
  return [(path) => directory(path) && PROBES.every((below) => whole(path + below))];
}

/** Paths that a true "all below" pattern matches whatever is below. */
const PROBES = ["/a", "/.a", "/a/.b/c"];
