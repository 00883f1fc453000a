/**
 * One batch of planned files between walking and distribution: packed records plus what distribution needs to know.
 * Made once and used again for every batch, so that planning a million files costs the memory of one batch: about 13 MB.
 *
 * The records lie in pieces that are allocated as needed and kept. One buffer that doubles would for a moment be there
 * three times, which showed in the peak of the whole program.
 */
import {
  maxPlanRecordBytes,
  type PlannedFile,
  planRecordLength,
  planRecordSizeBytes,
  readPlanRecord,
  viewOf,
  writePlanRecord,
} from "../copy/plan-record.ts";
import { type Batch, MAX_BATCH_FILES } from "./distribute.ts";

/** A batch also ends here, so that very long paths do not make it large. */
const MAX_PIECES = 64;
const PIECE_BYTES = 256 * 1024;
/** What a directory costs on a drive: its entry in the file system's own tables. */
export const DIRECTORY_BYTES = 1024;

interface Piece {
  buffer: Buffer;
  view: DataView;
  used: number;
}

/** A record of the batch: valid until the batch is cleared. */
export interface PackedRecord {
  buffer: Buffer;
  offset: number;
}

export class PlanBatch implements Batch {
  count = 0;
  costs = new Float64Array(1024);
  /** Index of the piece and offset in it, as one number. */
  #places = new Uint32Array(1024);
  readonly #pieces: Piece[] = [];
  #current = 0;

  get isFull(): boolean {
    return this.count === MAX_BATCH_FILES || this.#current >= MAX_PIECES;
  }

  clear(): void {
    this.count = 0;
    this.#current = 0;
    for (const piece of this.#pieces) piece.used = 0;
  }

  add(file: PlannedFile, costBytes: number): void {
    const piece = this.#pieceWithRoom(maxPlanRecordBytes(file));
    this.#note(piece, writePlanRecord(file, piece.buffer, piece.view, piece.used), costBytes);
  }

  addPacked(source: Buffer, offset: number, costBytes: number): void {
    const length = planRecordLength(source, offset);
    const piece = this.#pieceWithRoom(length);
    source.copy(piece.buffer, piece.used, offset, offset + length);
    this.#note(piece, length, costBytes);
  }

  record(index: number): PackedRecord {
    const place = this.#places[index] as number;
    return { buffer: (this.#pieces[Math.floor(place / PIECE_BYTES)] as Piece).buffer, offset: place % PIECE_BYTES };
  }

  sizeBytes(index: number): number {
    const { buffer, offset } = this.record(index);
    return planRecordSizeBytes(buffer, offset);
  }

  /** Numbers the records from `firstPosition` on, where they all go to one place. */
  setPositions(firstPosition: number): void {
    for (let i = 0; i < this.count; i++) {
      const place = this.#places[i] as number;
      const piece = this.#pieces[Math.floor(place / PIECE_BYTES)] as Piece;
      piece.view.setUint32((place % PIECE_BYTES) + 4, firstPosition + i, true);
    }
  }

  /** All records in order, in a few long runs of bytes. */
  *runs(): Generator<Buffer> {
    for (const { buffer, used } of this.#pieces) if (used > 0) yield buffer.subarray(0, used);
  }

  /** Only asked for when a batch does not fit on one drive, so paths are unpacked here and not while walking. */
  folders(): { ids: Int32Array; count: number; costBytes(folder: number): number } {
    const ids = new Int32Array(this.count);
    const known = new Map<string, number>();
    const depths: number[] = [];
    for (let i = 0; i < this.count; i++) {
      const { buffer, offset } = this.record(i);
      const { row, relativePath } = readPlanRecord(buffer, offset);
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

  #note(piece: Piece, length: number, costBytes: number): void {
    if (this.count === this.costs.length) this.#grow();
    this.#places[this.count] = this.#current * PIECE_BYTES + piece.used;
    this.costs[this.count] = costBytes;
    piece.used += length;
    this.count += 1;
  }

  #pieceWithRoom(bytes: number): Piece {
    if (bytes > PIECE_BYTES) throw new RangeError(`a plan record of ${bytes} bytes`);
    for (; ; this.#current++) {
      let piece = this.#pieces[this.#current];
      if (piece === undefined) {
        const buffer = Buffer.allocUnsafeSlow(PIECE_BYTES);
        piece = { buffer, view: viewOf(buffer), used: 0 };
        this.#pieces.push(piece);
      }
      if (piece.used + bytes <= PIECE_BYTES) return piece;
    }
  }

  #grow(): void {
    const costs = new Float64Array(this.costs.length * 2);
    costs.set(this.costs);
    this.costs = costs;
    const places = new Uint32Array(this.#places.length * 2);
    places.set(this.#places);
    this.#places = places;
  }
}
