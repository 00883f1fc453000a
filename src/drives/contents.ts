/** What lies in a drive's root, for the question before it is erased and for the check that it is empty. */
import { describeErrno } from "../platform/app-error.ts";
import type { FileSystem } from "../platform/file-system.ts";
import { sizeToWords } from "./size-words.ts";

/** Made by file systems themselves; their presence does not make a drive "not empty". */
const OWN_OF_FILE_SYSTEM: ReadonlySet<string> = new Set(["lost+found", "System Volume Information"]);

const NAMES_SHOWN = 5;
/** Counting on would only cost time: "more" says enough. */
const NAMES_COUNTED = 1_000;

/** The first names in the root that somebody put there, at most `limit`, in the file system's order. */
export function firstNames(fs: FileSystem, root: string, limit: number): string[] {
  const directory = fs.openDirectory(root);
  try {
    const names: string[] = [];
    for (let entry = directory.read(); entry !== null && names.length < limit; entry = directory.read()) {
      if (!OWN_OF_FILE_SYSTEM.has(entry.name)) names.push(entry.name);
    }
    return names;
  } finally {
    directory.close();
  }
}

/** For example `ext4 "DATA", 1.2 GiB used of 2.0 GiB; in its root: "a", "b"`. */
export function describeContents(
  fs: FileSystem,
  root: string,
  volume: { fileSystem: string; label?: string; sizeBytes: number; freeBytes: number },
): string {
  const label = volume.label ? ` "${volume.label}"` : "";
  const used = `${sizeToWords(volume.sizeBytes - volume.freeBytes)} used of ${sizeToWords(volume.sizeBytes)}`;
  return `${volume.fileSystem}${label}, ${used}; ${describeRoot(fs, root)}`;
}

function describeRoot(fs: FileSystem, root: string): string {
  let names: string[];
  try {
    names = firstNames(fs, root, NAMES_COUNTED);
  } catch (error) {
    return `its root cannot be read: ${describeErrno(error)}`;
  }
  if (names.length === 0) return "empty";
  const shown = names.slice(0, NAMES_SHOWN).map((name) => JSON.stringify(name));
  const rest = names.length - shown.length;
  const more = rest === 0 ? "" : ` and ${names.length === NAMES_COUNTED ? "many" : rest} more`;
  return `in its root: ${shown.join(", ")}${more}`;
}
