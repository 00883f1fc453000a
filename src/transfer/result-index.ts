/**
 * From a blob's index to the place of its record in the state file, on disk: eight bytes per blob in a file of its own,
 * because blobs end in another order than the logs list them, and memory must not grow with their number.
 */
import { constants } from "node:fs";
import { unlinkQuietly, writeAll } from "../platform/durable-file.ts";
import { joinPath } from "../platform/file-path.ts";
import type { FileSystem } from "../platform/file-system.ts";
import type { StateRecord, TransferState } from "./transfer-state.ts";

/** An index of the records in a state file that say how a blob ended (`o`). */
export function indexResults<R extends StateRecord & { o?: unknown }>(
  fs: FileSystem,
  directory: string,
  state: TransferState<R>,
): ResultIndex {
  const index = new ResultIndex(fs, joinPath(directory, "results.index"));
  state.replay((record, offset) => {
    if (record.o !== undefined) index.set(record.i, offset);
  });
  return index;
}

const SLOT_BYTES = 8;
const CHUNK_SLOTS = 8 * 1024;

export class ResultIndex {
  readonly #fs: FileSystem;
  readonly #path: string;
  readonly #fd: number;
  readonly #slot = Buffer.alloc(SLOT_BYTES);
  readonly #chunk = Buffer.alloc(SLOT_BYTES * CHUNK_SLOTS);
  #chunkStart = -1;

  constructor(fs: FileSystem, path: string) {
    this.#fs = fs;
    this.#path = path;
    this.#fd = fs.open(path, constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC, 0o600);
  }

  /** A later offset of the same blob replaces the earlier one. */
  set(index: number, offset: number): void {
    this.#slot.writeDoubleLE(offset + 1);
    writeAll(this.#fs, this.#fd, this.#slot, index * SLOT_BYTES);
  }

  /** Undefined where none was set. Cheap in the order of the indexes. */
  get(index: number): number | undefined {
    const start = index - (index % CHUNK_SLOTS);
    if (start !== this.#chunkStart) this.#load(start);
    const value = this.#chunk.readDoubleLE((index - start) * SLOT_BYTES);
    return value === 0 ? undefined : value - 1;
  }

  remove(): void {
    this.#fs.close(this.#fd);
    unlinkQuietly(this.#fs, this.#path);
  }

  #load(start: number): void {
    this.#chunk.fill(0);
    for (let filled = 0; filled < this.#chunk.length; ) {
      const position = start * SLOT_BYTES + filled;
      const count = this.#fs.read(this.#fd, this.#chunk, filled, this.#chunk.length - filled, position);
      if (count === 0) break;
      filled += count;
    }
    this.#chunkStart = start;
  }
}
