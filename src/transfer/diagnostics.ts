/**
 * Logs and backups of a transfer: block blobs named `waies/<job>_<drive>_<time>_<kind>.xml` in the diagnostics container,
 * or, where the credential opens one container only, below a directory of that name in it.
 */
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type BlobAccount, type BlobRef, BlobRequestError } from "../blobs/blob-account.ts";
import { SEGMENT_BYTES } from "../blobs/blob-kinds.ts";
import { checkBlobName, checkContainerName } from "../blobs/name-rules.ts";
import { UsageError } from "../platform/app-error.ts";
import type { FileSystem } from "../platform/file-system.ts";

export const DEFAULT_DIAGNOSTICS_PATH = "waimportexport";

export interface DiagnosticsPlace {
  container: string;
  /** Empty, or ending in a slash. */
  directory: string;
}

/** Throws USAGE_BAD_VALUE for a path that is no container, with or without a directory. */
export function diagnosticsPlace(account: BlobAccount, path = DEFAULT_DIAGNOSTICS_PATH): DiagnosticsPlace {
  const clean = path.replace(/^\/|\/+$/g, "");
  if (account.onlyContainer !== undefined) return checked({ container: account.onlyContainer, directory: `${clean}/` });
  const slash = clean.indexOf("/");
  if (slash < 0) return checked({ container: clean, directory: "" });
  return checked({ container: clean.slice(0, slash), directory: `${clean.slice(slash + 1)}/` });
}

function checked(place: DiagnosticsPlace): DiagnosticsPlace {
  const name = `${place.directory}waies/x`;
  const problem = checkContainerName(place.container) ?? checkBlobName(name, place.container);
  if (problem === undefined) return place;
  throw new UsageError(
    "USAGE_BAD_VALUE",
    `"${place.container}/${place.directory}" cannot take logs: ${problem.reason}`,
    {
      hint: "give a container, or a container and a directory",
    },
  );
}

/** Every blob has its own time. */
export function diagnosticsBlob(
  place: DiagnosticsPlace,
  jobName: string,
  driveId: string,
  timeMs: number,
  kind: string,
): BlobRef {
  const plain = (text: string): string => text.replace(/[^A-Za-z0-9._-]/g, "_");
  const drive = driveId === "" ? "" : `${plain(driveId)}_`;
  const name = `${place.directory}waies/${plain(jobName)}_${drive}${timeStamp(timeMs)}_${kind}.xml`;
  return { container: place.container, name };
}

/** `yyyyMMdd-HHmmss-fff`, UTC. */
export function timeStamp(timeMs: number): string {
  const [, year, month, day, hour, minute, second, ms] =
    /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)\.(\d+)Z$/.exec(new Date(timeMs).toISOString()) ?? [];
  return `${year}${month}${day}-${hour}${minute}${second}-${ms}`;
}

export function blobUri(account: BlobAccount, { container, name }: BlobRef): string {
  return `${account.url}/${container}/${name.split("/").map(encodeURIComponent).join("/")}`;
}

/** The file at `path` as a block blob; the container is made when it is missing. */
export async function uploadFile(account: BlobAccount, ref: BlobRef, fs: FileSystem, path: string): Promise<void> {
  if (account.onlyContainer === undefined) {
    try {
      await account.createContainer(ref.container);
    } catch (error) {
      // Without the right to make it, it may still be there.
      if (!(error instanceof BlobRequestError) || error.kind !== "forbidden") throw error;
    }
  }
  const fd = fs.open(path, constants.O_RDONLY);
  try {
    const ids: string[] = [];
    const buffer = Buffer.allocUnsafe(SEGMENT_BYTES);
    for (let position = 0; ; ) {
      const count = fs.read(fd, buffer, 0, buffer.length, position);
      if (count === 0) break;
      const bytes = buffer.subarray(0, count);
      const id = Buffer.from(ids.length.toString().padStart(6, "0")).toString("base64");
      await account.stageBlock(ref, id, bytes, createHash("md5").update(bytes).digest());
      ids.push(id);
      position += count;
    }
    await account.commitBlocks(ref, ids, { metadata: {}, properties: { contentType: "application/xml" } }, "always");
  } finally {
    fs.close(fd);
  }
}
