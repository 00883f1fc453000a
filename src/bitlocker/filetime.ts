/** Windows' time: ticks of 100 ns since 1601-01-01. */
export function toFileTime(unixMs: number): bigint {
  return BigInt(unixMs) * 10_000n + 116_444_736_000_000_000n;
}
