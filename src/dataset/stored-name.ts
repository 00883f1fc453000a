/**
 * The name under which a file or directory lies on the drive. The drive is NTFS in the end, whatever it is prepared on,
 * so names follow its rules everywhere: what NTFS cannot hold is escaped as `%XX`, what is too long is shortened around
 * `~` and 8 hex digits of the name's SHA-256, and siblings never differ in letter case alone. The blob keeps its name.
 */
import { createHash } from "node:crypto";

/** NTFS: UTF-16 units. */
export const MAX_COMPONENT_UNITS = 255;
/** Up to here a name of ASCII is within the limits of any file system (ecryptfs: 143 bytes). */
const MAX_PLAIN_UNITS = 100;
/** Longest extension that shortening keeps; longer ones are no extensions. */
const MAX_KEPT_EXTENSION = 32;

/** Nothing to escape: no forbidden character, no trailing dot or blank, and too long a stem for a device name or none. */
const HARMLESS = /^[A-Za-z0-9_\-+=,;!@#$^&()[\]{}'`~ .]*[A-Za-z0-9_\-+=,;!@#$^&()[\]{}'`~]$/;
const MAYBE_DEVICE = /^(con|prn|aux|nul|com[1-9¹²³]|lpt[1-9¹²³]|conin\$|conout\$) *(\.|$)/i;
// biome-ignore lint/suspicious/noControlCharactersInRegex: NTFS cannot hold them
const FORBIDDEN = /[<>:"|?*\\/\u0000-\u001f]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: NTFS cannot hold them
const FORBIDDEN_OR_PERCENT = /[<>:"|?*\\/%\u0000-\u001f]/g;

/** Cheap test that holds for nearly all names: valid, stored as it is, and in ASCII. */
export function isPlainName(name: string): boolean {
  return HARMLESS.test(name) && name.length <= MAX_PLAIN_UNITS && !MAYBE_DEVICE.test(name);
}

export interface NameLimits {
  /** Where the drives' file system counts bytes (most of Linux: 255); absent on NTFS. */
  maxComponentBytes?: number;
}

/**
 * The stored form of one component. `attempt` 0 is the natural one; each further attempt gives another name, for
 * siblings whose natural one is taken.
 */
export function storedName(name: string, attempt: number, limits: NameLimits = {}): string {
  const escaped = escapeForNtfs(name);
  const isLong = exceeds(escaped, limits);
  const hashes = attempt + (isLong ? 1 : 0);
  return hashes === 0 ? escaped : withHash(escaped, nameHash(name, hashes), limits);
}

/** `%XX` for each byte that NTFS cannot hold, and for `%` in such names only, so that the escape can be undone. */
export function escapeForNtfs(name: string): string {
  const isDevice = MAYBE_DEVICE.test(name);
  if (!isDevice && HARMLESS.test(name)) return name;
  const last = name.at(-1);
  const endsBadly = last === "." || last === " ";
  if (!isDevice && !endsBadly && !FORBIDDEN.test(name)) return name;
  let escaped = name.replace(FORBIDDEN_OR_PERCENT, percentEncode);
  if (endsBadly) escaped = escaped.slice(0, -1) + percentEncode(last);
  if (isDevice) escaped = percentEncode(escaped.slice(0, 1)) + escaped.slice(1);
  return escaped;
}

/**
 * Equal for two names exactly when NTFS takes them for the same one, or a file system that ignores the Unicode form
 * (macOS) does: upper case unit by unit, never changing the length, after composition.
 */
export function clashKey(name: string): string {
  if (isAscii(name)) return name.toUpperCase();
  const composed = name.normalize("NFC");
  upperTable ??= buildUpperTable();
  let key = "";
  for (let i = 0; i < composed.length; i++) key += String.fromCharCode(upperTable[composed.charCodeAt(i)] ?? 0);
  return key;
}

export function isAscii(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the whole of ASCII is meant
  return /^[\x00-\x7f]*$/.test(text);
}

function percentEncode(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}

function nameHash(name: string, round: number): string {
  const hash = createHash("sha256").update(name, "utf8");
  if (round > 1) hash.update(`\0${round}`);
  return hash.digest("hex").slice(0, 8);
}

/** `head~hash.ext`, the head cut so that the limits hold. */
function withHash(escaped: string, hash: string, limits: NameLimits): string {
  const dot = escaped.lastIndexOf(".");
  const hasExtension = dot > 0 && escaped.length - dot <= MAX_KEPT_EXTENSION;
  const tail = `~${hash}${hasExtension ? escaped.slice(dot) : ""}`;
  let head = hasExtension ? escaped.slice(0, dot) : escaped;
  while (exceeds(head + tail, limits)) head = dropLast(head);
  return head + tail;
}

/** Takes off one character or one whole escape, never half of either. */
function dropLast(text: string): string {
  if (/%[0-9A-F]{2}$/.test(text)) return text.slice(0, -3);
  const isPair = /[\udc00-\udfff]$/.test(text) && text.length > 1;
  return text.slice(0, isPair ? -2 : -1);
}

function exceeds(name: string, limits: NameLimits): boolean {
  if (name.length > MAX_COMPONENT_UNITS) return true;
  const maxBytes = limits.maxComponentBytes;
  return maxBytes !== undefined && name.length * 3 > maxBytes && Buffer.byteLength(name) > maxBytes;
}

let upperTable: Uint16Array | undefined;

/** Simple upper case of every UTF-16 unit, as the table of an NTFS volume holds it. */
function buildUpperTable(): Uint16Array {
  const table = new Uint16Array(65_536);
  for (let unit = 0; unit < table.length; unit++) {
    const upper = String.fromCharCode(unit).toUpperCase();
    table[unit] = upper.length === 1 ? upper.charCodeAt(0) : unit;
  }
  // Where the full form is longer (such as U+1F80), the simple one is the unit whose lower case it is.
  for (let unit = 0; unit < table.length; unit++) {
    const lower = String.fromCharCode(unit).toLowerCase();
    const lowerUnit = lower.charCodeAt(0);
    if (lower.length === 1 && lowerUnit !== unit && table[lowerUnit] === lowerUnit) table[lowerUnit] = unit;
  }
  return table;
}
