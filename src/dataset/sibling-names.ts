/**
 * One directory's entries in walk order, each with the attempt number of its stored name. Small directories are sorted
 * in memory, large ones through spill files; both give the same result.
 *
 * Entries travel as sort keys, one string each: a file is its name, a directory `name/`, anything else `name` + NUL + a
 * letter. Byte order of the keys is then byte order of the full paths below, and no object per entry is needed.
 */
import type { FileSystem } from "../platform/file-system.ts";
import { sortUtf8 } from "./byte-order.ts";
import { ExternalSorter } from "./external-sort.ts";
import { clashKey, type NameLimits, storedName } from "./stored-name.ts";

export interface Siblings {
  /** The next key; undefined at the end. */
  next(): string | undefined;
  /** Of the key last returned: which form of its stored name is free (see `storedName`). */
  readonly attempt: number;
  /** All names are plain (see `isPlainName`): stored as they are unless the attempt says otherwise. */
  readonly arePlain: boolean;
  /** Removes what was spilled. */
  close(): void;
}

export interface SpillOptions {
  /** A directory for spill files. */
  spillDirectory: string;
  /** Entries that are sorted in memory. */
  spillThreshold: number;
  limits: NameLimits;
}

/**
 * Entries per sorted run. Runs of 50,000 kept 40 MB more alive while a million names were sorted, without being faster.
 */
const RUN_LENGTH = 10_000;

/** Takes the keys of one directory in any order. */
export class SiblingCollector {
  readonly #fileSystem: FileSystem;
  readonly #options: SpillOptions;
  #keys: string[] = [];
  #sorter: ExternalSorter | undefined;
  readonly #risk = new ClashRisk();

  constructor(fileSystem: FileSystem, options: SpillOptions) {
    this.#fileSystem = fileSystem;
    this.#options = options;
  }

  /** `isPlain`: the name is, or it gets no stored name. */
  add(key: string, isPlain: boolean): void {
    this.#risk.see(key, isPlain);
    if (this.#sorter !== undefined) {
      this.#sorter.add(key);
      return;
    }
    this.#keys.push(key);
    if (this.#keys.length > this.#options.spillThreshold) this.#spill();
  }

  finish(): Siblings {
    const { limits } = this.#options;
    if (this.#sorter === undefined) {
      const keys = sortUtf8(this.#keys);
      const attempts = this.#risk.isPossible ? resolveClashes(keys, limits) : undefined;
      return siblingsInMemory(keys, this.#risk.arePlain, attempts);
    }
    const attempts = this.#risk.isPossible ? this.#resolveOnDisk(this.#sorter) : undefined;
    return siblingsOnDisk(this.#sorter, this.#risk.arePlain, attempts);
  }

  close(): void {
    this.#sorter?.close();
  }

  #spill(): void {
    this.#sorter = this.#newSorter();
    for (const key of this.#keys) this.#sorter.add(key);
    this.#keys = [];
  }

  #newSorter(): ExternalSorter {
    const { spillDirectory, spillThreshold } = this.#options;
    return new ExternalSorter(this.#fileSystem, nextSpillPath(spillDirectory), Math.min(spillThreshold, RUN_LENGTH));
  }

  /**
   * Rounds as in `resolveClashes`, each one a sort of all names by clash key. Returns the keys whose attempt is not 0,
   * in walk order, as key + NUL NUL + attempt.
   */
  #resolveOnDisk(keys: ExternalSorter): ExternalSorter {
    let attempts = this.#newSorter();
    for (;;) {
      const byClashKey = this.#newSorter();
      const resolved = this.#newSorter();
      try {
        const siblings = siblingsOnDisk(keys, false, attempts, "keep");
        for (let key = siblings.next(); key !== undefined; key = siblings.next()) {
          const name = nameOfKey(key);
          if (name === undefined) continue;
          const { attempt } = siblings;
          const stored = storedName(name, attempt, this.#options.limits);
          const rank = digits(attempt) + (stored === name ? "0" : "1");
          byClashKey.add(`${clashKey(stored)}\0${rank}${key}`);
        }
        const losers = giveLosersNextAttempt(byClashKey, resolved);
        attempts.close();
        attempts = resolved;
        if (losers === 0) return attempts;
      } catch (error) {
        attempts.close();
        resolved.close();
        throw error;
      } finally {
        byClashKey.close();
      }
    }
  }
}

/** The name in a key that gets a stored name: of a file or a directory. */
function nameOfKey(key: string): string | undefined {
  if (key.endsWith("/")) return key.slice(0, -1);
  return key.charCodeAt(key.length - 2) === 0 ? undefined : key;
}

/** Tells cheaply that no two names of a directory can clash: all are plain, and letters are of one case. */
class ClashRisk {
  #hasUpper = false;
  #hasLower = false;
  #hasOther = false;

  see(key: string, isPlain: boolean): void {
    if (this.#hasOther) return;
    if (!isPlain) this.#hasOther = true;
    if (!this.#hasUpper && /[A-Z]/.test(key)) this.#hasUpper = true;
    if (!this.#hasLower && /[a-z]/.test(key)) this.#hasLower = true;
  }

  get arePlain(): boolean {
    return !this.#hasOther;
  }

  get isPossible(): boolean {
    return this.#hasOther || (this.#hasUpper && this.#hasLower);
  }
}

/**
 * Gives each file and directory a stored name that no sibling has, letter case aside. Of those that want one name, the
 * one that carries it unchanged keeps it, else the first in walk order; the others try their next form against all
 * names given so far. Returns by index the attempts that are not 0.
 */
export function resolveClashes(keys: readonly string[], limits: NameLimits): Map<number, number> {
  const attempts = new Map<number, number>();
  const owners = new Map<string, { index: number; attempt: number; changed: boolean }>();
  let waiting: number[] = keys.map((_, index) => index);
  for (let attempt = 0; waiting.length > 0; attempt++) {
    const losers: number[] = [];
    for (const index of waiting) {
      const name = nameOfKey(keys[index] as string);
      if (name === undefined) continue;
      const stored = storedName(name, attempt, limits);
      const key = clashKey(stored);
      const owner = owners.get(key);
      const changed = stored !== name;
      if (owner !== undefined && !(owner.attempt === attempt && owner.changed && !changed)) {
        losers.push(index);
        continue;
      }
      if (owner !== undefined) losers.push(owner.index);
      owners.set(key, { index, attempt, changed });
    }
    for (const index of losers) attempts.set(index, attempt + 1);
    waiting = losers.sort((a, b) => a - b);
  }
  return attempts;
}

/** Reads groups of equal clash keys; the first of each group keeps its attempt. Returns how many did not. */
function giveLosersNextAttempt(byClashKey: ExternalSorter, resolved: ExternalSorter): number {
  let losers = 0;
  let group: string | undefined;
  for (const record of byClashKey.sorted()) {
    const end = record.indexOf("\0");
    const attempt = Number(record.slice(end + 1, end + 1 + DIGITS));
    const key = record.slice(end + 2 + DIGITS);
    const current = record.slice(0, end);
    const isLoser = current === group;
    if (isLoser) losers++;
    const next = isLoser ? attempt + 1 : attempt;
    if (next > 0) resolved.add(`${key}\0\0${digits(next)}`);
    group = current;
  }
  return losers;
}

const DIGITS = 6;

function digits(attempt: number): string {
  return String(attempt).padStart(DIGITS, "0");
}

function siblingsInMemory(
  keys: readonly string[],
  arePlain: boolean,
  attempts: ReadonlyMap<number, number> | undefined,
): Siblings {
  let index = -1;
  return {
    arePlain,
    next: () => keys[++index],
    get attempt() {
      return attempts?.get(index) ?? 0;
    },
    close: () => {},
  };
}

function siblingsOnDisk(
  keys: ExternalSorter,
  arePlain: boolean,
  attempts: ExternalSorter | undefined,
  onClose?: "keep",
): Siblings {
  const sorted = keys.sorted();
  const changed = attempts?.sorted();
  let pending = changed?.next().value ?? undefined;
  let attempt = 0;
  return {
    arePlain,
    next: () => {
      const step = sorted.next();
      if (step.done === true) return undefined;
      attempt = 0;
      if (pending?.startsWith(step.value) === true && pending.length === step.value.length + 2 + DIGITS) {
        attempt = Number(pending.slice(-DIGITS));
        pending = changed?.next().value ?? undefined;
      }
      return step.value;
    },
    get attempt() {
      return attempt;
    },
    close: () => {
      sorted.return();
      changed?.return();
      if (onClose === "keep") return;
      keys.close();
      attempts?.close();
    },
  };
}

let spillCount = 0;

/** Unique within the process; the directory belongs to one session. */
function nextSpillPath(directory: string): string {
  spillCount++;
  return `${directory}/walk-${spillCount}.spill`;
}
