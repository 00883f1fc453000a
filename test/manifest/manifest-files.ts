/** Manifests made of real bytes, for the tests of writer and reader. */
import { createHash } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import type { BlobEntry, BlobListHead, ManifestHead, ManifestSummary } from "../../src/manifest/manifest-model.ts";
import { ManifestWriter } from "../../src/manifest/manifest-writer.ts";
import { nodeFileSystem } from "../../src/platform/file-system.ts";

/** The digests of the segments of `bytes`, computed the plain way. */
export function digestsOf(bytes: Uint8Array, segmentBytes: number): Buffer {
  const digests: Buffer[] = [];
  for (let offset = 0; offset < bytes.length; offset += segmentBytes) {
    digests.push(
      createHash("md5")
        .update(bytes.subarray(offset, offset + segmentBytes))
        .digest(),
    );
  }
  return Buffer.concat(digests);
}

export function md5(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex").toUpperCase();
}

export function fileBlob(
  blob: Omit<BlobEntry, "sizeBytes" | "digests" | "segmentBytes"> & { segmentBytes?: number },
  bytes: Uint8Array,
): BlobEntry {
  const segmentBytes = blob.segmentBytes ?? 4 * 1024 * 1024;
  return { ...blob, segmentBytes, sizeBytes: bytes.length, digests: digestsOf(bytes, segmentBytes) };
}

export interface ListToWrite {
  head: BlobListHead;
  blobs: readonly BlobEntry[];
}

/** Writes lists behind a head, or behind what `begin` writes. */
export function writeManifest(
  path: string,
  begin: ManifestHead | ((writer: ManifestWriter) => void),
  lists: readonly ListToWrite[],
): ManifestSummary {
  const fd = openSync(path, "w");
  try {
    const writer = new ManifestWriter(nodeFileSystem, fd);
    if (typeof begin === "function") begin(writer);
    else writer.begin(begin);
    for (const list of lists) {
      writer.beginBlobList(list.head);
      for (const blob of list.blobs) writer.writeBlob(blob);
      writer.endBlobList();
    }
    return writer.end();
  } finally {
    closeSync(fd);
  }
}
