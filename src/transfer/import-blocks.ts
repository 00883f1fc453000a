/**
 * A block blob: good blocks are staged, then committed in the manifest's order. With bad blocks among them the good ones
 * make a partial blob, to be repaired later, but only where there was none: an existing blob is never replaced by a part.
 */
import { type BlobRef, BlobRequestError, isBlobRequestError } from "../blobs/blob-account.ts";
import { type BlobOutcome, cancelled, finishedStatus, statusOf } from "./blob-outcome.ts";
import { type BlobTarget, firstTarget, nextTarget, pathOf, renamedTo } from "./blob-target.ts";
import { type BlobWork, blockId, type SegmentStatuses, segmentCount, toBlobRef } from "./blob-work.ts";
import type { OpenFile } from "./drive-source.ts";
import type { ImportContext } from "./import-context.ts";
import { checkSegments, createStaging, endsImport, type SentSegments, sendSegments } from "./send-segments.ts";
import type { SideValues } from "./side-values.ts";
import { toWrittenSides, type WrittenSides, writeValues } from "./write-values.ts";

export async function importBlocks(
  context: ImportContext,
  work: BlobWork,
  file: OpenFile,
  sides: SideValues,
  isNew: boolean,
): Promise<BlobOutcome> {
  const resumed = await findCommitted(context, work, sides);
  if (resumed !== undefined) return resumed;
  let target = await firstTarget(context, work, isNew);
  for (;;) {
    if (target === "Skipped") return skipped();
    if (target === "RenameFailed") return cancelled(work, "RenameFailed");
    const { statuses, failure, hasReplaced } = await stage(context, work, file, target.ref);
    const isTaken = failure?.kind === "wrong-type" && work.disposition !== "overwrite";
    if (failure !== undefined && !isTaken) return notCommitted(work, statuses, failure);
    const committed = isTaken ? "exists" : await commit(context, work, sides, target, statuses, hasReplaced);
    if (committed !== "exists") return committed;
    target = await nextTarget(context, work, target.number);
  }
}

/** A run that was killed may have committed the blob without noting it: the blocks tell. */
async function findCommitted(
  context: ImportContext,
  work: BlobWork,
  sides: SideValues,
): Promise<BlobOutcome | undefined> {
  const earlier = context.earlier(work.index);
  if (earlier?.t === undefined || !work.isListed) return undefined;
  const ref = toBlobRef(earlier.t);
  const found = await context.account.find(ref);
  if (found === undefined || found.type !== "block" || found.sizeBytes !== work.sizeBytes) return undefined;
  const blocks = await context.account.committedBlocks(ref);
  const count = segmentCount(work);
  if (blocks.length !== count || blocks.some(({ id }, index) => id !== blockId(work, index))) return undefined;
  const segments: SegmentStatuses = new Array(count).fill("Completed");
  const written = toWrittenSides(sides, true, true);
  const number = earlier.t === work.blobPath ? 1 : 2;
  return {
    status: finishedStatus(segments, written),
    disposition: number > 1 ? "Renamed" : earlier.x === true ? "Overwritten" : "Created",
    ...renamedTo(work, { ref, number }),
    segments,
    ...written,
  };
}

interface StagedBlocks extends SentSegments {
  /** A blob of another type had to go first. */
  hasReplaced: boolean;
}

async function stage(context: ImportContext, work: BlobWork, file: OpenFile, ref: BlobRef): Promise<StagedBlocks> {
  const sendAll = (): Promise<SentSegments> => {
    const staging = createStaging(work, (id, bytes, digest) => context.account.stageBlock(ref, id, bytes, digest));
    return sendSegments(context, work, file, staging);
  };
  const sent = await sendAll();
  if (sent.failure?.kind !== "wrong-type" || work.disposition !== "overwrite") return { ...sent, hasReplaced: false };
  // A blob of another type is there. Blocks can only follow once it is gone, so all of them must be good before.
  const checked = await checkSegments(context, work, file);
  if (checked.statuses.some((status) => status !== "Completed")) {
    return { statuses: checked.statuses.map(asCancelled), failure: sent.failure, hasReplaced: false };
  }
  context.note({ i: work.index, t: pathOf(ref), x: true });
  await context.account.replaceByEmpty(ref);
  return { ...(await sendAll()), hasReplaced: true };
}

async function commit(
  context: ImportContext,
  work: BlobWork,
  sides: SideValues,
  target: BlobTarget,
  statuses: SegmentStatuses,
  hasReplaced: boolean,
): Promise<BlobOutcome | "exists"> {
  const ids = statuses.flatMap((status, index) => (status === "Completed" ? [blockId(work, index)] : []));
  const isWhole = ids.length === statuses.length;
  if (!isWhole && ids.length === 0) return { ...cancelled(work, "CompletedWithErrors"), segments: statuses };
  const write = (condition: "if-absent" | "always"): Promise<WrittenSides> => {
    context.note({ i: work.index, t: pathOf(target.ref), ...(condition === "always" ? { x: true } : {}) });
    return writeValues(sides, {}, (values) => context.account.commitBlocks(target.ref, ids, values, condition));
  };
  try {
    let written = hasReplaced ? "exists" : await unlessExists(() => write("if-absent"));
    const isOverwritten = written === "exists";
    if (written === "exists") {
      if (work.disposition !== "overwrite") return "exists";
      if (!isWhole && !hasReplaced)
        return { ...cancelled(work, "CompletedWithErrors", KEPT), segments: uncommitted(statuses) };
      written = await write("always");
    }
    const segments = isWhole ? statuses : statuses.map((status) => (status === "Completed" ? "Committed" : status));
    return {
      status: finishedStatus(segments, written),
      disposition: target.number > 1 ? "Renamed" : isOverwritten ? "Overwritten" : "Created",
      ...renamedTo(work, target),
      segments,
      ...written,
    };
  } catch (error) {
    if (!(error instanceof BlobRequestError) || endsImport(error)) throw error;
    return notCommitted(work, statuses, error);
  }
}

async function unlessExists<T>(write: () => Promise<T>): Promise<T | "exists"> {
  try {
    return await write();
  } catch (error) {
    if (isBlobRequestError(error, "exists")) return "exists";
    throw error;
  }
}

const KEPT = "the existing blob is kept, because not all blocks of the new one are good";

function skipped(): BlobOutcome {
  return { status: "Completed", disposition: "Skipped", segments: "skipped" };
}

function notCommitted(work: BlobWork, statuses: SegmentStatuses, failure: BlobRequestError): BlobOutcome {
  const status = failure.kind === "wrong-type" ? "CompletedWithErrors" : statusOf(failure);
  const reason = failure.kind === "wrong-type" ? KEPT : failure.message;
  return { ...cancelled(work, status, reason), segments: uncommitted(statuses) };
}

function uncommitted(statuses: SegmentStatuses): SegmentStatuses {
  return statuses.map((status) => (status === "Completed" ? "Uncommitted" : status));
}

function asCancelled(status: SegmentStatuses[number]): SegmentStatuses[number] {
  return status === "Completed" ? "Cancelled" : status;
}
