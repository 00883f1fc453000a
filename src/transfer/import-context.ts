/** What the blobs of one import share while they are under way. */
import type { BlobAccount } from "../blobs/blob-account.ts";
import { SEGMENT_BYTES } from "../blobs/blob-kinds.ts";
import type { OutcomeRecord } from "./blob-outcome.ts";
import type { Budget } from "./budget.ts";
import type { Containers } from "./containers.ts";
import type { DriveSource } from "./drive-source.ts";
import type { SideValueReader } from "./side-values.ts";
import type { StateRecord } from "./transfer-state.ts";

/** What an import notes in its state file. */
export interface ImportRecord extends StateRecord {
  /** Before the step that makes the blob appear: its blob path. */
  t?: string;
  /** That step replaces a blob that was there. */
  x?: true;
  /** A page blob has its content; its metadata is still to be set. */
  f?: OutcomeRecord;
  /** The blob has ended. */
  o?: OutcomeRecord;
  /** With `o`: length of the blob, and bytes of its complete segments. */
  n?: number;
  b?: number;
}

export interface ImportContext {
  account: BlobAccount;
  source: DriveSource;
  sides: SideValueReader;
  containers: Containers;
  requests: Budget;
  memory: Budget;
  buffers: BufferPool;
  /** Value of the metadata that an unfinished page blob of this import carries. */
  mark: string;
  note(record: ImportRecord): void;
  /** What an earlier run noted last of a blob that it did not finish. */
  earlier(index: number): ImportRecord | undefined;
  /** Bytes of a segment that were read, for progress. */
  addBytes(bytes: number): void;
  warn(message: string): void;
}

/** Buffers of the usual segment are used again: allocating 4 MiB for each costs more than hashing half of them. */
export class BufferPool {
  readonly #free: Buffer[] = [];

  take(length: number): Buffer {
    if (length !== SEGMENT_BYTES) return Buffer.allocUnsafeSlow(length);
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(length);
  }

  give(buffer: Buffer): void {
    if (buffer.length === SEGMENT_BYTES) this.#free.push(buffer);
  }
}
