/** The blobs of a manifest one by one, pulled: the reader is asked for more only when all it has given are used up. */
import { ManifestReader } from "../manifest/manifest-reader.ts";
import type { FileSystem } from "../platform/file-system.ts";
import { type BlobWork, toBlobWork } from "./blob-work.ts";

/** `wants` says by index which blobs are copied out of the reader at all. */
export function* manifestBlobs(
  fs: FileSystem,
  path: string,
  wants: (index: number) => boolean = () => true,
): Generator<BlobWork> {
  let next = 0;
  let ready: BlobWork[] = [];
  const reader = new ManifestReader(fs, path, {
    blob: (blob) => {
      const index = next++;
      if (wants(index)) ready.push(toBlobWork(blob, index));
    },
  });
  try {
    for (let hasMore = true; hasMore; ) {
      hasMore = reader.step();
      const given = ready;
      ready = [];
      yield* given;
    }
  } finally {
    reader.close();
  }
}
