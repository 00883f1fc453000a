/** Joining and splitting paths of this machine by string, for code that builds millions of them. */
import { dirname, sep } from "node:path";

/** `directory` and a name in it; `name` is taken as it is. */
export function joinPath(directory: string, name: string): string {
  return directory.endsWith(sep) || directory.endsWith("/") ? directory + name : directory + sep + name;
}

/** The directory that holds `path`; a root is its own directory. */
export function directoryOf(path: string): string {
  return dirname(path);
}
