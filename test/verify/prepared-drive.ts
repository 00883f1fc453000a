/** A small prepared drive in a directory: a manifest written by the writer over real files. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ManifestSummary, SideFile } from "../../src/manifest/manifest-model.ts";
import { fileBlob, type ListToWrite, md5, writeManifest } from "../manifest/manifest-files.ts";

export const SEGMENT_BYTES = 4 * 1024 * 1024;

/** Bytes that differ from place to place, the same every time. */
export function patternBytes(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let index = 0; index < length; index++) bytes[index] = (index * 31 + (index >> 9) * 17 + seed) & 255;
  return bytes;
}

export function putFile(root: string, filePath: string, bytes: Uint8Array): void {
  const path = join(root, ...filePath.split("\\"));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}

/** Files `\s\0\...` as block blobs, `\s\1\...` as page blobs. */
export function prepareDrive(
  root: string,
  blockFiles: Readonly<Record<string, Uint8Array>>,
  pageFiles: Readonly<Record<string, Uint8Array>> = {},
): ManifestSummary {
  const metadata = sideFile(root, "\\s\\0.metadata.xml", "<Metadata />");
  const properties = sideFile(root, "\\s\\1.properties.xml", "<Properties />");
  const lists: ListToWrite[] = [
    { head: { id: "s-0", metadata }, blobs: toBlobs(root, 0, "block", blockFiles) },
    { head: { id: "s-1", properties }, blobs: toBlobs(root, 1, "page", pageFiles) },
  ];
  return writeManifest(join(root, "DriveManifest.xml"), { driveId: "MOCK1", clientCreator: "test" }, lists);
}

function toBlobs(root: string, row: number, blobType: "block" | "page", files: Readonly<Record<string, Uint8Array>>) {
  return Object.entries(files).map(([name, bytes]) => {
    const filePath = `\\s\\${row}\\${name.replaceAll("/", "\\")}`;
    putFile(root, filePath, bytes);
    return fileBlob({ blobPath: `c/${name}`, filePath, blobType }, bytes);
  });
}

function sideFile(root: string, path: string, content: string): SideFile {
  const bytes = Buffer.from(content);
  putFile(root, path, bytes);
  return { path, hash: md5(bytes) };
}
