/**
 * One blob of an export onto its drive: content under the condition that the blob does not change meanwhile, then the
 * side files. A blob that is leased, or that changes, is exported as a snapshot taken for it. What is wrong with one blob
 * is its outcome, not an exception.
 */
import { createHash } from "node:crypto";
import {
  type BlobAccount,
  type BlobRef,
  BlobRequestError,
  type FoundBlob,
  isBlobRequestError,
} from "../blobs/blob-account.ts";
import type { BlobStatus, SideStatus } from "../copy-log/status-codes.ts";
import { DIGEST_BYTES, toBase16 } from "../manifest/manifest-model.ts";
import { describeErrno, errnoOf } from "../platform/app-error.ts";
import type { Budget } from "./budget.ts";
import type { DriveTarget } from "./drive-target.ts";
import type { ExportEntry } from "./export-entry.ts";
import type { DrivePaths } from "./export-names.ts";
import type { ExportOutcome, WrittenSideFile } from "./export-outcome.ts";
import { type ExportSegments, fetchUnits, findSegments } from "./export-segments.ts";
import type { BufferPool } from "./import-context.ts";
import { endsImport } from "./send-segments.ts";
import { metadataText, propertiesText } from "./side-file-text.ts";
import { TaskGroup } from "./task-group.ts";

export interface ExportContext {
  account: BlobAccount;
  requests: Budget;
  memory: Budget;
  buffers: BufferPool;
  addBytes(bytes: number): void;
  warn(message: string): void;
}

type Facts = Pick<FoundBlob, "sizeBytes" | "etag" | "lastModified" | "metadata" | "properties">;

/** A failure of the drive. */
class DriveWriteError extends Error {}

/** Throws what makes going on with the whole export pointless. */
export async function exportBlob(
  context: ExportContext,
  entry: ExportEntry,
  target: DriveTarget,
  paths: DrivePaths,
  mayReplace: boolean,
): Promise<ExportOutcome> {
  const ref: BlobRef = { container: entry.container, name: entry.name };
  try {
    if (entry.snapshot !== undefined) {
      return await exportState(context, entry, { ...ref, snapshot: entry.snapshot }, entry, target, paths, mayReplace);
    }
    if (entry.isLeased) return await exportSnapshot(context, entry, target, paths, mayReplace, "LeasePresent");
    try {
      return await exportState(context, entry, ref, entry, target, paths, mayReplace);
    } catch (error) {
      if (!isBlobRequestError(error, "changed", "missing")) throw error;
      return await exportSnapshot(context, entry, target, paths, mayReplace, "BlobUnexpectedChange");
    }
  } catch (error) {
    if (error instanceof DriveWriteError) return failed(entry, paths, "IOFailed", error.message);
    if (!(error instanceof BlobRequestError) || endsImport(error)) throw error;
    return failed(
      entry,
      paths,
      error.kind === "forbidden" ? "BlobRequestForbidden" : "BlobRequestFailed",
      error.message,
    );
  }
}

export function failed(
  entry: ExportEntry,
  paths: Pick<DrivePaths, "file">,
  status: BlobStatus | "NotExported",
  reason: string,
): ExportOutcome {
  const { sizeBytes, lastModified, snapshot } = entry;
  return {
    status,
    reason,
    isOnDrive: false,
    filePath: paths.file,
    ...(snapshot === undefined ? {} : { snapshot }),
    sizeBytes,
    lastModified,
    offsets: [],
    lengths: [],
    digests: "",
    segmentStatus: "Cancelled",
  };
}

/** `otherwise`: the status when no snapshot can be taken. */
async function exportSnapshot(
  context: ExportContext,
  entry: ExportEntry,
  target: DriveTarget,
  paths: DrivePaths,
  mayReplace: boolean,
  otherwise: BlobStatus,
): Promise<ExportOutcome> {
  const ref: BlobRef = { container: entry.container, name: entry.name };
  let snapshot: string;
  try {
    snapshot = await context.account.createSnapshot(ref);
  } catch (error) {
    if (!(error instanceof BlobRequestError) || endsImport(error)) throw error;
    return failed(entry, paths, otherwise, `no snapshot could be taken: ${error.message}`);
  }
  const found = await findSnapshot(context.account, ref, snapshot);
  if (found === undefined) return failed(entry, paths, otherwise, "the snapshot taken for it is gone");
  context.warn(`"${entry.container}/${entry.name}" is in use; its snapshot of ${snapshot} is exported`);
  return exportState(context, entry, { ...ref, snapshot }, found, target, paths, mayReplace);
}

/** By listing: a single look would lower-case the names of metadata. */
async function findSnapshot(account: BlobAccount, ref: BlobRef, snapshot: string): Promise<FoundBlob | undefined> {
  for await (const blob of account.listBlobs(ref.container, ref.name, true)) {
    if (blob.name !== ref.name) return undefined;
    if (blob.snapshot === snapshot) return blob;
  }
  return undefined;
}

async function exportState(
  context: ExportContext,
  entry: ExportEntry,
  ref: BlobRef,
  facts: Facts,
  target: DriveTarget,
  paths: DrivePaths,
  mayReplace: boolean,
): Promise<ExportOutcome> {
  const segments = await findSegments(context.account, ref, entry.type, facts.sizeBytes);
  let fd: number;
  try {
    fd = target.create(paths.file, mayReplace);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    const status = errnoOf(error) === "EEXIST" ? "RenameFailed" : "IOFailed";
    return failed(entry, paths, status, `cannot make "${paths.file}": ${describeErrno(error)}`);
  }
  let digests: Buffer;
  try {
    digests = await fetchContent(context, ref, facts, segments, target, fd);
    onDrive(() => target.setLength(fd, facts.sizeBytes));
  } catch (error) {
    target.discard(fd, paths.file);
    throw error;
  }
  onDrive(() => target.finish(fd));
  const properties = writeSide(target, paths.properties, propertiesText(facts), mayReplace);
  const hasMetadata = Object.keys(facts.metadata).length > 0;
  const metadata = hasMetadata
    ? writeSide(target, paths.metadata, metadataText(facts.metadata), mayReplace)
    : undefined;
  const isWhole = properties.status === "Completed" && (metadata?.status ?? "Completed") === "Completed";
  return {
    status: isWhole ? "Completed" : "CompletedWithErrors",
    isOnDrive: true,
    filePath: paths.file,
    ...(ref.snapshot === undefined ? {} : { snapshot: ref.snapshot }),
    sizeBytes: facts.sizeBytes,
    lastModified: facts.lastModified,
    offsets: segments.offsets,
    lengths: segments.lengths,
    ...(segments.ids === undefined ? {} : { ids: segments.ids }),
    digests: digests.toString("base64"),
    properties,
    ...(metadata === undefined ? {} : { metadata }),
  };
}

/** Returns the digests of the bytes that were written, segment by segment. */
async function fetchContent(
  context: ExportContext,
  ref: BlobRef,
  facts: Facts,
  segments: ExportSegments,
  target: DriveTarget,
  fd: number,
): Promise<Buffer> {
  const digests = Buffer.alloc(segments.offsets.length * DIGEST_BYTES);
  const condition = ref.snapshot === undefined ? { etag: facts.etag } : {};
  const group = new TaskGroup();
  for (const unit of fetchUnits(segments)) {
    await context.requests.take();
    await context.memory.take(unit.length);
    group.add(async () => {
      const bytes = context.buffers.take(unit.length);
      try {
        if (group.hasFailed) return;
        await context.account.read(ref, unit.offset, bytes, condition);
        onDrive(() => target.write(fd, bytes, unit.offset));
        for (let index = unit.first; index < unit.end; index++) {
          const start = (segments.offsets[index] ?? 0) - unit.offset;
          const piece = bytes.subarray(start, start + (segments.lengths[index] ?? 0));
          createHash("md5")
            .update(piece)
            .digest()
            .copy(digests, index * DIGEST_BYTES);
        }
        context.addBytes(unit.length);
      } finally {
        context.buffers.give(bytes);
        context.requests.give();
        context.memory.give(unit.length);
      }
    });
    if (group.hasFailed) break;
  }
  await group.end();
  return digests;
}

function writeSide(target: DriveTarget, path: string, text: string | undefined, mayReplace: boolean): WrittenSideFile {
  const status = (code: SideStatus): WrittenSideFile => ({ path, status: code });
  if (text === undefined) return status("XmlWriteFailed");
  const bytes = Buffer.from(text, "utf8");
  try {
    target.writeSmall(path, bytes, mayReplace);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return status("IOFailed");
  }
  return { path, hash: toBase16(createHash("md5").update(bytes).digest()), status: "Completed" };
}

function onDrive(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    throw new DriveWriteError(`writing on the drive failed: ${describeErrno(error)}`, { cause: error });
  }
}
