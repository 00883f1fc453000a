/**
 * Reads a prepared drive again and holds it against its manifest, and the manifest against the hash that the journal
 * keeps: first the manifest, then every file, then what else is on the drive. Only a damaged manifest and a wrong drive
 * are errors; every other difference is a problem of the report.
 */
import { splitDrivePath } from "../manifest/drive-file-path.ts";
import { hashFile } from "../manifest/manifest-extension.ts";
import { MANIFEST_FILE_NAME } from "../manifest/manifest-model.ts";
import type { ManifestFacts } from "../manifest/manifest-parser.ts";
import { readManifest } from "../manifest/manifest-reader.ts";
import { DriveRefusedError, describeErrno, errnoOf } from "../platform/app-error.ts";
import { ExitCode } from "../platform/exit-codes.ts";
import { joinPath } from "../platform/file-path.ts";
import type { FileSystem } from "../platform/file-system.ts";
import { FileHashing, type HashedFiles } from "./hash-files.ts";
import { PathSpool } from "./path-spool.ts";
import { UnevenFiles } from "./uneven-files.ts";
import { tellUnnamedFiles, walkDrive } from "./unnamed-files.ts";
import type { VerifyEvent, VerifyPorts, VerifyReport, VerifyRequest } from "./verify-contract.ts";
import { VerifyTally } from "./verify-tally.ts";

const PROGRESS_INTERVAL_MS = 250;

interface CheckedManifest {
  path: string;
  hash: string;
  facts: ManifestFacts;
}

export async function verifyDrive(
  request: VerifyRequest,
  ports: VerifyPorts,
  onEvent: (event: VerifyEvent) => void,
): Promise<VerifyReport> {
  const startedMs = ports.clock.monotonicMs();
  const tally = new VerifyTally(onEvent);
  const spools = new Spools(ports.fs, ports.spoolDirectory);
  try {
    const named = spools.create();
    const manifest = checkManifest(request, ports.fs, named, tally);
    onEvent(toManifestEvent(request, manifest));
    const hashed = await hashFiles(request, ports, manifest, tally, onEvent, startedMs);
    if (hashed.unevenFiles > 0) await new UnevenFiles(request, ports, manifest.path, tally).run();
    if (request.signal?.aborted !== true) {
      const present = spools.create();
      const onUnreadable = (folder: string, reason: string): void => tally.unreadableFolder(folder, reason);
      walkDrive(ports.fs, request.driveRoot, (path) => present.add(path), onUnreadable, request.signal);
      tellUnnamedFiles(ports.fs, request.driveRoot, named, present, tally);
    }
    return toReport(request, manifest, hashed, tally, ports.clock.monotonicMs() - startedMs);
  } finally {
    spools.remove();
  }
}

/** The manifest alone, read from beginning to end: its hash, its form, its drive, and what it names. */
function checkManifest(request: VerifyRequest, fs: FileSystem, named: PathSpool, tally: VerifyTally): CheckedManifest {
  const path = request.manifestPath ?? joinPath(request.driveRoot, MANIFEST_FILE_NAME);
  const nameFile = (filePath: string | undefined): void => {
    if (filePath !== undefined) named.add(splitDrivePath(filePath).join("\\"));
  };
  const hash = hashManifest(fs, path);
  const expected = request.expectedHash?.toUpperCase();
  if (expected !== undefined && expected !== hash) {
    tally.problem({
      kind: "manifest-changed",
      filePath: `\\${MANIFEST_FILE_NAME}`,
      expected,
      actual: hash,
      reason: "the manifest is not the one that the drive was sealed with",
    });
  }
  const facts = readManifest(fs, path, {
    driveStart: ({ driveId }) => refuseOtherDrive(request, driveId),
    blobListStart: ({ metadata, properties }) => {
      nameFile(metadata?.path);
      nameFile(properties?.path);
    },
    blob: ({ filePath, metadata, properties }) => {
      nameFile(filePath);
      nameFile(metadata?.path);
      nameFile(properties?.path);
    },
  });
  return { path, hash, facts };
}

function hashManifest(fs: FileSystem, path: string): string {
  try {
    return hashFile(fs, path).hash;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    const code = errno === "ENOENT" || errno === "ENOTDIR" ? "MANIFEST_MISSING" : "MANIFEST_UNREADABLE";
    throw new DriveRefusedError(code, `cannot read the manifest "${path}": ${describeErrno(error)}`, {
      facts: { path },
      cause: error,
    });
  }
}

function refuseOtherDrive(request: VerifyRequest, driveId: string): void {
  const expected = request.expectedDriveId;
  if (expected === undefined || expected === driveId) return;
  throw new DriveRefusedError("DRIVE_WRONG", `the drive at "${request.driveRoot}" is "${driveId}", not "${expected}"`, {
    hint: "attach the drive with the id that the journal names",
    facts: { driveRoot: request.driveRoot, driveId, expectedDriveId: expected },
  });
}

async function hashFiles(
  request: VerifyRequest,
  ports: VerifyPorts,
  manifest: CheckedManifest,
  tally: VerifyTally,
  onEvent: (event: VerifyEvent) => void,
  startedMs: number,
): Promise<HashedFiles> {
  const { blobs, bytes } = manifest.facts;
  const hashing = new FileHashing(request, ports, manifest.path, tally);
  const tellProgress = (): void =>
    onEvent({
      type: "progress",
      files: tally.goodFiles + tally.badFiles,
      bytes: Math.min(hashing.bytes, bytes),
      totalFiles: blobs,
      totalBytes: bytes,
      elapsedMs: Math.round(ports.clock.monotonicMs() - startedMs),
    });
  const timer = setInterval(tellProgress, PROGRESS_INTERVAL_MS);
  try {
    const hashed = await hashing.run();
    tellProgress();
    return hashed;
  } finally {
    clearInterval(timer);
  }
}

function toManifestEvent(request: VerifyRequest, { hash, facts }: CheckedManifest): VerifyEvent {
  return {
    type: "manifest",
    driveId: facts.head.driveId,
    manifestVersion: facts.head.version,
    manifestHash: hash,
    isChecked: request.expectedHash !== undefined,
    totalFiles: facts.blobs,
    totalBytes: facts.bytes,
  };
}

function toReport(
  request: VerifyRequest,
  { path, hash, facts }: CheckedManifest,
  hashed: HashedFiles,
  tally: VerifyTally,
  elapsedMs: number,
): VerifyReport {
  const isManifestChecked = request.expectedHash !== undefined;
  const isAborted = hashed.aborted || request.signal?.aborted === true;
  const isIncomplete = !isManifestChecked || tally.uncheckedFiles > 0;
  const differs = tally.problems > 0 || (request.strict && isIncomplete);
  return {
    driveRoot: request.driveRoot,
    manifestPath: path,
    driveId: facts.head.driveId,
    manifestHash: hash,
    isManifestChecked,
    totalFiles: facts.blobs,
    totalBytes: facts.bytes,
    goodFiles: tally.goodFiles,
    goodBytes: tally.goodBytes,
    badFiles: tally.badFiles,
    problems: tally.problems,
    problemsByKind: tally.problemsByKind,
    firstProblems: tally.firstProblems,
    unnamedFiles: tally.unnamedFiles,
    uncheckedFiles: tally.uncheckedFiles,
    readMethod: hashed.unevenFiles > 0 && hashed.readMethod === "direct" ? "mixed" : hashed.readMethod,
    isAborted,
    elapsedMs: Math.round(elapsedMs),
    exitCode: isAborted ? ExitCode.Interrupted : differs ? ExitCode.VerifyMismatch : ExitCode.Done,
  };
}

/** Temporary files in a directory of their own. */
class Spools {
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #spools: PathSpool[] = [];

  constructor(fs: FileSystem, parent: string) {
    this.#fs = fs;
    this.#directory = makeOwnDirectory(fs, parent);
  }

  create(): PathSpool {
    const spool = new PathSpool(this.#fs, joinPath(this.#directory, `paths-${this.#spools.length}`));
    this.#spools.push(spool);
    return spool;
  }

  remove(): void {
    for (const spool of this.#spools) spool.remove();
    this.#fs.rmdir(this.#directory);
  }
}

function makeOwnDirectory(fs: FileSystem, parent: string): string {
  for (let number = 0; ; number++) {
    const path = joinPath(parent, `verify-${number}`);
    try {
      fs.mkdir(path, 0o700);
      return path;
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw error;
    }
  }
}
