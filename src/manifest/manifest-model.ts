/**
 * The things a drive manifest is made of: one drive, its lists of blobs, each blob with the segments of its file.
 * Written and read forms are described with examples in docs/formats.md.
 */

/** What this tool writes. */
export const MANIFEST_VERSION = "2014-11-01";
/** Name of the manifest in the root of a drive. */
export const MANIFEST_FILE_NAME = "DriveManifest.xml";
/** The same as a path from the drive root, as journals and jobs name it. */
export const MANIFEST_FILE_PATH = `\\${MANIFEST_FILE_NAME}`;
/** How every manifest of this tool ends: what a later session cuts off and writes again. */
export const MANIFEST_SUFFIX = "  </Drive>\n</DriveManifest>\n";

/** Put Block List takes at most this many blocks. */
export const MAX_BLOCK_COUNT = 50_000;
/** The largest segment of any release: Put Block of the generation after the manifest's format. */
export const MAX_SEGMENT_BYTES = 100 * 1024 * 1024;
export const PAGE_BYTES = 512;
/** A digest is an MD5. */
export const DIGEST_BYTES = 16;

export type BlobType = "block" | "page";
export type Disposition = "rename" | "no-overwrite" | "overwrite";

export interface ManifestHead {
  driveId: string;
  /** A secret. */
  storageAccountKey?: string;
  /** A secret. */
  containerSas?: string;
  clientCreator?: string;
}

/** A metadata or properties file on the drive. */
export interface SideFile {
  /** From the drive root, backslashes, leading backslash. */
  path: string;
  /** Upper-case Base16 MD5 of the file. */
  hash: string;
}

/** Defaults of the blobs of one list. */
export interface BlobListHead {
  id?: string;
  metadata?: SideFile;
  properties?: SideFile;
}

/** One blob to write. The drive keeps the whole file, whatever the list of segments leaves out. */
export interface BlobEntry {
  /** Plain Unicode, beginning with the container. */
  blobPath: string;
  /** From the drive root, backslashes, leading backslash. */
  filePath: string;
  sizeBytes: number;
  /** Without one: `rename`, the format's default. */
  disposition?: Disposition;
  clientData?: string;
  blobType: BlobType;
  /** Length of every segment but the last. */
  segmentBytes: number;
  /** 16 bytes per segment, in order. */
  digests: Uint8Array;
  /** Page blobs: whether a segment is left out of the list. Default: its digest is that of zeros. */
  omit?: (segmentIndex: number) => boolean;
  metadata?: SideFile;
  properties?: SideFile;
}

/** What was written. */
export interface ManifestSummary {
  /** Upper-case Base16 MD5 of the manifest's bytes. */
  hash: string;
  sizeBytes: number;
  blobs: number;
  /** Sum of the files' lengths. */
  bytes: number;
}

/** Digest as the manifest and the logs print it. */
export function toBase16(digest: Uint8Array): string {
  return Buffer.from(digest.buffer, digest.byteOffset, digest.byteLength).toString("hex").toUpperCase();
}
