/**
 * Writes the manifest of an exported drive as a stream: no credential, no dispositions, no defaults of a list; snapshots,
 * segments of any length, block ids only where the blob has them. Form: docs/formats.md.
 */
import type { FileSystem } from "../platform/file-system.ts";
import { HashedOutput } from "./hashed-output.ts";
import {
  type BlobType,
  DIGEST_BYTES,
  MANIFEST_SUFFIX,
  MANIFEST_VERSION,
  type ManifestSummary,
  type SideFile,
} from "./manifest-model.ts";
import { escapeXml } from "./xml-escape.ts";

/** What the service itself writes as `ClientCreator`. */
export const EXPORT_CLIENT_CREATOR = "Windows Azure Import/Export service";

export interface ExportedBlob {
  blobPath: string;
  filePath: string;
  clientData?: string;
  snapshot?: string;
  sizeBytes: number;
  blobType: BlobType;
  offsets: ArrayLike<number>;
  lengths: ArrayLike<number>;
  /** 16 bytes per segment. */
  digests: Uint8Array;
  ids?: readonly string[];
  metadata?: SideFile;
  properties?: SideFile;
}

/** Order of the calls: `begin`, `writeBlob` for each, `end`. Opening, syncing and closing are the caller's. */
export class ExportManifestWriter {
  readonly #out: HashedOutput;
  #blobs = 0;
  #bytes = 0;

  constructor(fs: FileSystem, fd: number) {
    this.#out = new HashedOutput(fs, fd);
  }

  begin(driveId: string): void {
    this.#out.text(
      `<?xml version="1.0" encoding="UTF-8"?>\n<DriveManifest Version="${MANIFEST_VERSION}">\n  <Drive>\n` +
        element("    ", "DriveId", driveId) +
        element("    ", "ClientCreator", EXPORT_CLIENT_CREATOR) +
        "    <BlobList>\n",
    );
  }

  writeBlob(blob: ExportedBlob): void {
    this.#blobs += 1;
    this.#bytes += blob.sizeBytes;
    this.#out.text(
      "      <Blob>\n" +
        element("        ", "BlobPath", blob.blobPath) +
        element("        ", "FilePath", blob.filePath) +
        element("        ", "ClientData", blob.clientData) +
        element("        ", "Snapshot", blob.snapshot) +
        element("        ", "Length", String(blob.sizeBytes)),
    );
    this.#segments(blob);
    this.#out.text(
      `${sideFile("MetadataPath", blob.metadata)}${sideFile("PropertiesPath", blob.properties)}      </Blob>\n`,
    );
  }

  end(): ManifestSummary {
    this.#out.text(`    </BlobList>\n${MANIFEST_SUFFIX}`);
    return { ...this.#out.end(), blobs: this.#blobs, bytes: this.#bytes };
  }

  #segments({ blobType, offsets, lengths, digests, ids }: ExportedBlob): void {
    const [list, item] = blobType === "page" ? ["PageRangeList", "PageRange"] : ["BlockList", "Block"];
    if (offsets.length === 0) {
      this.#out.text(`        <${list} />\n`);
      return;
    }
    const bytes = Buffer.from(digests.buffer, digests.byteOffset, digests.byteLength);
    this.#out.text(`        <${list}>\n`);
    for (let index = 0; index < offsets.length; index++) {
      const at = index * DIGEST_BYTES;
      const hash = bytes.toString("hex", at, at + DIGEST_BYTES).toUpperCase();
      const id = ids === undefined ? "" : ` Id="${escapeXml(ids[index] ?? "", "block id")}"`;
      this.#out.text(
        `          <${item} Offset="${offsets[index]}" Length="${lengths[index]}"${id} Hash="${hash}" />\n`,
      );
    }
    this.#out.text(`        </${list}>\n`);
  }
}

function element(indent: string, name: string, value: string | undefined): string {
  return value === undefined ? "" : `${indent}<${name}>${escapeXml(value, name)}</${name}>\n`;
}

function sideFile(name: string, file: SideFile | undefined): string {
  if (file === undefined) return "";
  return `        <${name} Hash="${escapeXml(file.hash, "hash")}">${escapeXml(file.path, name)}</${name}>\n`;
}
