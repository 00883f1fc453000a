/**
 * What a walk does not take, and why. While a directory is sorted such an entry travels as a key (see sibling-names.ts):
 * its name, NUL, and a letter for the reason.
 */
import { isUtf8 } from "node:buffer";
import { checkNameCharacters } from "../blobs/name-rules.ts";
import { describeErrno, errnoOf } from "../platform/app-error.ts";
import type { ErrorCode } from "../platform/error-codes.ts";
import type { FileKind } from "../platform/file-system.ts";
import type { Platform } from "./base-path.ts";

export interface LeftOut {
  /** `excluded`: part of this run (a target, the journal), worth a warning. */
  kind: "left-out" | "excluded";
  /** Empty for the source itself. Bytes that are not UTF-8 show as `\xNN`. */
  relativePath: string;
  code: ErrorCode;
  /** In plain words, without the path. */
  reason: string;
}

export type LeftOutCause = Exclude<FileKind, "file" | "directory"> | "excluded" | "bad-name" | "not-utf8";

const LETTERS: Readonly<Record<LeftOutCause, string>> = {
  link: "l",
  socket: "s",
  fifo: "f",
  "character-device": "c",
  "block-device": "b",
  unknown: "z",
  excluded: "x",
  "bad-name": "n",
  "not-utf8": "u",
};

const SPECIAL_WORDS: ReadonlyMap<string | undefined, string> = new Map([
  [LETTERS.link, "a link"],
  [LETTERS.socket, "a socket"],
  [LETTERS.fifo, "a pipe"],
  [LETTERS["character-device"], "a device"],
  [LETTERS["block-device"], "a device"],
]);

export function leftOutKey(name: string, cause: LeftOutCause): string {
  return `${name}\0${LETTERS[cause]}`;
}

export function nameOfLeftOutKey(key: string): string {
  return key.slice(0, -2);
}

/** `nameProblem`: of the key's name, where the cause is a bad one. */
export function leftOutOfKey(relativePath: string, key: string, nameProblem: string | undefined): LeftOut {
  const letter = key.at(-1);
  if (letter === LETTERS["not-utf8"]) return leftOut(relativePath, "FILE_NAME_INVALID", "the name is not UTF-8");
  if (letter === LETTERS["bad-name"]) return leftOut(relativePath, "FILE_NAME_INVALID", nameProblem ?? "a bad name");
  return leftOut(relativePath, "FILE_SPECIAL", SPECIAL_WORDS.get(letter) ?? "neither a file nor a directory");
}

export function leftOut(relativePath: string, code: ErrorCode, reason: string): LeftOut {
  return { kind: "left-out", relativePath, code, reason };
}

export function leftOutOfError(relativePath: string, error: unknown): LeftOut {
  if (errnoOf(error) === "ENOENT") return leftOut(relativePath, "FILE_VANISHED", "gone since its directory was read");
  return leftOut(relativePath, "FILE_UNREADABLE", describeErrno(error));
}

/** Why no blob or XML can carry a name of the source. */
export function nameProblem(name: string, platform: Platform): string | undefined {
  if (platform === "posix" && name.includes("\\")) return "the name holds a backslash";
  return checkNameCharacters(name)?.reason;
}

/** Bytes that are not UTF-8 as `\xNN`. */
export function showRawName(raw: Uint8Array): string {
  let shown = "";
  for (let at = 0; at < raw.length; ) {
    const length = [1, 2, 3, 4].find((size) => isUtf8(raw.subarray(at, at + size)) && at + size <= raw.length);
    const bytes = raw.subarray(at, at + (length ?? 1));
    shown += length === undefined ? `\\x${Buffer.from(bytes).toString("hex").toUpperCase()}` : Buffer.from(bytes);
    at += bytes.length;
  }
  return shown;
}
