/** Sizes for people, in IEC units. */
const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"];

export function sizeToWords(sizeBytes: number): string {
  let value = sizeBytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}
