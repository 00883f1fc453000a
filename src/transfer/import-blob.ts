/**
 * One blob of an import, step by step as the service does it: find the file, look at the destination, send what is good,
 * make the blob appear with metadata and properties. Never throws for what is wrong with one blob.
 */
import { BlobRequestError } from "../blobs/blob-account.ts";
import { checkBlobName, checkContainerName } from "../blobs/name-rules.ts";
import { type BlobOutcome, cancelled, statusOf } from "./blob-outcome.ts";
import { type BlobWork, toBlobRef } from "./blob-work.ts";
import type { OpenFile } from "./drive-source.ts";
import { importBlocks } from "./import-blocks.ts";
import type { ImportContext } from "./import-context.ts";
import { importPages } from "./import-pages.ts";
import { endsImport } from "./send-segments.ts";

/** Throws what makes going on with the whole import pointless. */
export async function importBlob(context: ImportContext, work: BlobWork): Promise<BlobOutcome> {
  const nameProblem = findNameProblem(work.blobPath);
  if (nameProblem !== undefined) return cancelled(work, "BlobRequestFailed", nameProblem);
  const file = context.source.open(work.filePath);
  if (typeof file === "string") return cancelled(work, file);
  try {
    return await importContent(context, work, file);
  } catch (error) {
    if (!(error instanceof BlobRequestError) || endsImport(error)) throw error;
    return cancelled(work, statusOf(error), error.message);
  } finally {
    context.source.close(file);
  }
}

async function importContent(context: ImportContext, work: BlobWork, file: OpenFile): Promise<BlobOutcome> {
  if (!work.isListed && file.sizeBytes !== work.sizeBytes) {
    const reason = `the file has ${file.sizeBytes} bytes, the manifest says ${work.sizeBytes}`;
    return cancelled(work, "Failed", reason);
  }
  if (file.sizeBytes > work.sizeBytes) {
    context.warn(`"${work.filePath}" is longer than the manifest says; what lies beyond is left out`);
  }
  const container = await context.containers.ensure(toBlobRef(work.blobPath).container);
  const sides = context.sides.read(work);
  const importKind = work.blobType === "page" ? importPages : importBlocks;
  try {
    return await importKind(context, work, file, sides, container === "new");
  } catch (error) {
    // The credential may not make containers, and this one is not there.
    if (container === "unknown" && error instanceof BlobRequestError && error.kind === "missing") {
      return cancelled(work, "BlobRequestForbidden", error.message);
    }
    throw error;
  }
}

function findNameProblem(blobPath: string): string | undefined {
  const { container, name } = toBlobRef(blobPath);
  return (checkContainerName(container) ?? checkBlobName(name, container))?.reason;
}
