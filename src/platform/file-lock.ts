/**
 * One process per journal and per drive. The lock is an exclusively created file that says who holds it: pid and start
 * time of the process, boot of the machine, host, a nonce. A lock whose process is gone is taken over at once; one of
 * another host is not judged from here and needs `--break-lock`.
 *
 * Taking over must have one winner. The right to replace the lock with nonce N is itself a lock of this kind, named after
 * N: whoever holds it looks again whether the lock still has nonce N, and only then renames its own file over it. A taker
 * that was too slow holds the right to a lock that is there no more and starts again.
 */
import { constants } from "node:fs";
import { AppError, describeErrno, errnoOf, LockedError } from "./app-error.ts";
import type { Clock } from "./clock.ts";
import { FileTooLongError, readWholeFile, unlinkQuietly, writeAll } from "./durable-file.ts";
import { directoryOf, joinPath } from "./file-path.ts";
import type { FileStat, FileSystem } from "./file-system.ts";
import type { ProcessIdentity, ProcessTable } from "./process-identity.ts";
import type { Random } from "./random.ts";

export interface LockPorts {
  fs: FileSystem;
  clock: Clock;
  random: Random;
  processes: ProcessTable;
}

export interface LockOptions {
  /** Take it even though another host holds it. A live process of this machine is never robbed. */
  breakLock: boolean;
  /** What is locked, for the message: `the journal "a.jrn"`. */
  purpose: string;
}

export interface Lock {
  /** Gives the lock back; also done when the process exits. More calls do nothing. */
  release(): void;
}

interface Holder extends ProcessIdentity {
  nonce: string;
  /** ISO 8601, UTC. */
  since: string;
}

/** What lies at the lock's path. `torn`: created, its holder not yet or never written. */
type Found = { state: "held"; holder: Holder } | { state: "torn"; nonce: string; ageMs: number };

const MAX_LOCK_BYTES = 8 * 1024;
/** A process that stands still between creating its lock and writing into it for longer than this has lost it. */
const TORN_AFTER_MS = 10_000;
const LEFTOVER = /^(takeover-.*|[0-9a-f]{32})$/;
/** Others coming and going in between; with none the second attempt succeeds. */
const MAX_ATTEMPTS = 100;

/** Takes the lock at `path` or throws LockedError saying who has it. The directory must exist. */
export function acquireLock(ports: LockPorts, path: string, options: LockOptions): Lock {
  const nonce = ports.random.bytes(16).toString("hex");
  const since = new Date(ports.clock.nowMs()).toISOString();
  const content = Buffer.from(`${JSON.stringify({ ...ports.processes.currentProcess(), nonce, since })}\n`);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    if (createLockFile(ports.fs, path, content)) {
      if (isStillOurs(ports, path, nonce)) return lockHandle(ports, path, nonce);
      continue;
    }
    const found = readLock(ports, path);
    if (found === undefined) continue;
    refuseIfHeld(ports, path, found, options);
    if (takeOver(ports, path, nonceOf(found), content, nonce, options)) {
      removeLeftovers(ports, path, options);
      return lockHandle(ports, path, nonce);
    }
  }
  throw new LockedError("LOCKED", `${options.purpose} is being taken by several other runs at once`);
}

function createLockFile(fs: FileSystem, path: string, content: Buffer): boolean {
  let fd: number;
  try {
    fd = fs.open(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600);
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw cannotLock(path, error);
  }
  try {
    try {
      writeAll(fs, fd, content, 0);
    } finally {
      fs.close(fd);
    }
    return true;
  } catch (error) {
    unlinkQuietly(fs, path);
    throw cannotLock(path, error);
  }
}

/** Someone who took the new file for an abandoned one may have replaced it before the nonce was in it. */
function isStillOurs(ports: LockPorts, path: string, nonce: string): boolean {
  try {
    return nonceOf(readLock(ports, path)) === nonce;
  } catch (error) {
    unlinkQuietly(ports.fs, path);
    throw error;
  }
}

function cannotLock(path: string, error: unknown): AppError {
  if (error instanceof AppError) return error;
  return new AppError("LOCK_FAILED", `cannot make the lock file "${path}": ${describeErrno(error)}`, { cause: error });
}

function readLock({ fs, clock }: LockPorts, path: string): Found | undefined {
  try {
    const stat = fs.stat(path);
    const holder = parseHolder(readWholeFile(fs, path, MAX_LOCK_BYTES).toString("utf8"));
    return holder === undefined ? torn(stat, clock) : { state: "held", holder };
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    if (error instanceof FileTooLongError) return torn(fs.stat(path), clock);
    const message = `cannot read the lock "${path}", which another user may hold: ${describeErrno(error)}`;
    throw new LockedError("LOCKED", message, { cause: error });
  }
}

function torn(stat: FileStat, clock: Clock): Found {
  const modifiedMs = Number(stat.mtimeNs / 1_000_000n);
  return { state: "torn", nonce: `torn-${stat.fileId}-${stat.mtimeNs}`, ageMs: clock.nowMs() - modifiedMs };
}

function parseHolder(text: string): Holder | undefined {
  try {
    const value = JSON.parse(text) as Partial<Holder> | null;
    const texts = [value?.startTime, value?.bootId, value?.host, value?.machine, value?.nonce, value?.since];
    const isWhole = typeof value?.pid === "number" && texts.every((item) => typeof item === "string");
    // The nonce becomes part of a file name.
    return isWhole && /^[0-9a-f]{1,64}$/.test(value.nonce ?? "") ? (value as Holder) : undefined;
  } catch {
    return undefined;
  }
}

function nonceOf(found: Found | undefined): string | undefined {
  return found?.state === "held" ? found.holder.nonce : found?.nonce;
}

function refuseIfHeld({ processes }: LockPorts, path: string, found: Found, options: LockOptions): void {
  if (found.state === "torn") {
    if (found.ageMs >= TORN_AFTER_MS || options.breakLock) return;
    throw new LockedError("LOCKED", `${options.purpose} is being taken by another run right now`, {
      facts: { lock: path },
    });
  }
  const { holder } = found;
  const mine = processes.currentProcess();
  const facts = { lock: path, pid: holder.pid, host: holder.host, since: holder.since };
  if (holder.host !== mine.host || holder.machine !== mine.machine) {
    if (options.breakLock) return;
    const message = `${options.purpose} is locked by process ${holder.pid} on "${holder.host}" since ${holder.since}`;
    throw new LockedError("LOCKED_ELSEWHERE", message, { facts });
  }
  if (holder.bootId !== mine.bootId) return;
  if (!processes.isAlive(holder.pid, holder.startTime)) return;
  const who = holder.pid === mine.pid ? "this very run" : `process ${holder.pid} on "${holder.host}"`;
  throw new LockedError("LOCKED", `${options.purpose} is locked by ${who} since ${holder.since}`, { facts });
}

/** Replaces the dead lock that has `deadNonce` by ours; false when it is another one by now. */
function takeOver(
  ports: LockPorts,
  path: string,
  deadNonce: string | undefined,
  content: Buffer,
  nonce: string,
  options: LockOptions,
): boolean {
  const { fs } = ports;
  const right = acquireLock(ports, `${path}.takeover-${deadNonce}`, options);
  const own = `${path}.${nonce}`;
  try {
    if (nonceOf(readLock(ports, path)) !== deadNonce) return false;
    if (!createLockFile(fs, own, content)) return false;
    fs.rename(own, path);
    return true;
  } catch (error) {
    unlinkQuietly(fs, own);
    throw cannotLock(path, error);
  } finally {
    right.release();
  }
}

/** A run that was killed while it took over leaves its right, or its own file: they go once their process is gone. */
function removeLeftovers(ports: LockPorts, path: string, options: LockOptions): void {
  const directory = directoryOf(path);
  const prefix = `${path.slice(directory.length).replace(/^[\\/]/, "")}.`;
  try {
    for (const { name } of ports.fs.readdir(directory)) {
      if (!name.startsWith(prefix) || !LEFTOVER.test(name.slice(prefix.length))) continue;
      removeIfDead(ports, joinPath(directory, name), options);
    }
  } catch {
    // The lock is ours; what lies beside it can wait for the next one.
  }
}

function removeIfDead(ports: LockPorts, path: string, { purpose }: LockOptions): void {
  const found = readLock(ports, path);
  if (found === undefined) return;
  try {
    refuseIfHeld(ports, path, found, { purpose, breakLock: false });
  } catch (error) {
    if (error instanceof LockedError) return;
    throw error;
  }
  unlinkQuietly(ports.fs, path);
}

function lockHandle(ports: LockPorts, path: string, nonce: string): Lock {
  let isHeld = true;
  const release = (): void => {
    if (!isHeld) return;
    isHeld = false;
    callOff();
    try {
      // With --break-lock someone else may own the path by now.
      if (nonceOf(readLock(ports, path)) === nonce) ports.fs.unlink(path);
    } catch {
      // The share or drive is gone: the lock is dead as soon as this process is.
    }
  };
  const callOff = ports.processes.onExit(release);
  return { release };
}
