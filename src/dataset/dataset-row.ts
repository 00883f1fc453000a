/** One row of a dataset, whatever generation of the CSV or command line it came from. */
import type { BlobType, Disposition } from "../blobs/blob-kinds.ts";

export interface DatasetRow {
  /** From 0, in the order of the file; part of the paths on the drive. */
  index: number;
  /** Line in the CSV, from 1. */
  line: number;
  /** Absolute and normalised; no trailing separator except at a root. */
  basePath: string;
  /** What the row says; `checkSources` makes it what is on disk. */
  kind: "directory" | "file";
  /**
   * Container first, no leading slash. Of a directory: the prefix of all its blob paths, always with a trailing slash.
   * Of a file: its blob path. Before `checkSources` a file's may still be a bare container or end in a slash, because
   * the row may turn out to be a directory written without its separator.
   */
  destination: string;
  container: string;
  /** `ByExtension`: page blobs for `*.vhd` and `*.vhdx`, block blobs for the rest (first generation, column empty). */
  blobType: BlobType | "ByExtension";
  disposition: Disposition;
  /** Absolute paths. */
  metadataFile?: string;
  propertiesFile?: string;
}
