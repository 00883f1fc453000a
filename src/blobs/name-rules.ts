/**
 * What a container and a blob may be called: the service's naming page, plus what XML 1.0 can carry, because every
 * name travels through the manifest.
 */
import type { ErrorCode } from "../platform/error-codes.ts";

export interface NameViolation {
  code: Extract<ErrorCode, "FILE_NAME_INVALID" | "FILE_NAME_TOO_LONG" | "FILE_IN_ROOT_CONTAINER">;
  /** In plain words, without the name. */
  reason: string;
}

export const ROOT_CONTAINER = "$root";
/** UTF-16 units, without the container. */
export const MAX_BLOB_NAME_LENGTH = 1024;
/** Parts between slashes. */
export const MAX_BLOB_NAME_SEGMENTS = 254;

const PLAIN_ASCII = /^[\x20-\x7e]*$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
const NONCHARACTER = /[\ufffe\uffff]/;

export function checkContainerName(name: string): NameViolation | undefined {
  if (name === ROOT_CONTAINER) return undefined;
  const invalid = (reason: string): NameViolation => ({ code: "FILE_NAME_INVALID", reason });
  if (name.length < 3 || name.length > 63) return invalid("a container name has 3 to 63 characters");
  if (!/^[a-z0-9-]+$/.test(name)) return invalid("a container name has only lower-case letters, digits and '-'");
  if (name.startsWith("-") || name.endsWith("-"))
    return invalid("a container name begins and ends with a letter or digit");
  if (name.includes("--")) return invalid("a container name has no two '-' in a row");
  return undefined;
}

/** Characters that no blob name and no XML can carry. Holds for any part of a path. */
export function checkNameCharacters(text: string): NameViolation | undefined {
  if (PLAIN_ASCII.test(text)) return undefined;
  const invalid = (reason: string): NameViolation => ({ code: "FILE_NAME_INVALID", reason });
  const control = CONTROL.exec(text)?.[0];
  if (control !== undefined) return invalid(`the name holds the control character ${codePoint(control)}`);
  const nonCharacter = NONCHARACTER.exec(text)?.[0];
  if (nonCharacter !== undefined) return invalid(`the name holds ${codePoint(nonCharacter)}, which is no character`);
  if (/\p{Surrogate}/u.test(text)) return invalid("the name holds half a surrogate pair");
  return undefined;
}

/** `name` is the part behind the container and its slash. */
export function checkBlobName(name: string, container: string): NameViolation | undefined {
  if (name === "") return { code: "FILE_NAME_INVALID", reason: "the blob name is empty" };
  const characters = checkNameCharacters(name);
  if (characters !== undefined) return characters;
  if (name.includes("\\")) return { code: "FILE_NAME_INVALID", reason: "the name holds a backslash" };
  if (/(^|\/)\.\.?(\/|$)/.test(name)) {
    return { code: "FILE_NAME_INVALID", reason: "a part of the name is '.' or '..'" };
  }
  return checkBlobNameLength(name, container);
}

/** The rules that depend on the whole name; enough where every part of the name was checked before. */
export function checkBlobNameLength(name: string, container: string): NameViolation | undefined {
  if (name.length > MAX_BLOB_NAME_LENGTH) {
    return {
      code: "FILE_NAME_TOO_LONG",
      reason: `the blob name has ${name.length} characters, more than ${MAX_BLOB_NAME_LENGTH}`,
    };
  }
  if (name.length >= MAX_BLOB_NAME_SEGMENTS) {
    const segments = name.split("/").length;
    if (segments > MAX_BLOB_NAME_SEGMENTS) {
      return {
        code: "FILE_NAME_TOO_LONG",
        reason: `the blob name has ${segments} parts between slashes, more than ${MAX_BLOB_NAME_SEGMENTS}`,
      };
    }
  }
  if (container === ROOT_CONTAINER && name.includes("/")) {
    return { code: "FILE_IN_ROOT_CONTAINER", reason: "a blob of the root container cannot lie in a folder" };
  }
  return undefined;
}

function codePoint(text: string): string {
  return `U+${(text.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}
