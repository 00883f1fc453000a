/**
 * One batch of planned files between walking and distribution: packed records plus what distribution needs to know.
 * Made once and used again for every batch, so that planning a million files costs the memory of one batch.
 */
import {
  maxPlanRecordBytes,
  type PlannedFile,
  planRecordLength,
  readPlanRecord,
  viewOf,
  writePlanRecord,
} from "../copy/plan-record.ts";
import { type Batch, MAX_BATCH_FILES } from "./distribute.ts";

/** A batch also ends here, so that very long paths do not make it large. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024;
const FIRST_BUFFER_BYTES = 256 * 1024;
/** What a directory costs on a drive: its entry in the file system's own tables. */
export const DIRECTORY_BYTES = 1024;

export class PlanBatch implements Batch {
  count = 0;
  buffer = Buffer.allocUnsafe(FIRST_BUFFER_BYTES);
  offsets = new Float64Array(1024);
  sizes = new Float64Array(1024);
  costs = new Float64Array(1024);
  #view = viewOf(this.buffer);
  #used = 0;

  /** Length in bytes of all records together. */
  get lengthBytes(): number {
    return this.#used;
  }

  get isFull(): boolean {
    return this.count === MAX_BATCH_FILES || this.#used >= MAX_BATCH_BYTES;
  }

  clear(): void {
    this.count = 0;
    this.#used = 0;
  }

  add(file: PlannedFile, costBytes: number): void {
    this.#makeRoom(maxPlanRecordBytes(file));
    const length = writePlanRecord(file, this.buffer, this.#view, this.#used);
    this.#note(length, file.sizeBytes, costBytes);
  }

  addPacked(source: Buffer, offset: number, sizeBytes: number, costBytes: number): void {
    const length = planRecordLength(source, offset);
    this.#makeRoom(length);
    source.copy(this.buffer, this.#used, offset, offset + length);
    this.#note(length, sizeBytes, costBytes);
  }

  /** Numbers the records from `firstPosition` on, where they all go to one place. */
  setPositions(firstPosition: number): void {
    for (let i = 0; i < this.count; i++) this.#view.setUint32((this.offsets[i] as number) + 4, firstPosition + i, true);
  }

  /** Only asked for when a batch does not fit on one drive, so paths are unpacked here and not while walking. */
  folders(): { ids: Int32Array; count: number; costBytes(folder: number): number } {
    const ids = new Int32Array(this.count);
    const known = new Map<string, number>();
    const depths: number[] = [];
    for (let i = 0; i < this.count; i++) {
      const { row, relativePath } = readPlanRecord(this.buffer, this.offsets[i] as number);
      const parent = relativePath.slice(0, relativePath.lastIndexOf("/") + 1);
      const name = `${row}/${parent}`;
      let id = known.get(name);
      if (id === undefined) {
        id = known.size;
        known.set(name, id);
        depths.push(parent.split("/").length);
      }
      ids[i] = id;
    }
    return { ids, count: known.size, costBytes: (folder) => (depths[folder] as number) * DIRECTORY_BYTES };
  }

  #note(length: number, sizeBytes: number, costBytes: number): void {
    if (this.count === this.offsets.length) this.#grow();
    this.offsets[this.count] = this.#used;
    this.sizes[this.count] = sizeBytes;
    this.costs[this.count] = costBytes;
    this.#used += length;
    this.count += 1;
  }

  #makeRoom(bytes: number): void {
    if (this.#used + bytes <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.#used + bytes));
    this.buffer.copy(larger, 0, 0, this.#used);
    this.buffer = larger;
    this.#view = viewOf(larger);
  }

  #grow(): void {
    this.offsets = doubled(this.offsets);
    this.sizes = doubled(this.sizes);
    this.costs = doubled(this.costs);
  }
}

function doubled(array: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(array.length * 2);
  larger.set(array);
  return larger;
}
