/**
 * The order of everything in a session: by UTF-8 bytes. JavaScript compares UTF-16 units, which is the same order except
 * for characters beyond U+FFFF against those from U+E000 on.
 */

/** Negative, zero or positive, as the UTF-8 forms of `a` and `b` compare. */
export function compareUtf8(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const unitA = a.charCodeAt(i);
    const unitB = b.charCodeAt(i);
    if (unitA !== unitB) return fixUp(unitA) - fixUp(unitB);
  }
  return a.length - b.length;
}

/** Moves surrogates behind the rest of the 16-bit range: they stand for the highest characters. */
function fixUp(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x0800 : unit + 0x2000;
}

/** Sorts in place. */
export function sortUtf8(keys: string[]): string[] {
  // Without surrogates the built-in order is the wanted one, and five times as fast.
  return keys.some((key) => HAS_SURROGATE.test(key)) ? keys.sort(compareUtf8) : keys.sort();
}

const HAS_SURROGATE = /[\ud800-\udfff]/;
