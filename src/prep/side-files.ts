/**
 * Metadata and properties files: copied into the session's state when the plan is frozen (a later edit must not change
 * the manifest), and from there onto every drive that holds a blob of their row.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { DatasetRow } from "../dataset/dataset-row.ts";
import { DamagedError, describeErrno, errnoOf, UsageError } from "../platform/app-error.ts";
import { FileTooLongError, readWholeFile, writeFileDurably } from "../platform/durable-file.ts";
import type { FileSystem } from "../platform/file-system.ts";
import { onDrive } from "./failed-calls.ts";
import type { PlanRow } from "./frozen-plan.ts";
import { attached, type OpenDrive, type OpenSession, sessionRoot } from "./open-session.ts";
import type { SessionFiles } from "./session-files.ts";

/** Far above what 8 KiB of metadata headers need. */
export const MAX_SIDE_FILE_BYTES = 1024 * 1024;

export interface PlacedSideFile {
  /** Path from the drive's root, with backslashes. */
  path: string;
  /** Upper-case Base16 MD5. */
  hash: string;
}

type Kind = "metadata" | "properties";

/** Copies the row's side files into the state directory; returns their names there. */
export function freezeSideFiles(
  fs: FileSystem,
  files: SessionFiles,
  row: DatasetRow,
): Pick<PlanRow, Kind | `${Kind}Hash`> {
  const frozen: Pick<PlanRow, Kind | `${Kind}Hash`> = {};
  for (const [kind, source] of [
    ["metadata", row.metadataFile],
    ["properties", row.propertiesFile],
  ] as const) {
    if (source === undefined) continue;
    const name = `${row.index}.${kind}.xml`;
    const bytes = readSource(fs, kind, source);
    writeFileDurably(fs, join(files.state, name), bytes, 0o600);
    frozen[kind] = name;
    frozen[`${kind}Hash`] = hashOf(bytes);
  }
  return frozen;
}

/** Read and checked a moment ago; now it may have gone. */
function readSource(fs: FileSystem, kind: Kind, source: string): Buffer {
  try {
    return readWholeFile(fs, source, MAX_SIDE_FILE_BYTES);
  } catch (cause) {
    throw new UsageError("SOURCE_MISSING", `cannot read the ${kind} file "${source}": ${describeErrno(cause)}`, {
      cause,
    });
  }
}

/** Writes the row's side files below `\<SessionId>` on a drive; the same bytes however often it is repeated. */
export function placeSideFiles(
  session: OpenSession,
  open: OpenDrive,
  row: PlanRow,
): { metadata?: PlacedSideFile; properties?: PlacedSideFile } {
  const placed: { metadata?: PlacedSideFile; properties?: PlacedSideFile } = {};
  for (const kind of ["metadata", "properties"] as const) {
    const name = row[kind];
    if (name === undefined) continue;
    const { fs } = session.ports;
    const bytes = readFrozen(fs, join(session.files.state, name), row[`${kind}Hash`]);
    const path = `${sessionRoot(session, attached(open))}/${name}`;
    onDrive(open, () => writeFileDurably(fs, path, bytes, 0o644, `${name}.new`));
    placed[kind] = {
      path: `\\${session.id}\\${name}`,
      hash: hashOf(bytes),
    };
  }
  return placed;
}

function readFrozen(fs: FileSystem, path: string, hash: string | undefined): Buffer {
  const bytes = readUpTo(fs, path);
  if (bytes !== undefined && hashOf(bytes) === hash) return bytes;
  throw new DamagedError("STATE_DAMAGED", `"${path}" is not what was frozen with the plan`);
}

function readUpTo(fs: FileSystem, path: string): Buffer | undefined {
  try {
    return readWholeFile(fs, path, MAX_SIDE_FILE_BYTES);
  } catch (error) {
    if (error instanceof FileTooLongError || errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function hashOf(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex").toUpperCase();
}
