/**
 * A page blob: made with its whole size, then the good ranges are written; what lies outside of them reads as zeros. While
 * it is not finished the blob carries a mark in its metadata, by which a later run knows its own work again. An existing
 * blob is replaced only after all ranges on the drive were seen to be good.
 */
import { createHash } from "node:crypto";
import { type BlobAccount, type BlobRef, BlobRequestError, isBlobRequestError } from "../blobs/blob-account.ts";
import {
  type BlobOutcome,
  cancelled,
  finishedStatus,
  fromOutcomeRecord,
  statusOf,
  toOutcomeRecord,
} from "./blob-outcome.ts";
import { type BlobTarget, firstTarget, nextTarget, pathOf, renamedTo } from "./blob-target.ts";
import { type BlobWork, type SegmentStatuses, toBlobRef } from "./blob-work.ts";
import type { OpenFile } from "./drive-source.ts";
import type { ImportContext } from "./import-context.ts";
import { checkSegments, endsImport, sendSegments } from "./send-segments.ts";
import type { SideValues } from "./side-values.ts";
import { toWrittenSides, type WrittenSides, writeValues } from "./write-values.ts";

/** Lower case: a single look at a blob lower-cases names. */
export const UNFINISHED_MARK = "waimportexport_unfinished";

/** Put Page. */
const MAX_PAGE_WRITE_BYTES = 4 * 1024 * 1024;

/** A blob of ours that was made, by this run or an earlier one. */
interface MadeBlob {
  target: BlobTarget;
  isOverwritten: boolean;
  /** Whether the properties were accepted. */
  written: WrittenSides;
}

export async function importPages(
  context: ImportContext,
  work: BlobWork,
  file: OpenFile,
  sides: SideValues,
  isNew: boolean,
): Promise<BlobOutcome> {
  const earlier = context.earlier(work.index);
  if (earlier?.f !== undefined) return finish(context, work, sides, fromOutcomeRecord(earlier.f));
  const made = (await findUnfinished(context, work, sides)) ?? (await make(context, work, file, sides, isNew));
  if (!("target" in made)) return made;
  const { ref } = made.target;
  const { statuses, failure } = await sendSegments(context, work, file, (index, bytes, digest) =>
    writeRange(context.account, ref, work.offsets[index] ?? 0, bytes, digest),
  );
  const outcome: BlobOutcome = {
    status: failure === undefined ? finishedStatus(statuses, made.written) : statusOf(failure),
    disposition: made.target.number > 1 ? "Renamed" : made.isOverwritten ? "Overwritten" : "Created",
    ...renamedTo(work, made.target),
    segments: statuses,
    ...made.written,
    ...(failure === undefined ? {} : { reason: failure.message }),
  };
  context.note({ i: work.index, f: toOutcomeRecord(outcome) });
  return finish(context, work, sides, outcome);
}

/** Larger ranges than one request may carry come from manifests with large segments. */
async function writeRange(
  account: BlobAccount,
  ref: BlobRef,
  offset: number,
  bytes: Uint8Array,
  digest: Uint8Array,
): Promise<void> {
  if (bytes.length <= MAX_PAGE_WRITE_BYTES) {
    await account.writePages(ref, offset, bytes, digest);
    return;
  }
  for (let start = 0; start < bytes.length; start += MAX_PAGE_WRITE_BYTES) {
    const piece = bytes.subarray(start, start + MAX_PAGE_WRITE_BYTES);
    await account.writePages(ref, offset + start, piece, createHash("md5").update(piece).digest());
  }
}

async function make(
  context: ImportContext,
  work: BlobWork,
  file: OpenFile,
  sides: SideValues,
  isNew: boolean,
): Promise<MadeBlob | BlobOutcome> {
  let target = await firstTarget(context, work, isNew);
  for (;;) {
    if (target === "Skipped") return { status: "Completed", disposition: "Skipped", segments: "skipped" };
    if (target === "RenameFailed") return cancelled(work, "RenameFailed");
    const made = await create(context, work, sides, target, false);
    if (made !== "exists") return made;
    if (work.disposition === "overwrite") return overwrite(context, work, file, sides, target);
    target = await nextTarget(context, work, target.number);
  }
}

async function overwrite(
  context: ImportContext,
  work: BlobWork,
  file: OpenFile,
  sides: SideValues,
  target: BlobTarget,
): Promise<MadeBlob | BlobOutcome> {
  const { statuses } = await checkSegments(context, work, file);
  if (statuses.every((status) => status === "Completed")) {
    const made = await create(context, work, sides, target, true);
    if (made !== "exists") return made;
  }
  const segments = statuses.map((status): SegmentStatuses[number] => (status === "Completed" ? "Cancelled" : status));
  const reason = "the existing blob is kept, because not all ranges of the new one are good";
  return { ...cancelled(work, "CompletedWithErrors", reason), segments };
}

async function create(
  context: ImportContext,
  work: BlobWork,
  sides: SideValues,
  target: BlobTarget,
  isOverwritten: boolean,
): Promise<MadeBlob | "exists"> {
  const condition = isOverwritten ? "always" : "if-absent";
  context.note({ i: work.index, t: pathOf(target.ref), ...(isOverwritten ? { x: true } : {}) });
  try {
    // The blob's own metadata follows when it is finished.
    const onlyProperties = { ...sides, metadata: {}, metadataStatus: undefined };
    const written = await writeValues(onlyProperties, { [UNFINISHED_MARK]: context.mark }, (values) =>
      context.account.createPageBlob(target.ref, work.sizeBytes, values, condition),
    );
    return { target, isOverwritten, written };
  } catch (error) {
    if (isBlobRequestError(error, "exists")) return "exists";
    throw error;
  }
}

async function findUnfinished(
  context: ImportContext,
  work: BlobWork,
  sides: SideValues,
): Promise<MadeBlob | undefined> {
  const earlier = context.earlier(work.index);
  if (earlier?.t === undefined) return undefined;
  const ref = toBlobRef(earlier.t);
  const found = await context.account.find(ref);
  if (found?.type !== "page" || found.metadata[UNFINISHED_MARK] !== context.mark) return undefined;
  const number = earlier.t === work.blobPath ? 1 : 2;
  const written = toWrittenSides({ ...sides, metadataStatus: undefined }, true, true);
  return { target: { ref, number }, isOverwritten: earlier.x === true, written };
}

/** Puts the blob's own metadata in the place of the mark. May be done twice. */
async function finish(
  context: ImportContext,
  work: BlobWork,
  sides: SideValues,
  outcome: BlobOutcome,
): Promise<BlobOutcome> {
  const ref = toBlobRef(outcome.renamedTo ?? work.blobPath);
  try {
    const onlyMetadata = { ...sides, properties: {}, propertiesStatus: undefined };
    const { metadata } = await writeValues(onlyMetadata, {}, (values) =>
      context.account.setMetadata(ref, values.metadata),
    );
    const written = { ...outcome, ...(metadata === undefined ? {} : { metadata }) };
    if (written.status !== "Completed" || written.segments === "skipped") return written;
    return { ...written, status: finishedStatus(written.segments, written) };
  } catch (error) {
    if (!(error instanceof BlobRequestError) || endsImport(error)) throw error;
    const metadata = sides.metadataStatus === undefined ? {} : { metadata: "BlobRequestFailed" as const };
    const status = outcome.status === "Completed" ? "CompletedWithErrors" : outcome.status;
    return { ...outcome, status, ...metadata, reason: outcome.reason ?? error.message };
  }
}
