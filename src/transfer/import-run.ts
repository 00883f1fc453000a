/** One pass over a manifest: its blobs side by side, each noted when it has ended, with what they all share. */
import { hasDispositionWarning } from "../copy-log/error-log-form.ts";
import { joinPath } from "../platform/file-path.ts";
import { type BlobOutcome, succeededBytes, toOutcomeRecord } from "./blob-outcome.ts";
import type { BlobWork } from "./blob-work.ts";
import { Budget } from "./budget.ts";
import { Containers } from "./containers.ts";
import { DriveSource } from "./drive-source.ts";
import { importBlob } from "./import-blob.ts";
import { BufferPool, type ImportContext, type ImportRecord } from "./import-context.ts";
import type { TransferImportEvent, TransferImportRequest, TransferPorts } from "./import-contract.ts";
import { ImportTally } from "./import-tally.ts";
import { manifestBlobs } from "./manifest-blobs.ts";
import type { OpenedManifest } from "./open-manifest.ts";
import { SideValueReader } from "./side-values.ts";
import { TaskGroup } from "./task-group.ts";
import { TransferState } from "./transfer-state.ts";

const DEFAULT_PARALLEL = 16;
const DEFAULT_MEMORY_BYTES = 256 * 1024 * 1024;
const PROGRESS_INTERVAL_MS = 250;

export class ImportRun {
  readonly tally = new ImportTally();
  readonly state: TransferState<ImportRecord>;
  /** Done by an earlier run. */
  readonly earlierBlobs: number;
  readonly #request: TransferImportRequest;
  readonly #ports: TransferPorts;
  readonly #manifest: OpenedManifest;
  readonly #onEvent: (event: TransferImportEvent) => void;
  readonly #startedMs: number;
  readonly #earlierBytes: number;
  /** One bit per blob: an array of their indexes would grow with the manifest. */
  readonly #done: Uint8Array;
  /** Of blobs that an earlier run had under way: at most as many as it had side by side. */
  readonly #unfinished = new Map<number, ImportRecord>();
  #bytes = 0;

  constructor(
    request: TransferImportRequest,
    ports: TransferPorts,
    manifest: OpenedManifest,
    directory: string,
    onEvent: (event: TransferImportEvent) => void,
  ) {
    this.#request = request;
    this.#ports = ports;
    this.#manifest = manifest;
    this.#onEvent = onEvent;
    this.#startedMs = ports.clock.monotonicMs();
    this.#done = new Uint8Array(Math.ceil(manifest.blobs / 8));
    const path = joinPath(directory, "blobs.jsonl");
    this.state = new TransferState(ports.fs, ports.clock, path, (record) => this.#remember(record));
    this.earlierBlobs = this.tally.done;
    this.#earlierBytes = this.#bytes;
  }

  /** Throws what makes going on pointless; everything that has ended by then is noted. */
  async importBlobs(): Promise<void> {
    this.#tellDrive();
    const { signal } = this.#request;
    const context = this.#createContext();
    const sideBySide = new Budget(this.#parallel());
    const group = new TaskGroup();
    const timer = setInterval(() => this.#tellProgress(), PROGRESS_INTERVAL_MS);
    try {
      for (const work of manifestBlobs(this.#ports.fs, this.#manifest.path, (index) => !this.#isDone(index))) {
        await sideBySide.take();
        if (group.hasFailed || signal?.aborted === true) break;
        group.add(() => this.#importOne(context, work).finally(() => sideBySide.give()));
      }
    } finally {
      await group.end().finally(() => clearInterval(timer));
    }
    signal?.throwIfAborted();
    this.#tellProgress();
  }

  async #importOne(shared: ImportContext, work: BlobWork): Promise<void> {
    let counted = 0;
    // What was not read, or read twice, must not bend the progress.
    const addBytes = (bytes: number): void => {
      const added = Math.min(bytes, work.sizeBytes - counted);
      counted += added;
      this.#bytes += added;
    };
    const outcome = await importBlob({ ...shared, addBytes }, work);
    const bytes = succeededBytes(work, outcome);
    this.state.append({ i: work.index, o: toOutcomeRecord(outcome), n: work.sizeBytes, b: bytes });
    this.tally.add(outcome, bytes);
    addBytes(work.sizeBytes);
    this.#tellBlob(work, outcome);
  }

  #remember(record: ImportRecord): void {
    const { i, o, n, b } = record;
    if (o === undefined) {
      if (!this.#isDone(i)) this.#unfinished.set(i, { ...this.#unfinished.get(i), ...record });
      return;
    }
    if (this.#isDone(i)) return;
    this.#done[i >> 3] = (this.#done[i >> 3] ?? 0) | (1 << (i & 7));
    this.#unfinished.delete(i);
    this.tally.add({ status: o.s, disposition: o.d }, b ?? 0);
    this.#bytes += n ?? 0;
  }

  #isDone(index: number): boolean {
    return ((this.#done[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
  }

  #createContext(): ImportContext {
    const { fs, account } = this.#ports;
    const source = new DriveSource(fs, this.#request.driveRoot);
    return {
      account,
      source,
      sides: new SideValueReader(source),
      containers: new Containers(account),
      requests: new Budget(this.#parallel()),
      memory: new Budget(this.#request.memoryBytes ?? DEFAULT_MEMORY_BYTES),
      buffers: new BufferPool(),
      mark: this.#manifest.hash,
      note: (record) => this.state.append(record),
      earlier: (index) => this.#unfinished.get(index),
      addBytes: () => {},
      warn: (message) => this.#onEvent({ type: "warning", message }),
    };
  }

  #parallel(): number {
    return this.#request.parallel ?? DEFAULT_PARALLEL;
  }

  #tellDrive(): void {
    const { head, hash, blobs, bytes } = this.#manifest;
    this.#onEvent({
      type: "drive",
      driveId: head.driveId,
      manifestHash: hash,
      isChecked: this.#request.expectedHash !== undefined,
      totalBlobs: blobs,
      totalBytes: bytes,
      earlierBlobs: this.earlierBlobs,
      earlierBytes: this.#earlierBytes,
    });
  }

  #tellProgress(): void {
    this.#onEvent({
      type: "progress",
      blobs: this.tally.done,
      bytes: this.#bytes,
      totalBlobs: this.#manifest.blobs,
      totalBytes: this.#manifest.bytes,
      earlierBytes: this.#earlierBytes,
      elapsedMs: Math.round(this.#ports.clock.monotonicMs() - this.#startedMs),
    });
  }

  #tellBlob(work: BlobWork, outcome: BlobOutcome): void {
    const { status, disposition, reason } = outcome;
    const hasWarning = hasDispositionWarning({ disposition: { rule: "", status: disposition } });
    if (status === "Completed" && !hasWarning) return;
    this.#onEvent({
      type: "blob",
      blobPath: outcome.renamedTo ?? work.blobPath,
      filePath: work.filePath,
      status,
      disposition,
      ...(reason === undefined ? {} : { reason }),
    });
  }
}
