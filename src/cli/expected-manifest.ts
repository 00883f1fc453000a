/**
 * The hash that a drive's manifest should have: given outright, from the drive's own `<DriveId>.xml`, or from the
 * journal. In a journal the drive is found by the id in its manifest, because letters and mount points change; a manifest
 * whose id the journal does not know is held against the drive that the journal has at this place.
 */
import { readFileSync } from "node:fs";
import { parseDriveInfo } from "../journal/drive-info.ts";
import { MANIFEST_FILE_NAME } from "../manifest/manifest-model.ts";
import { ManifestReader } from "../manifest/manifest-reader.ts";
import { AppError, DriveRefusedError, describeErrno, UsageError } from "../platform/app-error.ts";
import { joinPath } from "../platform/file-path.ts";
import { nodeFileSystem } from "../platform/file-system.ts";
import { readJournalOverview } from "../prep/journal-overview.ts";
import type { Switches } from "./switches.ts";

export interface ExpectedManifest {
  expectedHash?: string;
  expectedDriveId?: string;
}

const SOURCES = ["journal", "drive-info", "manifest-hash"];
const BASE16_MD5 = /^[0-9a-f]{32}$/i;

export function readExpectedManifest(
  switches: Switches,
  driveRoot: string,
  resolvePath: (path: string) => string,
): ExpectedManifest {
  const [first, second] = SOURCES.filter((name) => switches.has(name));
  if (first !== undefined && second !== undefined) {
    throw new UsageError("USAGE_CONFLICT", `--${first} and --${second} both say which hash to expect`);
  }
  const hash = switches.value("manifest-hash");
  if (hash !== undefined) return fromHash(hash);
  const driveInfo = switches.value("drive-info");
  if (driveInfo !== undefined) return fromDriveInfo(resolvePath(driveInfo));
  const journal = switches.value("journal");
  return journal === undefined ? {} : fromJournal(resolvePath(journal), driveRoot);
}

function fromHash(hash: string): ExpectedManifest {
  if (BASE16_MD5.test(hash)) return { expectedHash: hash.toUpperCase() };
  throw new UsageError("USAGE_BAD_VALUE", `--manifest-hash cannot be "${hash}"`, {
    hint: "give the 32 hexadecimal digits of the manifest's MD5",
  });
}

function fromDriveInfo(path: string): ExpectedManifest {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError("USAGE_BAD_VALUE", `cannot read the drive file "${path}": ${describeErrno(error)}`, {
      hint: "check the path given with --drive-info",
      cause: error,
    });
  }
  const { manifestHash, driveId } = parseDriveInfo(text);
  return { expectedHash: manifestHash, expectedDriveId: driveId };
}

function fromJournal(path: string, driveRoot: string): ExpectedManifest {
  const { drives } = readJournalOverview(nodeFileSystem, path);
  const driveId = manifestDriveId(driveRoot);
  const byId = drives.find((drive) => drive.driveId === driveId);
  const drive = byId ?? drives.find(({ place }) => place !== "" && realPath(place) === realPath(driveRoot));
  if (drive === undefined) {
    const id = driveId === undefined ? "" : ` (its manifest says "${driveId}")`;
    throw new DriveRefusedError("DRIVE_WRONG", `the journal "${path}" has no drive for "${driveRoot}"${id}`, {
      hint: `its drives are: ${drives.map((one) => one.driveId).join(", ") || "none"}`,
    });
  }
  if (drive.manifestHash === undefined) {
    throw new DriveRefusedError("DRIVE_WRONG", `the journal "${path}" has no manifest of the drive ${drive.driveId}`, {
      hint: "finish its session first; 'waimportexport journal show' tells its state",
    });
  }
  return { expectedHash: drive.manifestHash, ...(byId === undefined ? {} : { expectedDriveId: byId.driveId }) };
}

/** Reads only as far as the id; undefined where there is none that can be read. */
function manifestDriveId(driveRoot: string): string | undefined {
  let driveId: string | undefined;
  let reader: ManifestReader | undefined;
  try {
    reader = new ManifestReader(nodeFileSystem, joinPath(driveRoot, MANIFEST_FILE_NAME), {
      driveStart: (head) => {
        driveId = head.driveId;
      },
    });
    while (driveId === undefined && reader.step()) {
      // The handler notes the id.
    }
  } catch (error) {
    // What is wrong with the manifest is for the verification to tell.
    if (!(error instanceof AppError)) throw error;
  } finally {
    reader?.close();
  }
  return driveId;
}

function realPath(path: string): string {
  try {
    return nodeFileSystem.realpath(/^[A-Za-z]:?$/.test(path) ? `${path.slice(0, 1)}:\\` : path);
  } catch {
    // Not there: only the same spelling is the same place.
    return path;
  }
}
