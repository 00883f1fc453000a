/**
 * The service's rename rule: ` (2)` goes before the last dot of the blob's name, or behind a name without one; while that
 * is taken, it counts up.
 */

/** `name` is the part behind the container; a dot in a folder's name counts, as the rule says. */
export function renamedBlob(name: string, number: number): string {
  const dot = name.lastIndexOf(".");
  return dot < 0 ? `${name} (${number})` : `${name.slice(0, dot)} (${number})${name.slice(dot)}`;
}
