/**
 * Keys are stretched once per volume and run: planning, opening, closing and checking a drive would each take a second
 * otherwise. What is kept is as secret as the key itself; it is zeroed when the drive's work is over.
 */
import { createHash } from "node:crypto";
import type { Stretch } from "../../bitlocker/open-volume.ts";

export class StretchCache {
  readonly #stretch: Stretch;
  readonly #kept = new Map<string, Promise<Buffer>>();

  constructor(stretch: Stretch) {
    this.#stretch = stretch;
  }

  /** A copy, which the caller zeroes. */
  readonly stretch: Stretch = async (recoveryKey, salt) => {
    const name = createHash("sha256").update(recoveryKey).update(salt).digest("hex");
    const known = this.#kept.get(name) ?? this.#stretch(recoveryKey, salt);
    this.#kept.set(name, known);
    try {
      return Buffer.from(await known);
    } catch (error) {
      this.#kept.delete(name);
      throw error;
    }
  };

  async forget(): Promise<void> {
    const kept = [...this.#kept.values()];
    this.#kept.clear();
    for (const key of kept) (await key.catch(() => undefined))?.fill(0);
  }
}
