/**
 * What is known of a volume that is worked on in clear: replaced durably, without secrets, and gone when the volume is
 * closed. As long as it is there, the plain file holds the volume. Of an image both lie beside it.
 */
import { constants } from "node:fs";
import * as z from "zod/mini";
import type { VolumeLayout } from "../../bitlocker/volume-layout.ts";
import { DamagedError, describeErrno, EncryptionError, errnoOf } from "../../platform/app-error.ts";
import { fsyncDirectory, readWholeFile, unlinkQuietly, writeAll } from "../../platform/durable-file.ts";
import { directoryOf } from "../../platform/file-path.ts";
import type { FileSystem } from "../../platform/file-system.ts";

export function plainPath(image: string): string {
  return `${image}.plain`;
}

export function statePath(image: string): string {
  return `${image}.plain.json`;
}

/** Everything that lies beside an image while it is open. */
export function filesBeside(image: string): string[] {
  return [plainPath(image), statePath(image), nextStatePath(statePath(image))];
}

/** The files of one volume. */
export interface VolumePlaces {
  /** The image or device that becomes the encrypted volume. */
  target: string;
  plain: string;
  state: string;
}

export function imagePlaces(image: string): VolumePlaces {
  return { target: image, plain: plainPath(image), state: statePath(image) };
}

const offset = z.int().check(z.minimum(0));
const Layout = z.object({
  sizeBytes: offset,
  metadataAt: z.readonly(z.tuple([offset, offset, offset])),
  bootCopyAt: offset,
  bootCopyBytes: offset,
});

/**
 * making, opening: the plain file is not complete, the image is as it was;
 * open: the plain file is the volume, the image is as it was;
 * sealing: the plain file is the volume, the image is being written;
 * sealed: the image is the volume, the plain file is to be removed.
 */
const State = z.object({
  version: z.literal(1),
  note: z.string(),
  phase: z.enum(["making", "opening", "open", "sealing", "sealed"]),
  sizeBytes: offset,
  /** From `open` on. */
  layout: z.optional(Layout),
  /** Sector 0 of the image as it will be, hexadecimal. */
  header: z.optional(z.string()),
  /** What the image held before is to be forgotten. */
  isNew: z.boolean(),
  /** While sealing: everything below is in the image, safely. */
  doneBelow: offset,
});
export type ImageState = z.infer<typeof State>;
/** An image whose plain file is complete. */
export type OpenImageState = ImageState & { layout: VolumeLayout; header: string };

const NOTE = "this drive image is open; run waimportexport again to finish, or to roll back what it was opened for";
const MAX_BYTES = 64 * 1024;

export function newState(phase: "making" | "opening", sizeBytes: number, isNew: boolean): ImageState {
  return { version: 1, note: NOTE, phase, sizeBytes, isNew, doneBelow: 0 };
}

export function readState(fs: FileSystem, { plain, state: path }: VolumePlaces): ImageState | undefined {
  let text: string;
  try {
    text = readWholeFile(fs, path, MAX_BYTES).toString("utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw new EncryptionError("ENCRYPTION_FAILED", `cannot read "${path}": ${describeErrno(error)}`, { cause: error });
  }
  const state = State.safeParse(parseJson(text));
  if (state.success && (isComplete(state.data) || ["making", "opening"].includes(state.data.phase))) return state.data;
  throw new DamagedError("STATE_DAMAGED", `"${path}" does not hold the state of a drive image`, {
    hint: `"${plain}" may hold its data; keep both files`,
  });
}

export function writeState(fs: FileSystem, { state: path }: VolumePlaces, state: ImageState): void {
  try {
    replaceDurably(fs, path, Buffer.from(`${JSON.stringify(state, undefined, 2)}\n`));
  } catch (error) {
    throw new EncryptionError("ENCRYPTION_FAILED", `cannot write "${path}": ${describeErrno(error)}`, { cause: error });
  }
}

/** The file that becomes the state is always called the same: what a killed run leaves of it is found and removed. */
function replaceDurably(fs: FileSystem, path: string, bytes: Buffer): void {
  const { O_CREAT, O_TRUNC, O_WRONLY, O_NOFOLLOW } = constants;
  const fd = fs.open(nextStatePath(path), O_CREAT | O_TRUNC | O_WRONLY | O_NOFOLLOW, 0o600);
  try {
    writeAll(fs, fd, bytes, 0);
    fs.fsync(fd);
  } finally {
    fs.close(fd);
  }
  fs.rename(nextStatePath(path), path);
  fsyncDirectory(fs, directoryOf(path));
}

function nextStatePath(path: string): string {
  return `${path}.new`;
}

export function removeState(fs: FileSystem, { state }: VolumePlaces): void {
  unlinkQuietly(fs, nextStatePath(state));
  fs.unlink(state);
  fsyncDirectory(fs, directoryOf(state));
}

export function isComplete(state: ImageState): state is OpenImageState {
  return state.layout !== undefined && /^[0-9a-f]{1024}$/.test(state.header ?? "");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
