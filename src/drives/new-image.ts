/** Drive images that are still to be made: a place where nothing is yet counts as a drive when its size was given. */
import { posix } from "node:path";
import { DriveRefusedError, errnoOf } from "../platform/app-error.ts";
import { directoryOf, joinPath } from "../platform/file-path.ts";
import type { FileSystem } from "../platform/file-system.ts";
import type { DriveProbe } from "./probe.ts";
import { imageDrive, withDriveId } from "./probe-place.ts";

/**
 * @param sizes bytes, by the image's path
 */
export function withNewImages(probe: DriveProbe, fs: FileSystem, sizes: ReadonlyMap<string, number>): DriveProbe {
  if (sizes.size === 0) return probe;
  return {
    list: () => probe.list(),
    probe: async (place, options = {}) => {
      const sizeBytes = sizes.get(place);
      if (sizeBytes === undefined || !posix.isAbsolute(place) || exists(fs, place))
        return await probe.probe(place, options);
      const root = joinPath(realDirectory(fs, place), posix.basename(place));
      const drive = imageDrive({
        place,
        root,
        stat: { kind: "file", sizeBytes, mtimeNs: 0n, fileId: 0n, device: 0n, mode: 0 },
      });
      const isNew = { volumeKey: `image ${root}`, contents: "nothing: it is made", isToBeMade: true } as const;
      return withDriveId({ ...drive, ...isNew }, options.idOverride);
    },
  };
}

function exists(fs: FileSystem, path: string): boolean {
  try {
    fs.lstat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw new DriveRefusedError("DRIVE_NOT_FOUND", `the drive "${path}" cannot be reached`, { cause: error });
  }
}

function realDirectory(fs: FileSystem, place: string): string {
  const directory = directoryOf(place);
  try {
    return fs.realpath(directory);
  } catch (error) {
    throw new DriveRefusedError("DRIVE_NOT_FOUND", `the directory "${directory}" for the image does not exist`, {
      cause: error,
    });
  }
}
