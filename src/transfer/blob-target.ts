/** Where a blob goes, by its disposition and by what is there already. */
import type { BlobRef } from "../blobs/blob-account.ts";
import { MAX_BLOB_NAME_LENGTH } from "../blobs/name-rules.ts";
import { type BlobWork, toBlobRef } from "./blob-work.ts";
import type { ImportContext } from "./import-context.ts";
import { renamedBlob } from "./rename-rule.ts";

export interface BlobTarget {
  ref: BlobRef;
  /** 1: the name of the manifest; from 2 on: renamed with this number. */
  number: number;
}

/** So many names are tried. */
const MAX_NUMBER = 10_000;

/**
 * `isNew`: the container was made by this run, so that looking is not worth a request: the write itself tells. With
 * `overwrite` looking does not matter.
 */
export async function firstTarget(
  context: ImportContext,
  work: BlobWork,
  isNew: boolean,
): Promise<BlobTarget | "Skipped" | "RenameFailed"> {
  const ref = toBlobRef(work.blobPath);
  if (work.disposition === "overwrite" || isNew) return { ref, number: 1 };
  if ((await context.account.find(ref)) === undefined) return { ref, number: 1 };
  return nextTarget(context, work, 1);
}

/** The next free name after the one with `number` turned out to be taken. */
export async function nextTarget(
  context: ImportContext,
  work: BlobWork,
  number: number,
): Promise<BlobTarget | "Skipped" | "RenameFailed"> {
  if (work.disposition === "no-overwrite") return "Skipped";
  const { container, name } = toBlobRef(work.blobPath);
  for (let next = number + 1; next <= MAX_NUMBER; next++) {
    const ref = { container, name: renamedBlob(name, next) };
    if (ref.name.length > MAX_BLOB_NAME_LENGTH) return "RenameFailed";
    if ((await context.account.find(ref)) === undefined) return { ref, number: next };
  }
  return "RenameFailed";
}

export function pathOf({ container, name }: BlobRef): string {
  return `${container}/${name}`;
}

/** For the log: the new name, when it is another than the manifest's. */
export function renamedTo(work: BlobWork, { ref, number }: BlobTarget): { renamedTo?: string } {
  return number === 1 || pathOf(ref) === work.blobPath ? {} : { renamedTo: pathOf(ref) };
}
