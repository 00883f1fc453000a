import { UsageError } from "../platform/app-error.ts";

const UNIT_BYTES: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 1024,
  kib: 1024,
  kb: 1000,
  m: 1024 ** 2,
  mib: 1024 ** 2,
  mb: 1000 ** 2,
  g: 1024 ** 3,
  gib: 1024 ** 3,
  gb: 1000 ** 3,
  t: 1024 ** 4,
  tib: 1024 ** 4,
  tb: 1000 ** 4,
};

/** `500GiB`, `1.5T` (both 1024-based), `4TB` (as printed on drives, 1000-based) or plain bytes; undefined when it is none. */
export function parseSize(text: string): number | undefined {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text.trim()) ?? [];
  const factor = unit === undefined ? undefined : UNIT_BYTES[unit.toLowerCase()];
  if (digits === undefined || factor === undefined) return undefined;
  const bytes = Math.floor(Number(digits) * factor);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

export function requireSize(name: string, text: string): number {
  const bytes = parseSize(text);
  if (bytes === undefined || bytes === 0) {
    throw new UsageError("USAGE_BAD_VALUE", `${name} cannot be "${text}"`, {
      hint: "write a size such as 500GiB, 4TB or 1048576",
    });
  }
  return bytes;
}

export function requireCount(name: string, text: string, max: number): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > max) {
    throw new UsageError("USAGE_BAD_VALUE", `${name} cannot be "${text}"; allowed are 1 to ${max}`, {
      hint: `give a number from 1 to ${max}`,
    });
  }
  return count;
}

/** `<key>=<value>` lists; the key may hold `=` itself, the value not. */
export function requirePairs(name: string, texts: readonly string[], form: string): Map<string, string> {
  const pairs = new Map<string, string>();
  for (const text of texts) {
    const at = text.lastIndexOf("=");
    if (at <= 0 || at === text.length - 1) {
      throw new UsageError("USAGE_BAD_VALUE", `${name} cannot be "${text}"`, { hint: `write it as ${name} ${form}` });
    }
    const key = text.slice(0, at);
    const value = text.slice(at + 1);
    const earlier = pairs.get(key);
    if (earlier !== undefined && earlier !== value) {
      throw new UsageError("USAGE_CONFLICT", `${name} was given twice for "${key}": "${earlier}" and "${value}"`);
    }
    pairs.set(key, value);
  }
  return pairs;
}
