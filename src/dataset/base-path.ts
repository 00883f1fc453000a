/**
 * The sources named in a dataset: absolute local paths, on Windows also UNC paths. What ends with a separator is a
 * directory. Nothing is expanded: on Windows `*` and `?` are refused; elsewhere they are ordinary characters of a name.
 */
import { posix, win32 } from "node:path";
import { checkNameCharacters } from "../blobs/name-rules.ts";

export type Platform = "win32" | "posix";

export type BasePathResult =
  /** `path` is normalised, without a trailing separator except at a root. */
  { ok: true; path: string; endsInSeparator: boolean } | { ok: false; message: string; expected: string };

export function parseBasePath(text: string, platform: Platform): BasePathResult {
  if (text.trim() === "") return wrong("the path is missing", exampleOf(platform));
  const characters = checkNameCharacters(text);
  if (characters !== undefined) return wrong(characters.reason.replace("the name", "the path"), "a path without it");
  return platform === "win32" ? parseWindowsPath(text) : parsePosixPath(text);
}

function parseWindowsPath(text: string): BasePathResult {
  const slashed = text.replaceAll("/", "\\");
  const plain = slashed.replace(/^\\\\\?\\UNC\\/i, "\\\\").replace(/^\\\\\?\\/, "");
  const isLocal = /^[A-Za-z]:\\/.test(plain);
  const isShare = /^\\\\[^\\]+\\[^\\]+/.test(plain);
  if (/^\\\\[.?]\\/.test(plain)) return wrong("the path names a device", exampleOf("win32"));
  if (!isLocal && !isShare) {
    const message = /^[A-Za-z]:/.test(plain)
      ? "the path is relative to the current directory of its drive"
      : "the path is not absolute";
    return wrong(message, exampleOf("win32"));
  }
  const rest = isLocal ? plain.slice(2) : plain;
  if (/[*?]/.test(rest)) return wrong("the path holds a wildcard", "a directory or a file without wildcards");
  const illegal = /[<>:"|]/.exec(rest)?.[0];
  if (illegal !== undefined) return wrong(`the path holds ${illegal}, which Windows does not allow`, "a Windows path");
  const normalised = win32.normalize(plain);
  const { root } = win32.parse(normalised);
  const isRoot = normalised.length <= root.length;
  const path = isRoot ? root : normalised.replace(/\\+$/, "");
  return { ok: true, path, endsInSeparator: isRoot || plain.endsWith("\\") };
}

function parsePosixPath(text: string): BasePathResult {
  if (!text.startsWith("/")) {
    const isWindows = /^[A-Za-z]:[\\/]|^\\\\/.test(text);
    return wrong(isWindows ? "this is a path of Windows" : "the path is not absolute", exampleOf("posix"));
  }
  const normalised = posix.normalize(text);
  // A script from Windows may end its directories in "\"; no name that a blob can carry ends so.
  const path = normalised.replace(/[\\/]+$/, "") || "/";
  return { ok: true, path, endsInSeparator: path !== normalised || path === "/" };
}

function exampleOf(platform: Platform): string {
  return platform === "win32"
    ? "an absolute path such as D:\\photos\\ or \\\\server\\share\\photos\\"
    : "an absolute path such as /data/photos/";
}

function wrong(message: string, expected: string): BasePathResult {
  return { ok: false, message, expected };
}
