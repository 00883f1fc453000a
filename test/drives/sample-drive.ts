import type { Drive } from "../../src/drives/drive.ts";

/** A directory that could be a drive, changed as the test needs it. */
export function sampleDrive(change: Partial<Drive> = {}): Drive {
  return {
    driveId: "MOCK0123456789AB",
    place: "/drives/a",
    root: "/drives/a",
    kind: "directory",
    model: "directory",
    sizeBytes: 100 * 1024 ** 3,
    freeBytes: 50 * 1024 ** 3,
    clusterBytes: 4096,
    fileSystem: "ext4",
    volumeKey: "block 8:1",
    rotational: false,
    transport: "sata",
    ntfs: false,
    removable: false,
    contents: "empty",
    isSystem: false,
    encryptable: "mock",
    reasons: [],
    warnings: [],
    ...change,
  };
}
