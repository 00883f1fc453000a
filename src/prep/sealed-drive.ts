/** A sealed drive as it is reported: everything a job needs, from what the journal has of it. */
import { MANIFEST_NAME } from "../drives/drive-check.ts";
import { driveInfoFileName } from "../journal/drive-info.ts";
import type { SessionDrive } from "../journal/session-history.ts";
import { joinPath } from "../platform/file-path.ts";
import type { SealedDrive } from "./prep-contract.ts";

/** Those of the session that are sealed, whichever run did it. `directory` is that of the journal. */
export function sealedDrives(records: Iterable<SessionDrive>, directory: string): SealedDrive[] {
  const sealed: SealedDrive[] = [];
  for (const { driveId, place, encryption, step, newManifest } of records) {
    if (step !== "Sealed" || newManifest === undefined) continue;
    sealed.push({
      driveId,
      place,
      manifestPath: joinPath(place, MANIFEST_NAME),
      manifestHash: newManifest.hash,
      driveInfoPath: joinPath(directory, driveInfoFileName(driveId)),
      blobs: newManifest.blobs,
      bytes: newManifest.blobBytes,
      encryption,
    });
  }
  return sealed;
}
