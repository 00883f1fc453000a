/**
 * What the segments of a file must hash to, laid out as the copy engine hashes: equal segments, the last one shorter.
 * What a page list leaves out must be zeros. Lists that fit no such layout (exports of other tools) are told apart.
 */
import { DIGEST_BYTES } from "../manifest/manifest-model.ts";
import type { ReadBlob } from "../manifest/read-blob.ts";
import type { SegmentList } from "../manifest/segment-list.ts";
import { zeroDigest } from "../manifest/zero-digest.ts";

const NONE = new Uint8Array(0);
/** The segments of this tool, and nearly always of others. */
const USUAL_SEGMENT_BYTES = 4 * 1024 * 1024;

export interface ExpectedSegments {
  segmentBytes: number;
  count: number;
  /** 16 bytes per segment, those left out among them. */
  digests: Buffer;
  /** 1 where a page list leaves the segment out; empty when none is. */
  leftOut: Uint8Array;
}

/** A copy, independent of the reader's list. Undefined: the segments are uneven. */
export function toExpectedSegments(blob: ReadBlob): ExpectedSegments | undefined {
  const { segments, sizeBytes } = blob;
  const segmentBytes = findSegmentBytes(segments, sizeBytes);
  if (segmentBytes === undefined) return undefined;
  const count = Math.ceil(sizeBytes / segmentBytes);
  if (segments.count === count) {
    return { segmentBytes, count, digests: Buffer.from(segments.digests), leftOut: NONE };
  }
  const digests = Buffer.alloc(count * DIGEST_BYTES);
  const leftOut = new Uint8Array(count).fill(1);
  for (let index = 0; index < segments.count; index++) {
    const at = segments.offset(index) / segmentBytes;
    digests.set(segments.digests.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES), at * DIGEST_BYTES);
    leftOut[at] = 0;
  }
  for (let index = 0; index < count; index++) {
    if (leftOut[index] === 0) continue;
    const length = Math.min(segmentBytes, sizeBytes - index * segmentBytes);
    digests.set(zeroDigest(length), index * DIGEST_BYTES);
  }
  return { segmentBytes, count, digests, leftOut };
}

function findSegmentBytes(segments: SegmentList, sizeBytes: number): number | undefined {
  if (isLaidOut(segments, sizeBytes, USUAL_SEGMENT_BYTES)) return USUAL_SEGMENT_BYTES;
  let longest = 0;
  for (let index = 0; index < segments.count; index++) longest = Math.max(longest, segments.length(index));
  return longest > 0 && isLaidOut(segments, sizeBytes, longest) ? longest : undefined;
}

function isLaidOut(segments: SegmentList, sizeBytes: number, segmentBytes: number): boolean {
  for (let index = 0; index < segments.count; index++) {
    const offset = segments.offset(index);
    if (offset % segmentBytes !== 0) return false;
    if (segments.length(index) !== Math.min(segmentBytes, sizeBytes - offset)) return false;
  }
  return true;
}
