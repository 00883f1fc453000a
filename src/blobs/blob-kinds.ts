/** The closed sets of words that dataset, manifest and service share. Their letter case is part of the format. */

export const DISPOSITIONS = ["rename", "no-overwrite", "overwrite"] as const;
/** What the service does when the blob exists already. */
export type Disposition = (typeof DISPOSITIONS)[number];

export const BLOB_TYPES = ["BlockBlob", "PageBlob"] as const;
export type BlobType = (typeof BLOB_TYPES)[number];

/** Block blobs: 50,000 blocks (Put Block List) of 4 MiB each, the largest block of the 2014-11-01 manifest. */
export const MAX_BLOCK_COUNT = 50_000;
export const SEGMENT_BYTES = 4 * 1024 * 1024;
/** Largest block of later service versions; only with --large-blocks. */
export const MAX_LARGE_SEGMENT_BYTES = 100 * 1024 * 1024;
/** Page blobs: 1 TiB by the 2014-11-01 manifest, 8 TiB later. */
export const MAX_PAGE_BLOB_BYTES = 1024 ** 4;
export const MAX_LARGE_PAGE_BLOB_BYTES = 8 * 1024 ** 4;
export const PAGE_BYTES = 512;
