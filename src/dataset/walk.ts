/**
 * Walks a source directory lazily in the byte order of the full relative paths: names of a directory are sorted by
 * UTF-8 bytes with sub-directories compared as `name/`. Links are never followed. What cannot be copied is reported in
 * its place, and the walk goes on.
 *
 * An explicit stack instead of recursion; at most one directory open at a time; memory does not grow with the number of
 * files, neither of the tree nor of one directory.
 */
import { isUtf8 } from "node:buffer";
import type { DirectoryEntry, FileKind, FileStat, FileSystem } from "../platform/file-system.ts";
import type { Platform } from "./base-path.ts";
import { createExclusions, type ExcludedPath, type Exclusions } from "./exclusions.ts";
import type { PathFilter } from "./filters.ts";
import {
  type LeftOut,
  leftOut,
  leftOutKey,
  leftOutOfError,
  leftOutOfKey,
  nameOfLeftOutKey,
  nameProblem,
  showRawName,
} from "./left-out.ts";
import { SiblingCollector, type Siblings, type SpillOptions } from "./sibling-names.ts";
import { isPlainName, type NameLimits, storedName } from "./stored-name.ts";

/** Directories up to this size (bytes of the directory itself) are read in one call. */
const SMALL_DIRECTORY_BYTES = 32 * 1024;
const DEFAULT_SPILL_THRESHOLD = 50_000;

export type WalkEntry = WalkedFile | LeftOut;

export interface WalkedFile {
  kind: "file";
  /** `/`-separated, below the row's directory. */
  relativePath: string;
  /** Where it goes on the drive: `/`-separated; equal to `relativePath` unless NTFS cannot hold it. */
  storedPath: string;
  stat: FileStat;
}

export interface WalkOptions {
  platform: Platform;
  /** Takes spill files for directories over the threshold. */
  spillDirectory: string;
  spillThreshold?: number;
  filter?: PathFilter;
  /** Targets, journal, log directory: not copied when they lie inside the source. */
  excluded?: readonly ExcludedPath[];
  /** Where the drives' file system limits names in bytes. */
  maxComponentBytes?: number;
  counters?: WalkCounters;
}

/** Counted while walking, for the plan's summary. */
export interface WalkCounters {
  directories: number;
  /** Files left out by the filter one by one; what lies in pruned directories is not counted. */
  filteredFiles: number;
  prunedDirectories: number;
}

/** The source itself may be a link; it is followed. */
export function* walkDirectory(
  fileSystem: FileSystem,
  root: string,
  options: WalkOptions,
): Generator<WalkEntry, void, void> {
  const walker = new Walker(fileSystem, root, options);
  try {
    for (let entry = walker.next(); entry !== undefined; entry = walker.next()) yield entry;
  } finally {
    walker.close();
  }
}

interface Level {
  /** With a trailing separator. */
  path: string;
  /** Empty or with a trailing slash. */
  relative: string;
  stored: string;
  siblings: Siblings;
}

class Walker {
  readonly #fileSystem: FileSystem;
  readonly #root: string;
  readonly #options: WalkOptions;
  readonly #separator: string;
  readonly #exclusions: Exclusions | undefined;
  readonly #counters: WalkCounters;
  readonly #limits: NameLimits;
  readonly #spill: SpillOptions;
  readonly #levels: Level[] = [];
  #isStarted = false;

  constructor(fileSystem: FileSystem, root: string, options: WalkOptions) {
    this.#fileSystem = fileSystem;
    this.#root = root;
    this.#options = options;
    this.#separator = options.platform === "win32" ? "\\" : "/";
    this.#exclusions = createExclusions(fileSystem, root, options.excluded ?? [], options.platform);
    this.#counters = options.counters ?? { directories: 0, filteredFiles: 0, prunedDirectories: 0 };
    this.#limits = options.maxComponentBytes === undefined ? {} : { maxComponentBytes: options.maxComponentBytes };
    this.#spill = {
      spillDirectory: options.spillDirectory,
      spillThreshold: options.spillThreshold ?? DEFAULT_SPILL_THRESHOLD,
      limits: this.#limits,
    };
  }

  /** The next entry in order; undefined at the end. */
  next(): WalkEntry | undefined {
    if (!this.#isStarted) {
      this.#isStarted = true;
      const problem = this.#enter(this.#root, "", "");
      if (problem !== undefined) return problem;
    }
    for (let level = this.#levels.at(-1); level !== undefined; level = this.#levels.at(-1)) {
      const key = level.siblings.next();
      if (key === undefined) {
        this.#levels.pop();
        level.siblings.close();
        continue;
      }
      const entry = key.endsWith("/") ? this.#directory(level, key) : this.#leaf(level, key);
      if (entry !== undefined) return entry;
    }
    return undefined;
  }

  close(): void {
    for (const level of this.#levels) level.siblings.close();
    this.#levels.length = 0;
  }

  #directory(level: Level, key: string): LeftOut | undefined {
    const name = key.slice(0, -1);
    const stored = `${level.stored}${storedName(name, level.siblings.attempt, this.#limits)}/`;
    return this.#enter(level.path + name, level.relative + key, stored);
  }

  #leaf(level: Level, key: string): WalkEntry {
    if (key.charCodeAt(key.length - 2) === 0) return this.#leftOutOfKey(level, key);
    const relativePath = level.relative + key;
    let stat: FileStat;
    try {
      stat = this.#fileSystem.lstat(level.path + key);
    } catch (error) {
      return leftOutOfError(relativePath, error);
    }
    if (stat.kind !== "file") {
      if (stat.kind !== "directory") return leftOutOfKey(relativePath, leftOutKey(key, stat.kind), undefined);
      return leftOut(relativePath, "FILE_VANISHED", "a directory took its place");
    }
    const { attempt, arePlain } = level.siblings;
    const storedLeaf = attempt === 0 && arePlain ? key : storedName(key, attempt, this.#limits);
    const sameSoFar = level.stored === level.relative && storedLeaf === key;
    return { kind: "file", relativePath, storedPath: sameSoFar ? relativePath : level.stored + storedLeaf, stat };
  }

  /** Reads a directory and puts it on the stack; returns what to report when that fails. */
  #enter(path: string, relative: string, stored: string): LeftOut | undefined {
    const collector = new SiblingCollector(this.#fileSystem, this.#spill);
    const directory = { path: path.endsWith(this.#separator) ? path : path + this.#separator, relative };
    try {
      this.#collectAll(collector, path, directory);
      this.#levels.push({ ...directory, stored, siblings: collector.finish() });
    } catch (error) {
      collector.close();
      // Other errors come from the spill files: the session's own disk fails, and the run cannot go on.
      if (error instanceof DirectoryUnreadable) return leftOutOfError(relative.replace(/\/$/, ""), error.cause);
      throw error;
    }
    this.#counters.directories++;
    return undefined;
  }

  #collectAll(collector: SiblingCollector, path: string, directory: Place): void {
    const suspects: DirectoryEntry[] = [];
    const take = (entry: DirectoryEntry): void => {
      if (entry.name.includes("\ufffd")) suspects.push(entry);
      else this.#collect(collector, directory, entry);
    };
    const fileSystem = this.#fileSystem;
    const isRoot = directory.relative === "";
    const { sizeBytes, kind } = reading(() => (isRoot ? fileSystem.stat(path) : fileSystem.lstat(path)));
    // A link may have taken the directory's place since its parent was read, and would lead out of the source.
    if (kind !== "directory") throw new DirectoryUnreadable("replaced", { cause: new Error(NO_DIRECTORY) });
    if (sizeBytes > 0 && sizeBytes <= SMALL_DIRECTORY_BYTES) {
      for (const entry of reading(() => fileSystem.readdir(path))) take(entry);
    } else {
      const reader = reading(() => fileSystem.openDirectory(path));
      try {
        const next = (): DirectoryEntry | null => reader.read();
        for (let entry = reading(next); entry !== null; entry = reading(next)) take(entry);
      } finally {
        reader.close();
      }
    }
    if (suspects.length > 0) this.#collectSuspects(collector, path, directory, suspects);
  }

  /** Makes the key of one entry (see sibling-names.ts), unless a filter leaves it out. */
  #collect(collector: SiblingCollector, directory: Place, entry: DirectoryEntry): void {
    const { name } = entry;
    const { filter, platform } = this.#options;
    const kind = entry.kind === "unknown" ? this.#kindOnDisk(directory.path + name) : entry.kind;
    if (filter !== undefined && this.#isFiltered(filter, directory.relative + name, kind)) return;
    const isPlain = isPlainName(name);
    if (this.#exclusions?.has(directory.relative + name) === true) collector.add(leftOutKey(name, "excluded"), true);
    else if (!isPlain && nameProblem(name, platform) !== undefined) collector.add(leftOutKey(name, "bad-name"), true);
    else if (kind === "file") collector.add(name, isPlain);
    else if (kind === "directory") collector.add(`${name}/`, isPlain);
    else collector.add(leftOutKey(name, kind), true);
  }

  #isFiltered(filter: PathFilter, relativePath: string, kind: FileKind): boolean {
    if (kind === "directory") {
      if (!filter.excludesAllBelow(relativePath)) return false;
      this.#counters.prunedDirectories++;
      return true;
    }
    if (filter.acceptsFile(relativePath)) return false;
    this.#counters.filteredFiles++;
    return true;
  }

  /** Names that show U+FFFD: either they hold it, or they hold bytes that are not UTF-8. The raw names tell. */
  #collectSuspects(
    collector: SiblingCollector,
    path: string,
    directory: Place,
    suspects: readonly DirectoryEntry[],
  ): void {
    const byName = new Map(suspects.map((entry) => [entry.name, entry]));
    for (const raw of reading(() => this.#fileSystem.readNames(path))) {
      const decoded = Buffer.from(raw).toString("utf8");
      const entry = decoded.includes("\ufffd") ? byName.get(decoded) : undefined;
      if (entry === undefined) continue;
      if (isUtf8(raw)) this.#collect(collector, directory, entry);
      else {
        const { filter } = this.#options;
        if (filter !== undefined && this.#isFiltered(filter, directory.relative + decoded, entry.kind)) continue;
        collector.add(leftOutKey(showRawName(raw), "not-utf8"), true);
      }
    }
  }

  /** For file systems that do not tell the kind while listing. What cannot be looked at is reported as a file is. */
  #kindOnDisk(path: string): FileKind {
    try {
      return this.#fileSystem.lstat(path).kind;
    } catch {
      return "file";
    }
  }

  #leftOutOfKey(level: Level, key: string): LeftOut {
    const name = nameOfLeftOutKey(key);
    const relativePath = level.relative + name;
    const excluded = this.#exclusions?.get(relativePath);
    if (excluded !== undefined) return { kind: "excluded", relativePath, code: "FILE_EXCLUDED", reason: excluded };
    return leftOutOfKey(relativePath, key, nameProblem(name, this.#options.platform));
  }
}

type Place = Pick<Level, "path" | "relative">;

const NO_DIRECTORY = "something else took the directory's place";

/** A source directory failed, as opposed to a spill file. */
class DirectoryUnreadable extends Error {}

function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new DirectoryUnreadable("directory unreadable", { cause });
  }
}
