/** One chosen blob as it was listed, in the spool of an export: one JSON line each, in the order of the selection. */
import { constants } from "node:fs";
import type { BlobMetadata, BlobProperties, FoundBlob, StoredBlobType } from "../blobs/blob-account.ts";
import type { SelectedBlob } from "../blobs/select-blobs.ts";
import { writeAll } from "../platform/durable-file.ts";
import type { FileSystem } from "../platform/file-system.ts";
import { readLines } from "./line-reader.ts";

export interface ExportEntry {
  index: number;
  container: string;
  name: string;
  snapshot?: string;
  type: StoredBlobType;
  sizeBytes: number;
  etag: string;
  lastModified: string;
  isLeased: boolean;
  isArchived: boolean;
  metadata: BlobMetadata;
  properties: BlobProperties;
}

interface EntryLine {
  c: string;
  b: Omit<FoundBlob, "properties"> & { properties: Omit<BlobProperties, "contentMd5"> };
  /** Base64. */
  h?: string;
}

export class EntryWriter {
  readonly #fs: FileSystem;
  readonly #fd: number;
  #text = "";
  #position = 0;

  constructor(fs: FileSystem, path: string) {
    this.#fs = fs;
    this.#fd = fs.open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, 0o600);
  }

  add({ container, blob }: SelectedBlob): void {
    const { contentMd5, ...properties } = blob.properties;
    const line: EntryLine = {
      c: container,
      b: { ...blob, properties },
      ...(contentMd5 === undefined ? {} : { h: Buffer.from(contentMd5).toString("base64") }),
    };
    this.#text += `${JSON.stringify(line)}\n`;
    if (this.#text.length >= 256 * 1024) this.#flush();
  }

  close(): void {
    this.#flush();
    this.#fs.fsync(this.#fd);
    this.#fs.close(this.#fd);
  }

  #flush(): void {
    const bytes = Buffer.from(this.#text, "utf8");
    writeAll(this.#fs, this.#fd, bytes, this.#position);
    this.#position += bytes.length;
    this.#text = "";
  }
}

export function* readEntries(fs: FileSystem, path: string): Generator<ExportEntry> {
  let index = 0;
  for (const text of readLines(fs, path)) {
    const { c, b, h } = JSON.parse(text) as EntryLine;
    const contentMd5 = h === undefined ? {} : { contentMd5: Buffer.from(h, "base64") };
    yield { index: index++, container: c, ...b, properties: { ...b.properties, ...contentMd5 } };
  }
}

export function blobPathOf({ container, name }: Pick<ExportEntry, "container" | "name">): string {
  return `${container}/${name}`;
}
