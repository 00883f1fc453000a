/** A copy of a manifest for the diagnostics container, without the credential that its head may hold. */
import { constants } from "node:fs";
import type { ManifestHead } from "../manifest/manifest-model.ts";
import { AppError } from "../platform/app-error.ts";
import { writeAll } from "../platform/durable-file.ts";
import type { FileSystem } from "../platform/file-system.ts";

const PIECE_BYTES = 1024 * 1024;
const REDACTED = "***";
/** Both elements, whatever stands between their tags. */
const CREDENTIAL = /(<(StorageAccountKey|ContainerSas)>)[\s\S]*?(<\/\2\s*>)/g;

/** Writes the copy to `targetPath`. `head` is what the reader found in the manifest. */
export function writeManifestBackup(fs: FileSystem, path: string, targetPath: string, head: ManifestHead): void {
  const source = fs.open(path, constants.O_RDONLY);
  try {
    const target = fs.open(targetPath, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, 0o600);
    try {
      copyRedacted(fs, source, target, head);
    } finally {
      fs.close(target);
    }
  } finally {
    fs.close(source);
  }
}

function copyRedacted(fs: FileSystem, source: number, target: number, head: ManifestHead): void {
  const hasCredential = head.storageAccountKey !== undefined || head.containerSas !== undefined;
  let { text, position } = hasCredential ? readHead(fs, source) : { text: "", position: 0 };
  if (hasCredential) {
    text = text.replace(CREDENTIAL, `$1${REDACTED}$3`);
    refuseLeak(text, head);
  }
  const start = Buffer.from(text, "latin1");
  writeAll(fs, target, start, 0);
  const buffer = Buffer.allocUnsafe(PIECE_BYTES);
  for (let written = start.length; ; ) {
    const count = fs.read(source, buffer, 0, buffer.length, position);
    if (count === 0) return;
    writeAll(fs, target, buffer.subarray(0, count), written);
    position += count;
    written += count;
  }
}

/** Everything up to the first list of blobs: the reader has refused credentials behind it. One byte, one character. */
function readHead(fs: FileSystem, source: number): { text: string; position: number } {
  let text = "";
  const buffer = Buffer.allocUnsafe(PIECE_BYTES);
  for (let position = 0; ; ) {
    const count = fs.read(source, buffer, 0, buffer.length, position);
    text += buffer.toString("latin1", 0, count);
    position += count;
    const end = text.indexOf("<BlobList");
    if (end >= 0) return { text: text.slice(0, end), position: end };
    if (count === 0) return { text, position };
  }
}

function refuseLeak(text: string, { storageAccountKey, containerSas }: ManifestHead): void {
  for (const secret of [storageAccountKey, containerSas]) {
    if (secret !== undefined && secret.length > 3 && text.includes(secret)) {
      throw new AppError("INTERNAL", "the manifest's credential could not be taken out of its backup");
    }
  }
}
