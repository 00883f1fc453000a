/**
 * Where an exported blob lies on its drive: `\<container>\<name>`, each part as NTFS can hold it. Blobs for which that
 * place is taken (names that differ in letter case alone, a blob that is also the folder of another, a blob where the
 * side file of another goes) lie below `\_renamed` instead, which no container can be called; the manifest says where.
 */
import { ExternalSorter } from "../dataset/external-sort.ts";
import { clashKey, storedName } from "../dataset/stored-name.ts";
import { joinPath } from "../platform/file-path.ts";
import type { FileSystem } from "../platform/file-system.ts";
import type { ExportEntry } from "./export-entry.ts";

export interface DrivePaths {
  file: string;
  properties: string;
  metadata: string;
}

const RENAMED_FOLDER = "_renamed";
const RENAMED_PER_FOLDER = 1000;
const LIMITS = { maxComponentBytes: 255 };
const PROPERTIES_SUFFIX = ".properties";
const METADATA_SUFFIX = ".metadata";

/** Undefined for a name with an empty part, which no path can have. */
export function naturalPaths(entry: Pick<ExportEntry, "container" | "name" | "snapshot">): DrivePaths | undefined {
  const folders = [entry.container, ...entry.name.split("/")];
  if (folders.includes("")) return undefined;
  const last = withSnapshot(folders.pop() ?? "", entry.snapshot);
  return pathsIn(folders.map(stored), last);
}

export function renamedPaths(entry: Pick<ExportEntry, "index" | "name" | "snapshot">): DrivePaths {
  const last = entry.name.split("/").findLast((part) => part !== "") ?? "blob";
  const folder = String(Math.floor(entry.index / RENAMED_PER_FOLDER));
  return pathsIn([RENAMED_FOLDER, folder], `${entry.index}-${withSnapshot(last, entry.snapshot)}`);
}

function pathsIn(folders: readonly string[], last: string): DrivePaths {
  const path = (name: string): string => `\\${[...folders, stored(name)].join("\\")}`;
  return { file: path(last), properties: path(last + PROPERTIES_SUFFIX), metadata: path(last + METADATA_SUFFIX) };
}

function stored(name: string): string {
  return storedName(name, 0, LIMITS);
}

/** ` (2024-03-01T101530.1234567Z)` before the extension. */
function withSnapshot(name: string, snapshot: string | undefined): string {
  if (snapshot === undefined) return name;
  const time = ` (${snapshot.replaceAll(":", "")})`;
  const dot = name.lastIndexOf(".");
  return dot > 0 ? `${name.slice(0, dot)}${time}${name.slice(dot)}` : name + time;
}

const RUN_LENGTH = 10_000;
const INDEX_DIGITS = 12;
const PART_END = "\0";
/** Sorts before any part, so that what lies in a folder follows the file of the same name. */
const KEY_END = "\0\0";

/** Finds the blobs whose natural place is taken, on disk: memory does not grow with their number. */
export class NameClashes {
  readonly #byKey: ExternalSorter;
  readonly #renamed: ExternalSorter;

  constructor(fs: FileSystem, directory: string) {
    this.#byKey = new ExternalSorter(fs, joinPath(directory, "names.spill"), RUN_LENGTH);
    this.#renamed = new ExternalSorter(fs, joinPath(directory, "renamed.spill"), RUN_LENGTH);
  }

  add(entry: ExportEntry): void {
    const paths = naturalPaths(entry);
    if (paths === undefined) {
      this.#rename(entry.index);
      return;
    }
    this.#addPath(paths.file, 0, entry.index);
    this.#addPath(paths.properties, 1, entry.index);
    if (Object.keys(entry.metadata).length > 0) this.#addPath(paths.metadata, 1, entry.index);
  }

  /** Indexes in their order, each once. */
  *renamed(): Generator<number> {
    this.#findClashes();
    let last = -1;
    for (const digits of this.#renamed.sorted()) {
      const index = Number(digits);
      if (index !== last) yield index;
      last = index;
    }
  }

  close(): void {
    this.#byKey.close();
    this.#renamed.close();
  }

  #addPath(path: string, rank: number, index: number): void {
    const parts = path.slice(1).split("\\");
    const key = parts.map(clashKey).join(PART_END);
    this.#byKey.add(`${key}${KEY_END}${rank}${digits(index)}${parts.slice(0, -1).join("\\")}`);
  }

  #rename(index: number): void {
    this.#renamed.add(digits(index));
  }

  #findClashes(): void {
    let owner: { key: string; index: number } | undefined;
    const folderKeys: string[] = [];
    const folderNames: string[] = [];
    for (const record of this.#byKey.sorted()) {
      const end = record.indexOf(KEY_END);
      const key = record.slice(0, end);
      const rest = record.slice(end + KEY_END.length);
      const index = Number(rest.slice(1, 1 + INDEX_DIGITS));
      if (owner?.key === key) {
        if (owner.index !== index) this.#rename(index);
        continue;
      }
      // A file where a folder has to be: the file makes room.
      if (owner !== undefined && key.startsWith(owner.key + PART_END)) this.#rename(owner.index);
      owner = { key, index };
      const names = rest.slice(1 + INDEX_DIGITS).split("\\");
      if (!isSameSpelling(key.split(PART_END), names, folderKeys, folderNames)) this.#rename(index);
    }
  }
}

/** Folders that differ in letter case alone are one folder to NTFS: the first spelling is the folder's. */
function isSameSpelling(
  keys: readonly string[],
  names: readonly string[],
  folderKeys: string[],
  folderNames: string[],
): boolean {
  for (const [depth, name] of names.entries()) {
    const key = keys[depth] ?? "";
    if (folderKeys[depth] !== key) {
      folderKeys.length = depth;
      folderNames.length = depth;
      folderKeys.push(key);
      folderNames.push(name);
    } else if (folderNames[depth] !== name) return false;
  }
  return true;
}

function digits(index: number): string {
  return String(index).padStart(INDEX_DIGITS, "0");
}
