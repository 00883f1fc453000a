/**
 * The segments of one blob from the drive to the service: read, compared with their hashes, then sent with the digest of
 * the bytes that were read, several at once within the import's budgets. A segment that is not good is not sent.
 */
import { BlobRequestError } from "../blobs/blob-account.ts";
import { type BlobWork, blockId, digestOf, type SegmentStatuses, segmentCount } from "./blob-work.ts";
import type { OpenFile } from "./drive-source.ts";
import type { ImportContext } from "./import-context.ts";
import { TaskGroup } from "./task-group.ts";

/** Sends one segment; `digest` is the MD5 of `bytes`. */
export type SendSegment = (index: number, bytes: Uint8Array, digest: Uint8Array) => Promise<void>;

export interface SentSegments {
  statuses: SegmentStatuses;
  /** What made going on with this blob pointless. */
  failure: BlobRequestError | undefined;
}

/** Throws what makes going on with the whole import pointless. */
export async function sendSegments(
  context: ImportContext,
  work: BlobWork,
  file: OpenFile,
  send: SendSegment,
): Promise<SentSegments> {
  const count = segmentCount(work);
  const statuses: SegmentStatuses = new Array(count).fill("Cancelled");
  const group = new TaskGroup();
  let failure: BlobRequestError | undefined;
  const one = async (index: number, length: number): Promise<void> => {
    try {
      statuses[index] = await sendOne(context, work, file, index, length, send);
    } catch (error) {
      if (!(error instanceof BlobRequestError) || endsImport(error)) throw error;
      if (endsBlob(error)) failure ??= error;
      else statuses[index] = "BlobRequestFailed";
    } finally {
      context.requests.give();
      context.memory.give(length);
    }
  };
  for (let index = 0; index < count && failure === undefined && !group.hasFailed; index++) {
    const length = work.lengths[index] ?? 0;
    await context.requests.take();
    await context.memory.take(length);
    group.add(() => one(index, length));
  }
  await group.end();
  return { statuses, failure };
}

/** Reads and compares without sending. */
export function checkSegments(context: ImportContext, work: BlobWork, file: OpenFile): Promise<SentSegments> {
  return sendSegments(context, work, file, async () => {});
}

/** Equal blocks share an id: each id is staged once, by the first good one of its blocks. */
export function createStaging(work: BlobWork, stage: SendStaged): SendSegment {
  const staged = new Map<string, Promise<void>>();
  return (index, bytes, digest) => {
    const id = blockId(work, index);
    let staging = staged.get(id);
    if (staging === undefined) {
      staging = stage(id, bytes, digest);
      if (segmentCount(work) > 1) staged.set(id, staging);
    }
    return staging;
  };
}

type SendStaged = (id: string, bytes: Uint8Array, digest: Uint8Array) => Promise<void>;

async function sendOne(
  context: ImportContext,
  work: BlobWork,
  file: OpenFile,
  index: number,
  length: number,
  send: SendSegment,
): Promise<SegmentStatuses[number]> {
  const bytes = context.buffers.take(length);
  try {
    const expected = work.isListed ? digestOf(work, index) : undefined;
    const { status, digest } = context.source.readSegment(file, work.offsets[index] ?? 0, bytes, expected);
    if (digest !== undefined && !work.isListed) digestOf(work, index).set(digest);
    if (status === "Completed" && digest !== undefined) await send(index, bytes, digest);
    context.addBytes(length);
    return status;
  } finally {
    context.buffers.give(bytes);
  }
}

/** Nothing will work until someone does something about it. */
export function endsImport(error: BlobRequestError): boolean {
  return error.kind === "unavailable" || error.kind === "credential" || error.kind === "canceled";
}

/** Every further segment would meet the same. */
function endsBlob({ kind }: BlobRequestError): boolean {
  return kind === "leased" || kind === "forbidden" || kind === "wrong-type" || kind === "missing";
}
