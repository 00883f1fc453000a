/** What of this run itself (targets, journal, log directory) lies inside a source: it would be copied onto itself. */
import type { FileSystem } from "../platform/file-system.ts";
import type { Platform } from "./base-path.ts";

export interface ExcludedPath {
  /** Links resolved. */
  realPath: string;
  /** Why, in words: "the target drive lies inside the source". */
  reason: string;
}

export interface Exclusions {
  has(relativePath: string): boolean;
  get(relativePath: string): string | undefined;
}

/** Undefined when nothing of `excluded` lies below `root`. */
export function createExclusions(
  fileSystem: FileSystem,
  root: string,
  excluded: readonly ExcludedPath[],
  platform: Platform,
): Exclusions | undefined {
  if (excluded.length === 0) return undefined;
  const fold = (path: string): string => (platform === "win32" ? path.replaceAll("\\", "/").toLowerCase() : path);
  let realRoot: string;
  try {
    realRoot = fold(fileSystem.realpath(root));
  } catch {
    return undefined;
  }
  const prefix = realRoot.endsWith("/") ? realRoot : `${realRoot}/`;
  const inside = new Map<string, string>();
  for (const { realPath, reason } of excluded) {
    const folded = fold(realPath);
    if (folded.startsWith(prefix)) inside.set(folded.slice(prefix.length).replace(/\/+$/, ""), reason);
  }
  if (inside.size === 0) return undefined;
  return { has: (path) => inside.has(fold(path)), get: (path) => inside.get(fold(path)) };
}
