/**
 * The numerical password of a BitLocker volume: 8 groups of 6 digits. Each group is a 16-bit number times 11, so a
 * single wrong digit never goes unnoticed. A secret: no message here contains digits of a key.
 */
import type { Random } from "../platform/random.ts";

const GROUP_COUNT = 8;
const GROUP_DIGITS = 6;
const FACTOR = 11;
const GROUP_LIMIT = 65_536 * FACTOR;

export type BitLockerKeyCheck =
  /** `key`: the groups joined by hyphens. */
  | { ok: true; key: string }
  /** In words, naming the wrong group by its number from 1. */
  | { ok: false; reason: string };

/** Accepts the groups joined by hyphens or blanks, or all 48 digits in one piece. */
export function validateBitLockerKey(text: string): BitLockerKeyCheck {
  const trimmed = text.trim();
  const groups = /^\d{48}$/.test(trimmed) ? (trimmed.match(/\d{6}/g) ?? []) : trimmed.split(/\s*-\s*|\s+/);
  if (groups.length !== GROUP_COUNT) {
    return { ok: false, reason: `the key has ${groups.length} groups of digits, not ${GROUP_COUNT}` };
  }
  for (const [index, group] of groups.entries()) {
    const reason = groupProblem(group);
    if (reason !== undefined) return { ok: false, reason: `group ${index + 1} of the key ${reason}` };
  }
  return { ok: true, key: groups.join("-") };
}

function groupProblem(group: string): string | undefined {
  if (!/^[0-9]+$/.test(group)) return "holds something else than digits";
  if (group.length !== GROUP_DIGITS) return `has ${group.length} digits, not ${GROUP_DIGITS}`;
  const value = Number(group);
  if (value % FACTOR !== 0) return `is not divisible by ${FACTOR}`;
  if (value >= GROUP_LIMIT) return `is not below ${GROUP_LIMIT}`;
  return undefined;
}

export function generateBitLockerKey(random: Random): string {
  const bytes = random.bytes(GROUP_COUNT * 2);
  const key = keyFromBytes(bytes);
  bytes.fill(0);
  return key;
}

/** The 48 digits that stand for the 16 bytes of a recovery key. */
export function keyFromBytes(bytes: Buffer): string {
  const groups = Array.from({ length: GROUP_COUNT }, (_, i) => String(bytes.readUInt16LE(i * 2) * FACTOR));
  return groups.map((group) => group.padStart(GROUP_DIGITS, "0")).join("-");
}

/** The 16 bytes behind a valid key; the caller zeroes them. A bug when the key was not validated before. */
export function keyToBytes(text: string): Buffer {
  const check = validateBitLockerKey(text);
  if (!check.ok) throw new TypeError("the key was not validated");
  const bytes = Buffer.alloc(GROUP_COUNT * 2);
  for (const [i, group] of check.key.split("-").entries()) bytes.writeUInt16LE(Number(group) / FACTOR, i * 2);
  return bytes;
}

/** For everything that is shown: only the last group stays, and only of a key that is one. */
export function maskBitLockerKey(text: string): string {
  const check = validateBitLockerKey(text);
  const hidden = Array.from({ length: GROUP_COUNT - 1 }, () => "******").join("-");
  return `${hidden}-${check.ok ? check.key.slice(-GROUP_DIGITS) : "******"}`;
}
