/**
 * A small language for faults over the ports of the outside world:
 *
 *   const faults = new Faults();
 *   faults.on("write").at((path) => path.startsWith("/drives/one/")).after(3).fail("ENOSPC");
 *   const fs = faults.over(realFileSystem);
 *
 * lets three matching calls pass and fails the fourth. Calls by handle count for the path that was opened. Every call is
 * counted by kind, whether a fault is due or not.
 */
import type { FileSystem } from "../../src/platform/file-system.ts";
import type { ProcessRunner } from "../../src/platform/processes.ts";
import { errno } from "./memory-file-system.ts";

/** `readEntry`: a step of `openDirectory`; `run`: a started process; the rest are methods of the file system port. */
export const CALL_KINDS = [
  "open",
  "read",
  "write",
  "close",
  "fsync",
  "ftruncate",
  "fchmod",
  "futimes",
  "fstat",
  "lstat",
  "stat",
  "readdir",
  "openDirectory",
  "readEntry",
  "readNames",
  "mkdir",
  "rmdir",
  "unlink",
  "rename",
  "realpath",
  "statfs",
  "run",
] as const;
export type CallKind = (typeof CALL_KINDS)[number];

/** A call as it is made: `path` of a `run` is its last argument. */
export interface Call {
  kind: CallKind;
  path: string;
}

/**
 * The process is dead. Code under test may catch it, as it may catch anything, but every call after it throws it again:
 * what runs on in a dead process changes nothing.
 */
export class Killed extends Error {
  constructor() {
    super("the process was killed");
  }
}

interface Action {
  /** Instead of the call. */
  instead?: (call: Call) => never;
  /** Before the call, which then happens. */
  before?: (call: Call) => void;
  after?: (call: Call) => void;
  /** A read or write moves at most so many bytes. */
  maxBytes?: number;
  /** Changes what a read gave. */
  change?: (bytes: Uint8Array) => void;
}

interface Rule {
  matches(call: Call): boolean;
  skip: number;
  times: number;
  action: Action;
}

export class Faults {
  readonly #rules: Rule[] = [];
  readonly counts = new Map<CallKind, number>();
  /** Every call in order, when `records` is set. */
  readonly calls: Call[] = [];
  records = false;
  /** How many faults were injected. */
  injected = 0;
  isDead = false;
  total = 0;
  /** Which process is alive: what an earlier one still had in hand finds itself dead. */
  #process = 0;
  readonly #delay: (ms: number) => void;

  /** `delay`: moves the clock of the test. */
  constructor(delay: (ms: number) => void = () => {}) {
    this.#delay = delay;
  }

  on(...kinds: (CallKind | "*")[]): FaultBuilder {
    const all = kinds.includes("*");
    const rule: Rule = { matches: (call) => all || kinds.includes(call.kind), skip: 0, times: 1, action: {} };
    return new FaultBuilder(this, rule, this.#delay, () => this.#rules.push(rule));
  }

  /** Nothing fails from here on; a new process may be started, the old one stays dead. */
  clear(): void {
    this.#rules.length = 0;
    this.isDead = false;
    this.#process += 1;
  }

  /** Counts a call and does what is due before it. */
  begin(call: Call, process = this.#process): Action {
    if (this.isDead || process !== this.#process) throw new Killed();
    this.counts.set(call.kind, (this.counts.get(call.kind) ?? 0) + 1);
    this.total += 1;
    if (this.records) this.calls.push(call);
    for (const rule of this.#rules) {
      if (!rule.matches(call)) continue;
      if (rule.skip-- > 0) continue;
      if (rule.times-- <= 0) continue;
      this.injected += 1;
      rule.action.before?.(call);
      rule.action.instead?.(call);
      return rule.action;
    }
    return {};
  }

  die(): never {
    this.isDead = true;
    throw new Killed();
  }

  /** The file system with the faults in it. */
  over(inner: FileSystem): FileSystem {
    const paths = new Map<number, string>();
    const process = this.#process;
    const around = <T>(kind: CallKind, path: string, call: (action: Action) => T): T => {
      const action = this.begin({ kind, path }, process);
      const result = call(action);
      action.after?.({ kind, path });
      return result;
    };
    const byPath =
      <A extends unknown[], T>(kind: CallKind, call: (path: string, ...rest: A) => T) =>
      (path: string, ...rest: A): T =>
        around(kind, path, () => call.call(inner, path, ...rest));
    const byHandle =
      <A extends unknown[], T>(kind: CallKind, call: (fd: number, ...rest: A) => T) =>
      (fd: number, ...rest: A): T =>
        around(kind, paths.get(fd) ?? "", () => call.call(inner, fd, ...rest));
    return {
      open: (path, flags, mode) =>
        around("open", path, () => {
          const fd = inner.open(path, flags, mode);
          paths.set(fd, path);
          return fd;
        }),
      read: (fd, buffer, offset, length, position) =>
        around("read", paths.get(fd) ?? "", ({ maxBytes = length, change }) => {
          const count = inner.read(fd, buffer, offset, Math.min(length, maxBytes), position);
          change?.(buffer.subarray(offset, offset + count));
          return count;
        }),
      write: (fd, buffer, offset, length, position) =>
        around("write", paths.get(fd) ?? "", ({ maxBytes = length }) =>
          inner.write(fd, buffer, offset, Math.min(length, maxBytes), position),
        ),
      // As in Linux: a handle is gone even when closing it tells an error.
      close: (fd) => {
        const path = paths.get(fd) ?? "";
        try {
          const action = this.begin({ kind: "close", path }, process);
          inner.close(fd);
          action.after?.({ kind: "close", path });
        } catch (error) {
          if (!(error instanceof Killed)) inner.close(fd);
          throw error;
        }
      },
      fsync: byHandle("fsync", inner.fsync),
      ftruncate: byHandle("ftruncate", inner.ftruncate),
      fchmod: byHandle("fchmod", inner.fchmod),
      futimes: byHandle("futimes", inner.futimes),
      fstat: byHandle("fstat", inner.fstat),
      lstat: byPath("lstat", inner.lstat),
      stat: byPath("stat", inner.stat),
      readdir: byPath("readdir", inner.readdir),
      openDirectory: (path) =>
        around("openDirectory", path, () => {
          const reader = inner.openDirectory(path);
          return { read: () => around("readEntry", path, () => reader.read()), close: () => reader.close() };
        }),
      readNames: byPath("readNames", inner.readNames),
      mkdir: byPath("mkdir", inner.mkdir),
      rmdir: byPath("rmdir", inner.rmdir),
      unlink: byPath("unlink", inner.unlink),
      rename: byPath("rename", inner.rename),
      realpath: byPath("realpath", inner.realpath),
      statfs: byPath("statfs", inner.statfs),
    };
  }

  /** A runner of programs with the faults in it: `fail` makes the program end with exit code 1 and the error's words. */
  overProcesses(inner: ProcessRunner): ProcessRunner {
    const process = this.#process;
    return {
      run: async (command, args, options) => {
        const call: Call = { kind: "run", path: args.at(-1) ?? "" };
        let action: Action;
        try {
          action = this.begin(call, process);
        } catch (error) {
          if (error instanceof Killed) throw error;
          return { exitCode: 1, stdout: "", stderr: `${command}: ${(error as Error).message}` };
        }
        const result = await inner.run(command, args, options);
        action.after?.(call);
        return result;
      },
    };
  }
}

/** Says when a fault is due, and ends with what happens then. */
export class FaultBuilder {
  readonly #faults: Faults;
  readonly #rule: Rule;
  readonly #delay: (ms: number) => void;
  readonly #arm: () => void;

  constructor(faults: Faults, rule: Rule, delay: (ms: number) => void, arm: () => void) {
    this.#faults = faults;
    this.#rule = rule;
    this.#delay = delay;
    this.#arm = arm;
  }

  /** Only calls on these paths: a predicate, or a text that the path contains. */
  at(path: string | ((path: string) => boolean)): this {
    const { matches } = this.#rule;
    const isThere = typeof path === "string" ? (found: string) => found.includes(path) : path;
    this.#rule.matches = (call) => matches(call) && isThere(call.path);
    return this;
  }

  /** So many matching calls pass first. */
  after(calls: number): this {
    this.#rule.skip = calls;
    return this;
  }

  times(times: number): this {
    this.#rule.times = times;
    return this;
  }

  always(): this {
    return this.times(Number.POSITIVE_INFINITY);
  }

  fail(code: string): void {
    this.#act({
      instead: ({ kind, path }) => {
        throw errno(code, kind, path);
      },
    });
  }

  /** A short write or a short read. */
  truncate(bytes: number): void {
    this.#act({ maxBytes: bytes });
  }

  /** A write that puts down a part, and then the process is gone. */
  truncateAndKill(bytes: number): void {
    this.#act({ maxBytes: bytes, after: () => this.#faults.die() });
  }

  delay(ms: number): void {
    this.#act({ before: () => this.#delay(ms) });
  }

  kill(): void {
    this.#act({ instead: () => this.#faults.die() });
  }

  killAfter(): void {
    this.#act({ after: () => this.#faults.die() });
  }

  /** Flips one bit of what a read gives. */
  flipBit(): void {
    this.#act({
      change: (bytes) => {
        if (bytes.length > 0) bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
      },
    });
  }

  /** Anything else that happens in the world before the call. */
  run(happening: (call: Call) => void): void {
    this.#act({ before: happening });
  }

  #act(action: Action): void {
    this.#rule.action = action;
    this.#arm();
  }
}
