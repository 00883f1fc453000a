/**
 * Drives on Windows, asked from PowerShell's storage cmdlets. A first version, made from the documentation and tested
 * with constructed output only: what it does not understand is refused.
 */
import { win32 } from "node:path";
import type { FileSystem } from "../platform/file-system.ts";
import { describeRun, type ProcessRunner } from "../platform/processes.ts";
import { describeContents } from "./contents.ts";
import type { Drive } from "./drive.ts";
import { pathToDriveId, serialToDriveId } from "./drive-id.ts";
import { notNtfs, serialOfEnclosure, serialUnknown } from "./drive-warnings.ts";
import type { DriveProbe } from "./probe.ts";
import { findPlace, imageDrive, plainDrive, unsupportedKind, withDriveId } from "./probe-place.ts";
import {
  LIST_VOLUMES_SCRIPT,
  parseWindowsListing,
  type WindowsListing,
  type WindowsVolume,
} from "./windows/disk-listing.ts";

export function createWindowsProbe(fs: FileSystem, runner: ProcessRunner): DriveProbe {
  const list = async (place: string): Promise<WindowsListing> => {
    const args = ["-NoLogo", "-NoProfile", "-NonInteractive", "-Command", "-"];
    const result = await runner.run("powershell.exe", args, { input: LIST_VOLUMES_SCRIPT, timeoutMs: 120_000 });
    const listing = result.exitCode === 0 ? parseWindowsListing(result.stdout) : describeRun("PowerShell", result);
    if (typeof listing === "string") throw unsupportedKind(place, `the volumes cannot be listed: ${listing}`);
    return listing;
  };
  return {
    async probe(place, options = {}) {
      const letter = letterOf(place);
      const path = letter === undefined ? place : `${letter}:\\`;
      const found = findPlace(fs, place, path, letter !== undefined || isAbsolute(place));
      if (letter === undefined) {
        if (found.stat.kind === "file") return withDriveId(imageDrive(found), options.idOverride);
        if (found.stat.kind !== "directory") throw unsupportedKind(place, `it is a ${found.stat.kind}`);
        const known = { kind: "directory", model: "directory", fileSystem: "unknown" } as const;
        return withDriveId(plainDrive(fs, found, known), options.idOverride);
      }
      const listing = await list(place);
      const volume = listing.volumes.find((candidate) => candidate.letter.toUpperCase() === letter);
      if (volume?.disk === undefined || volume.disk === null) {
        throw unsupportedKind(place, "it is not a volume on a disk of this machine");
      }
      return withDriveId(toDrive(fs, place, volume, listing), options.idOverride);
    },
    async list() {
      const listing = await list("this machine");
      const onDisks = listing.volumes.filter((volume) => volume.disk !== undefined && volume.disk !== null);
      return onDisks.map((volume) => toDrive(fs, `${volume.letter.toUpperCase()}:\\`, volume, listing));
    },
  };
}

/** `G`, `G:` and `G:\` name a volume. */
function letterOf(place: string): string | undefined {
  return /^([A-Za-z])(?::[\\/]?)?$/.exec(place)?.[1]?.toUpperCase();
}

function isAbsolute(place: string): boolean {
  // A path that begins with a separator only is absolute on the current letter, which nobody has chosen.
  return win32.isAbsolute(place) && /^([A-Za-z]:|[\\/]{2})/.test(place);
}

function toDrive(fs: FileSystem, place: string, volume: WindowsVolume, { pageFileLetters }: WindowsListing): Drive {
  const { disk } = volume;
  const letter = volume.letter.toUpperCase();
  const root = `${letter}:\\`;
  const serial = serialToDriveId(disk?.serial ?? "");
  const space = {
    sizeBytes: volume.sizeBytes ?? 0,
    freeBytes: volume.freeBytes ?? 0,
    clusterBytes: volume.clusterBytes || 4096,
  };
  const others = (disk?.letters ?? []).filter((other) => other.toUpperCase() !== letter);
  const bus = disk?.bus ?? "";
  const reasons = refusals(volume);
  const fileSystem = volume.fileSystem || "unknown";
  return {
    driveId: serial === "" ? pathToDriveId(root) : serial,
    place,
    root,
    kind: "volume",
    model: disk?.model || "disk",
    ...(serial === "" ? {} : { serial }),
    ...space,
    fileSystem,
    volumeKey: `volume ${volume.uniqueId}`,
    rotational: disk?.mediaType === "HDD" ? true : disk?.mediaType === "SSD" ? false : "unknown",
    transport: bus.toLowerCase(),
    ntfs: fileSystem === "NTFS",
    removable: volume.driveType === "Removable" || bus === "USB",
    contents: describeContents(fs, root, { ...space, fileSystem, label: volume.label }),
    isSystem:
      disk?.isSystem === true || disk?.isBoot === true || [letter, ...others].some((l) => pageFileLetters.has(l)),
    ...(others.length === 0 ? {} : { inUseBy: `its disk also holds ${others.map((other) => `${other}:`).join(", ")}` }),
    encryptable: reasons.length === 0 ? "bitlocker" : "none",
    reasons,
    warnings: warningsOf(place, volume, serial),
  };
}

function refusals({ disk }: WindowsVolume): string[] {
  const reasons: string[] = [];
  if (disk?.sectorBytes !== 512) reasons.push(`its sectors have ${disk?.sectorBytes ?? "unknown"} bytes, not 512`);
  if (disk?.bus === "Spaces" || disk?.bus === "RAID") reasons.push("it lies on storage spaces or RAID");
  return reasons;
}

function warningsOf(place: string, { disk, fileSystem }: WindowsVolume, serial: string): string[] {
  const warnings: string[] = [];
  if (serial === "") warnings.push(serialUnknown(place));
  else if (disk?.bus === "USB") warnings.push(serialOfEnclosure(place, serial));
  if (fileSystem !== "NTFS") warnings.push(notNtfs(place, fileSystem || "unknown"));
  return warnings;
}
