/**
 * Paths that a manifest names are not trusted: a `FilePath` must be a plain path below the drive's root, on every system
 * that may read the drive. What Windows resolves to something else (devices, streams, trailing dots) is refused too.
 */

/** Longest path of Windows, in UTF-16 units. */
const MAX_PATH_UNITS = 32_767;
const DEVICE_NAME = /^(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])( *\.|$)/i;
// biome-ignore lint/suspicious/noControlCharactersInRegex: NUL and line ends are what must not pass
const NEEDS_LOOK = /[\x00-\x1f/:]|[. \\](\\|$)|(^|\\)(con|prn|aux|nul|com|lpt)/i;

/** Why `path` is not a plain path below a drive's root, in words; undefined when it is one. */
export function findPathProblem(path: string): string | undefined {
  if (path.length > MAX_PATH_UNITS) return "it is longer than any path on a drive";
  if (path === "" || path === "\\") return "it names no file";
  if (path.startsWith("\\\\")) return "it begins with two backslashes";
  if (!NEEDS_LOOK.test(path)) return undefined;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: NUL and line ends are what must not pass
  if (/[\x00-\x1f]/.test(path)) return "it holds a control character";
  if (path.includes("/")) return "it holds a slash; folders are separated by backslashes";
  if (path.includes(":")) return "it holds a colon: a drive letter or a stream";
  for (const component of splitDrivePath(path)) {
    if (component === "") return "it holds an empty name";
    if (component === "." || component === "..") return `it holds "${component}"`;
    if (/[. ]$/.test(component)) return `its part "${component}" ends in a dot or a blank`;
    if (DEVICE_NAME.test(component)) return `its part "${component}" is the name of a device`;
  }
  return undefined;
}

/** The names of a path from the drive's root; a leading backslash is optional. */
export function splitDrivePath(path: string): string[] {
  return (path.startsWith("\\") ? path.slice(1) : path).split("\\");
}
